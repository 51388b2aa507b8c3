/**
 * An nginx of our own: its configuration and files in a temporary folder, on free ports of loopback.
 *
 * @module
 */

import { freshCertificate } from "../../lib/fresh_certificate.ts";
import { freePort, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";

/** Not on the path of a user; it is there when its package is. */
export const NGINX = "../sbin/nginx";

/** How many bytes the files have that it serves. */
export const SIZES = [0, 1, 4_095, 4_096, 4_097, 1_048_576];

/** A running nginx. */
export interface Nginx extends AsyncDisposable {
  port: number;
  tlsPort: number;
  folder: string;
  /** Where it takes files from. */
  served: string;
  /** The certificate of the authority to trust. */
  ca: string;
  /** What was asked of it: one line each, status, range and path. Written when the answer is sent. */
  log(): string[];
  /** Waits for a line of the log. */
  logged(pattern: RegExp): Promise<void>;
  /** Kills the processes that have connections; it starts others. */
  dropConnections(): Promise<void>;
}

/** Bytes that differ at every place where a mistake might be hidden. */
export function bytesOfSize(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let state = size + 1;
  for (let at = 0; at < size; at++) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223 | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** Starts an nginx. @param proxied a port on 127.0.0.1 that `/proxied/` leads to */
export async function startNginx(proxied = 9): Promise<Nginx> {
  const stack = new AsyncDisposableStack();
  try {
    const { path } = stack.use(temporaryFolder());
    const served = `${path}/served`, ca = `${path}/authority.pem`, log = `${path}/access`;
    await Deno.mkdir(`${served}/folder`, { recursive: true });
    await Deno.chmod(path, 0o755); // root's nginx serves as somebody else
    for (const size of SIZES) await Deno.writeFile(`${served}/${size}`, bytesOfSize(size));
    await Deno.writeTextFile(`${served}/a name.txt`, "a name\n".repeat(1_000));
    await Deno.writeTextFile(`${served}/größe.html`, "<p>größe</p>\n".repeat(1_000));
    const { cert, key, authority } = await freshCertificate("127.0.0.1");
    await Deno.writeTextFile(`${path}/cert.pem`, cert);
    await Deno.writeTextFile(`${path}/key.pem`, key);
    await Deno.writeTextFile(ca, authority);
    const port = freePort(), tlsPort = freePort();
    await Deno.writeTextFile(`${path}/nginx.conf`, settings(path, port, tlsPort, proxied));
    const nginx = stack.use(
      new Process(["/usr/sbin/nginx", "-p", path, "-e", "stderr", "-c", `${path}/nginx.conf`]),
    );
    // killed at once, it would leave its workers behind
    stack.defer(() => nginx.stop("SIGTERM").then(() => {}));
    // the sockets are there before the first worker is
    await nginx.stderr.line(/start worker process \d+/);
    const readLog = () => Deno.readTextFileSync(log).split("\n").slice(0, -1);
    const until = async (what: string, holds: () => boolean) => {
      for (let tries = 0; !holds(); tries++) {
        if (tries === 3_000) throw new Error(`nginx: ${what} does not come`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    return {
      port,
      tlsPort,
      folder: path,
      served,
      ca,
      log: readLog,
      logged: (pattern) => until(`${pattern}`, () => readLog().some((line) => pattern.test(line))),
      async dropConnections() {
        const lines = nginx.stderr.lines;
        const worker = lines.findLast((line) => line.includes("start worker process "))!;
        Deno.kill(Number(/start worker process (\d+)/.exec(worker)![1]), "SIGKILL");
        const before = lines.length;
        await until(
          "another worker",
          () => lines.slice(before).some((line) => line.includes("start worker process ")),
        );
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function settings(folder: string, port: number, tlsPort: number, proxied: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`);
  return `
    daemon off;
    worker_processes 1;
    pid ${folder}/pid;
    error_log stderr notice;
    events { worker_connections 256; }
    http {
      ${temporary.join("\n")}
      log_format ranges '$status $http_range $request_uri';
      access_log ${folder}/access ranges;
      types { text/html html; text/plain txt; }
      default_type application/octet-stream;
      server {
        listen 127.0.0.1:${port};
        listen 127.0.0.1:${tlsPort} ssl;
        ssl_certificate ${folder}/cert.pem;
        ssl_certificate_key ${folder}/key.pem;
        root ${folder}/served;
        autoindex on;
        location /chunked/ { alias ${folder}/served/; ssi on; ssi_types *; }
        location /close/ {
          alias ${folder}/served/; ssi on; ssi_types *; chunked_transfer_encoding off;
        }
        location /closing/ { alias ${folder}/served/; keepalive_timeout 0; }
        location /gzip/ { alias ${folder}/served/; gzip on; gzip_types *; gzip_min_length 1; }
        location /packed/ {
          alias ${folder}/served/; add_header Content-Encoding gzip;
        }
        location /slow/ { alias ${folder}/served/; limit_rate 400k; }
        location /named/ {
          alias ${folder}/served/;
          add_header Content-Disposition 'attachment; filename="../../../evil name.bin"';
        }
        location /proxied/ { proxy_pass http://127.0.0.1:${proxied}/; proxy_buffering off; }
        location = /moved/301 { return 301 /4097; }
        location = /moved/302 { return 302 /named/4097; }
        location = /moved/307 { return 307 http://127.0.0.1:${port}/moved/301; }
        location = /moved/308 { return 308 https://127.0.0.1:${tlsPort}/4096; }
        location = /moved/ever { return 302 /moved/ever; }
        location = /status/204 { return 204; }
        location = /status/200 { return 200 "a text\\n"; }
        location = /status/403 { return 403; }
        location = /status/500 { return 500 "it is broken\\n"; }
        location = /status/503 { return 503; }
      }
    }
  `;
}
