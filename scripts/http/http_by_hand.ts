#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8000
/**
 * A web page over a plain TCP connection
 *
 * HTTP/1.1 is text: a request line, headers, an empty line. This writes them over a connection and reads the
 * reply: a status line, headers, an empty line, and a body. Where the body ends, the headers tell: after
 * Content-Length bytes, with a last chunk of no bytes, or with the connection. What the reads bring, however
 * much or little, says nothing about it.
 *
 * The lecture's loop ends at the first read that is shorter than its buffer. With --naive that loop and the
 * rules both fetch the page, and what the loop has lost is counted. It was right by luck: a short read only
 * means that no more had arrived yet. When the reply fills the last buffer exactly, the loop never ends.
 *
 * The body goes to stdout as it is, what is said on the connection to stderr. With https the same text goes
 * over TLS. Redirects are shown, not followed.
 *
 * @lecture 002 Sending a Message, Receiving a Reply, Putting it all together · 004 Ports
 * @python  socket.connect → Deno.connect, socket.sendall → connection.write,
 *          socket.recv → connection.read, ssl.wrap_socket → Deno.connectTls
 * @partner scripts/http/sample_server.ts
 * @run     deno run --allow-net=127.0.0.1:8000 scripts/http/http_by_hand.ts http://127.0.0.1:8000/notes.txt
 * @log     > GET /notes.txt HTTP/1.1
 * @log     > Host: 127.0.0.1:8000
 * @log     < HTTP/1.1 200 OK
 * @log     < content-length: 18
 * @log     18 bytes of body, as many as announced
 * @expect  Networking: day 4
 * @run     deno run --allow-net=127.0.0.1:8000 scripts/http/http_by_hand.ts --naive http://127.0.0.1:8000/numbers.txt
 * @expect  the lecture's loop: * bytes in * read*, the last one shorter than 4096
 * @expect  by the rules: * bytes
 * @expect  the loop has cut off * bytes
 * @argument [URL]            what to get, http or https (default: http://127.0.0.1:8000/notes.txt)
 * @option  --naive           show what the lecture's loop would have made of it
 * @option  --head            ask for the headers only
 * @option  --read-size BYTES the buffer of each read, at least 1 (default: 4096)
 * @option  --limit BYTES     the longest body (default: 1073741824)
 * @option  --timeout SECONDS how long all of it may take (default: 60)
 * @option  --ca FILE         an authority to trust, for https
 * @see     https://www.rfc-editor.org/rfc/rfc9112
 * @module
 */

