/**
 * The programs that nobody here wrote, and how each is told to connect or to listen.
 *
 * @module
 */

export { freePort, isFree } from "../../lib/runner/free_port.ts";
import { Process } from "./process.ts";
import type { At } from "./scripts.ts";

/** A program that speaks over sockets: what it hears goes to stdout, what comes on stdin it says. */
export interface Peer {
  name: string;
  client(at: At): string[];
  /** One conversation. */
  server(at: At): string[];
  /** A server that echoes by itself; without it, the test feeds the server what it has heard. */
  echo?(at: At): string[];
  /** What it prints on stderr once it listens. */
  listening: RegExp;
  /** Whether, as a server, it goes on to speak after the client has ended its side. */
  hearsOut: boolean;
  /** The most bytes that it reads from stdin for one datagram. */
  longest: number;
  /** As what it can send a datagram of no bytes, and sees one. */
  empty: ("client" | "server")[];
}

function locate(program: string): string | undefined {
  const folders = ["/usr/bin", "/bin", ...(Deno.env.get("PATH") ?? "").split(":")];
  return folders.map((folder) => `${folder}/${program}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

const path = (program: string) => locate(program) ?? program;

/** A Python program of this folder. */
export function python(file: string, ...words: (string | number)[]): string[] {
  const program = new URL(`python/${file}`, import.meta.url).pathname;
  return [path("python3"), "-u", program, ...words.map(String)];
}

/** Flags and address, as netcats want them; -n: they must not ask a name server for the name of an address. */
const netcat = (at: At) =>
  "path" in at
    ? ["-U", at.path]
    : ["-n", ...(at.transport === "udp" ? ["-u"] : []), at.hostname, String(at.port)];

const six = (at: At) => "hostname" in at && at.hostname === "::1" ? "6" : "4";

function socatServer(at: At): string {
  if ("path" in at) return `UNIX-LISTEN:${at.path}`;
  const { port, hostname } = at;
  const rest = `${six(at)}-LISTEN:${port},bind=${six(at) === "6" ? "[::1]" : hostname}`;
  return at.transport === "udp"
    ? `UDP${rest.replace("LISTEN", "RECVFROM")}`
    : `TCP${rest},reuseaddr`;
}

function socatClient(at: At): string {
  if ("path" in at) return `UNIX-CONNECT:${at.path}`;
  const there = `${six(at) === "6" ? "[::1]" : at.hostname}:${at.port}`;
  // at the end of stdin a datagram of no bytes is sent; when one comes, that is the end
  return at.transport === "udp"
    ? `UDP${six(at)}:${there},shut-null,null-eof`
    : `TCP${six(at)}:${there}`;
}

const words = (at: At) => "path" in at ? ["unix", at.path] : [at.transport, at.hostname, at.port];

/**
 * socat's address for what gives back all that it gets. Between socat and cat stands a stream socket, which the
 * kernel fills piece by piece when much is written: of a long datagram a reader may see the first 36,544 bytes
 * alone. Type 5, SOCK_SEQPACKET, keeps each write whole.
 */
export function socatCat(transport: At["transport"]): string {
  return transport === "udp" ? "EXEC:cat,socktype=5" : "EXEC:cat";
}

/** `-b` holds the longest datagram; `-t` is how long the other direction may go on after one has ended. */
const socat = [path("socat"), "-b", "65536", "-t", "30"];

export const PEERS: Peer[] = [
  {
    name: "nc.openbsd",
    // -N: the end of stdin is the end of what is said
    client: (at) => [path("nc.openbsd"), "-N", ...netcat(at)],
    server: (at) => [path("nc.openbsd"), "-N", "-v", "-l", ...netcat(at)],
    listening: /^(Listening|Bound) on/,
    hearsOut: false,
    longest: 4_096,
    empty: [],
  },
  {
    name: "ncat",
    client: (at) => [path("ncat"), ...netcat(at)],
    server: (at) => [path("ncat"), "-v", "-l", ...netcat(at)],
    // no echo with -e cat: it blocks for ever when both directions are full
    listening: /Listening on/,
    hearsOut: false,
    longest: 4_096,
    empty: [],
  },
  {
    name: "socat",
    client: (at) => [...socat, "STDIO", socatClient(at)],
    server: (at) => [...socat, "-d", "-d", socatServer(at), "STDIO"],
    echo: (at) => [...socat, "-d", "-d", socatServer(at), socatCat(at.transport)],
    listening: / (listening|receiving) on /,
    hearsOut: true,
    longest: 65_507,
    empty: ["client"],
  },
  {
    name: "python3",
    client: (at) => python("stdio.py", "client", ...words(at)),
    server: (at) => python("stdio.py", "server", ...words(at)),
    echo: (at) => python("echo.py", ...words(at)),
    listening: /^listening/,
    hearsOut: true,
    longest: 65_507,
    empty: ["client", "server"],
  },
];

/** Starts a peer as a server and waits until it listens. */
export async function startPeer(
  command: string[],
  listening: RegExp,
  options: { echo?: boolean } = {},
): Promise<Process> {
  const process = new Process(command, options);
  try {
    await process.stderr.line(listening);
    return process;
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * A test that needs programs: without them it is reported as ignored, and its name tells which are missing.
 * With REQUIRE_PEERS=1 it fails instead.
 */
export function peerTest(
  name: string,
  programs: string[],
  body: () => Promise<void>,
  options: { ignore?: string | false } = {},
): void {
  const missing = programs.filter((program) => locate(program) === undefined).join(", ");
  if (missing && Deno.env.get("REQUIRE_PEERS") === "1") {
    Deno.test(`${name} (${missing} missing)`, () => {
      throw new Error(`${missing} missing: apt-get install $(cat tests/peers/packages.txt)`);
    });
    return;
  }
  const reason = missing ? `${missing} missing` : options.ignore;
  Deno.test({ name: reason ? `${name} (${reason})` : name, ignore: !!reason, fn: body });
}

/** The loopback addresses; a machine may have no IPv6. */
export const HOSTS: { hostname: string; suffix: string; ignore?: string | false }[] = [
  { hostname: "127.0.0.1", suffix: "" },
  {
    hostname: "::1",
    suffix: " over IPv6",
    ignore: !canBind("::1", 0) && "no IPv6 on this machine",
  },
];

function canBind(hostname: string, port: number): boolean {
  try {
    Deno.listen({ hostname, port }).close();
    Deno.listenDatagram({ transport: "udp", hostname, port }).close();
    return true;
  } catch {
    return false;
  }
}

/** A folder for sockets, removed in the end. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = Deno.makeTempDirSync({ prefix: "peer-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}