import { readAuthority } from "../../lib/authority_file.ts";
import { run } from "../../lib/cli.ts";
import { after, DeadlineError, within } from "../../lib/deadline.ts";
import { quoted, visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { elementsOf } from "../../lib/http_list.ts";
import { readReply } from "../../lib/http_reply.ts";
import { LimitError, SocketReader } from "../../lib/reader.ts";
import { safeForTerminal } from "../../lib/terminal_output.ts";
import { UsageError } from "../../lib/usage.ts";
import { writeAll } from "../../lib/write_all.ts";

interface Options {
  url: string;
  naive: boolean;
  head: boolean;
  readSize: number;
  limit: number;
  timeout: number;
  ca?: string;
}

/** The request as text. Nothing is said of the connection's end: it stays open unless the server closes it. */
export function requestText(method: string, url: URL): string {
  return `${method} ${url.pathname}${url.search} HTTP/1.1\r\n` +
    `Host: ${url.host}\r\n` +
    "Accept-Encoding: identity\r\n" +
    "\r\n";
}

/** Connects to where a URL points, by TCP or by TLS over TCP, in so many milliseconds. */
export async function connectTo(url: URL, timeout: number, ca?: string): Promise<Deno.Conn> {
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const tls = url.protocol === "https:";
  const port = Number(url.port || (tls ? 443 : 80));
  const caCerts = ca === undefined ? [] : [await readAuthority(ca)];
  return await attempt<Deno.Conn>(`connect to ${url.host}`, async () => {
    if (!tls) return await Deno.connect({ hostname, port });
    const connection = await Deno.connectTls({ hostname, port, caCerts });
    await connection.handshake();
    return connection;
  }, { timeout });
}

/** Gets a page by the rules, and gives its body to `take`, piece by piece. */
async function get(url: URL, options: Options, take: (piece: Uint8Array) => unknown) {
  const { head, readSize, limit, timeout, ca } = options;
  const method = head ? "HEAD" : "GET";
  const late = new AbortController();
  using _deadline = after(timeout * 1_000, () => {
    late.abort(new Error(`it was not complete after ${timeout} s`));
  });
  using connection = await connectTo(url, timeout * 1_000, ca);
  const request = requestText(method, url);
  for (const line of request.trimEnd().split("\r\n")) console.error(`> ${visible(line)}`);
  await writeAll(connection, request);

  let received = 0;
  const reader = new SocketReader({
    async read(into) {
      const count = await connection.read(into.subarray(0, readSize));
      received += count ?? 0;
      return count;
    },
  });
  const show = (lines: string[]) => lines.forEach((line) => console.error(`< ${visible(line)}`));
  // there is one deadline for all of it, however it is spread
  const patience = { timeout: Infinity, stall: Infinity, signal: late.signal };
  const reading = readReply(reader, { method, ...patience, onInterim: show });
  const reply = await attempt("read the reply", reading, { timeout: Infinity });
  show(reply.lines);
  const codings = elementsOf(reply.headers.get("content-encoding"));
  if (codings.some((coding) => coding.toLowerCase() !== "identity")) {
    throw new Error(
      `the server sends the body as ${quoted(codings.join(", "))}, but was asked not to`,
    );
  }
  let length = 0;
  const readBody = async () => {
    for await (const piece of reply.body) {
      length += piece.length;
      if (length > limit) throw new LimitError("the body", limit);
      await take(piece);
    }
  };
  await attempt("read the body", readBody(), { timeout: Infinity });
  for (const [name, value] of reply.trailers) console.error(`< ${name}: ${visible(value)}`);
  console.error(`${length} bytes of body, ${ENDS[reply.framing.by]}`);
  if (reader.buffered > 0) console.error(`${reader.buffered} bytes more that nobody asked for`);
  return received;
}

const ENDS = {
  length: "as many as announced",
  chunks: "up to the last chunk",
  close: "up to the end of the connection",
  none: "since HEAD, 204 and 304 are answered without one",
};

/** Gets a page by the lecture's loop, which asks the reads where the reply ends. */
async function getNaively(url: URL, { readSize, limit, timeout, ca }: Options) {
  using connection = await connectTo(url, timeout * 1_000, ca);
  await writeAll(connection, requestText("GET", url));
  const buffer = new Uint8Array(readSize);
  let received = 0, reads = 0;
  for (let done = false; !done;) {
    const part = await within(PATIENCE, connection.read(buffer)).catch((error) => {
      if (!(error instanceof DeadlineError)) throw error;
    });
    // undefined: the last read filled the buffer, so the loop waits for more, but that was all
    if (part === undefined) return { received, reads, stuck: true };
    const count = part ?? 0;
    if (count < readSize) done = true;
    received += count;
    reads++;
    if (received > limit) throw new LimitError("the reply", limit);
  }
  return { received, reads, stuck: false };
}

const PATIENCE = 2_000; // milliseconds

/** Gets a page in both ways, and compares. */
async function compare(url: URL, options: Options): Promise<void> {
  const { received, reads, stuck } = await attempt(
    "receive by the lecture's loop",
    getNaively(url, options),
    { timeout: options.timeout * 1_000 },
  );
  const whole = await get(url, options, () => {});
  const end = stuck
    ? "all of them full: it waits on"
    : `the last one shorter than ${options.readSize}`;
  console.log(
    `the lecture's loop: ${received} bytes in ${reads} ${reads === 1 ? "read" : "reads"}, ${end}`,
  );
  console.log(`by the rules: ${whole} bytes`);
  if (received < whole) console.log(`the loop has cut off ${whole - received} bytes`);
  else console.log(stuck ? "the loop never ends" : "the loop was lucky this time");
}

export async function main(options: Options): Promise<void> {
  const url = URL.parse(options.url);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`"${visible(options.url)}" is no URL that begins with http: or https:`);
  }
  if (url.username || url.password) throw new UsageError("a URL here holds no user and password");
  if (options.naive && options.head) {
    throw new UsageError("--naive compares whole replies: leave out --head");
  }
  if (options.readSize < 1) throw new UsageError("--read-size is at least 1");
  if (options.naive) return await compare(url, options);
  const output = safeForTerminal(Deno.stdout);
  await get(url, options, (piece) => writeAll(output, piece, { timeout: Infinity }));
}

if (import.meta.main) await run(main);
