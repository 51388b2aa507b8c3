#!/usr/bin/env -S deno run --allow-net=127.0.0.1
/**
 * FTP client
 *
 * Lists a server's folder, or fetches a file, and shows both sides of the control connection: C: is what
 * this client says, S: what the server answers, a code and a text. The data comes over a second connection,
 * to a port that the server names when it is asked by EPSV, or by the older PASV; that is why the flag names
 * the host without a port. PASV names an address as well, which may be a lie: this client connects to the
 * host of the control connection, whatever it says.
 *
 * A file is written beside its place, as NAME.part, and gets its name when all of it is there: the size was
 * as announced, and the server said so with 226. What an interruption leaves, --resume goes on with: the
 * last bytes are fetched again and compared.
 *
 * FTP encrypts nothing. Whoever is on the way reads the password and the files.
 *
 * @lecture 002 Ports · 003 Network Communication at different level
 * @python  ftplib.FTP → Deno.connect, FTP.login → writeAll, FTP.retrlines → reader.readLine,
 *          FTP.retrbinary → connection.read, FTP.quit → connection.close
 * @partner scripts/remote/ftp_server.ts
 * @run     deno run --allow-net=127.0.0.1 scripts/remote/ftp_client.ts 127.0.0.1:2121 ls
 * @log     S: 220 *
 * @log     C: USER anonymous
 * @log     C: PASS ***
 * @log     S: 230 *
 * @log     C: EPSV
 * @log     S: 229 *
 * @log     data connection to 127.0.0.1:*
 * @log     C: LIST
 * @log     S: 150 *
 * @log     data connection ended after * bytes
 * @log     S: 226 *
 * @log     C: QUIT
 * @log     S: 221 *
 * @expect  dr-xr-xr-x *lectures
 * @expect  -r--r--r-- * 18 *notes.txt
 * @run     deno run --allow-net=127.0.0.1 --allow-read=/tmp/notes.txt,/tmp/notes.txt.part --allow-write=/tmp/notes.txt,/tmp/notes.txt.part scripts/remote/ftp_client.ts 127.0.0.1:2121 get notes.txt --output /tmp/notes.txt
 * @log     C: TYPE I
 * @log     C: SIZE notes.txt
 * @log     S: 213 18
 * @log     C: RETR notes.txt
 * @log     data connection ended after 18 bytes
 * @log     S: 226 *
 * @expect  18 bytes in /tmp/notes.txt
 * @argument ADDRESS       the server, HOST or HOST:PORT (port 21 unless told)
 * @argument COMMAND       ls for a listing, nlst for names only, mlsd for programs, or get for a file
 * @argument [NAME]        the folder or file on the server
 * @option  --output FILE  where get puts the file, in place of one that is there; here, by the file's own name, unless told
 * @option  --resume       get goes on with what an earlier attempt left
 * @option  --user NAME    the password comes from FTP_PASSWORD, or is asked for (default: anonymous)
 * @see     https://www.rfc-editor.org/rfc/rfc959
 * @see     https://www.rfc-editor.org/rfc/rfc2428
 * @module
 */

import { formatEndpoint, type NetEndpoint, parseEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { RefusedError } from "../../lib/ftp_codes.ts";
import { checkWords, Control } from "../../lib/ftp_control.ts";
import { extendedPort, passiveAddress } from "../../lib/ftp_reply.ts";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { checkNew, checkOutput } from "../../lib/output_path.ts";
import { PartFile } from "../../lib/part_file.ts";
import { Progress } from "../../lib/progress.ts";
import { LimitError } from "../../lib/reader.ts";
import { nameOfFile } from "../../lib/safe_name.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { UsageError } from "../../lib/usage.ts";

const STALL = 10_000; // milliseconds in which nothing comes
const LONGEST_LISTING = 16 * 1024 * 1024;
const OVERLAP = 4_096; // bytes that a resumed download fetches again, to compare

/** Connects, hears the greeting, and says who this is. */
async function logIn(endpoint: NetEndpoint, user: string, stop: AbortSignal): Promise<Control> {
  const { hostname, port } = endpoint;
  const anonymous = user === "anonymous";
  // asked for before the server begins to wait; the module is only needed then
  const { password } = anonymous
    ? { password: () => "anonymous@" } // by custom an e-mail address; nobody has to know it
    : await import("../../lib/secrets.ts");
  const secret = await password("FTP_PASSWORD", `Password of ${user} at ${hostname}:`);
  const connection = await attempt(
    `connect to ${formatEndpoint(endpoint)}`,
    () => Deno.connect({ hostname, port, signal: stop }),
  );
  const control = new Control(connection, hostname, stop);
  try {
    let reply = await control.reply();
    if (reply.code === 120) reply = await control.reply(); // ready in some minutes
    if (reply.code !== 220) throw new RefusedError("the connection", reply);
    reply = await control.ask(`USER ${user}`);
    // a server may repeat what it got; later the same word may be a harmless one
    control.dialogue.hide(secret);
    if (reply.code === 331) reply = await control.ask(`PASS ${secret}`);
    if (reply.code !== 230) throw new RefusedError(`the login of ${user}`, reply);
    control.dialogue = new Dialogue();
    return control;
  } catch (error) {
    control[Symbol.dispose]();
    throw error;
  }
}

/** Opens a data connection: to a port of the server's choice, but never to another host. */
async function openData(control: Control): Promise<Deno.TcpConn> {
  const { hostname } = control;
  let port: number;
  const reply = await control.ask("EPSV");
  if (reply.code === 229) port = extendedPort(reply);
  else {
    // PASV writes an address in four numbers: it cannot name one of IPv6
    if (reply.code < 500 || control.address.includes(":")) throw new RefusedError("EPSV", reply);
    const told = passiveAddress(await control.must("PASV", 227));
    if (told.hostname !== control.address) {
      console.error(`the server names ${told.hostname}: not believed, connecting to its own host`);
    }
    port = told.port;
  }
  const data = await attempt(
    `open the data connection to ${formatEndpoint({ hostname, port })}`,
    () => Deno.connect({ hostname, port, signal: control.stop }),
  ).catch((error) => {
    if (!(error.cause instanceof Deno.errors.NotCapable)) throw error;
    // the flag that Deno names would do for this one time
    const next = `The port is another one each time: give --allow-net=${hostname}, without a port.`;
    throw Object.assign(error, { explanation: { ...error.explanation, next } });
  });
  // a name can stand for several machines
  if (data.remoteAddr.hostname !== control.address) {
    data.close();
    throw new Error(
      `${hostname} is ${control.address} and ${data.remoteAddr.hostname}: give one of the addresses`,
    );
  }
  console.error(`data connection to ${formatEndpoint(data.remoteAddr)}`);
  return data;
}

/** What a transfer needs to know. */
interface TransferOptions {
  /** Told of each piece that arrives; it is only good until the next. */
  receive: (piece: Uint8Array) => unknown;
  /** Where in the file to begin; 0 unless told. */
  restart?: number;
  progress?: Progress;
}

/**
 * Does a command whose result comes over a data connection. That connection's end is the end of the data,
 * but also what a crash looks like: only the reply after it says that it was all.
 */
async function transfer(control: Control, command: string, options: TransferOptions) {
  const { receive, restart = 0, progress } = options;
  using data = await openData(control);
  if (restart > 0) await control.must(`REST ${restart}`, 350);
  await control.must(command, 125, 150);
  // at Ctrl-C the read that waits ends
  control.stop.addEventListener("abort", () => data[Symbol.dispose](), { once: true });
  const buffer = new Uint8Array(64 * 1024);
  let received = 0, broken: unknown;
  for (;;) {
    const count = await attempt("receive", () => data.read(buffer), { timeout: STALL })
      .catch((error) => (broken = error, null));
    control.stop.throwIfAborted();
    if (count === null) break;
    received += count;
    await receive(buffer.subarray(0, count));
    progress?.add(count);
  }
  progress?.[Symbol.dispose]();
  console.error(`data connection ended after ${received} bytes`);
  data.close(); // some servers wait for this before they reply
  // the server may know better what broke
  const reply = await control.reply(broken ? 2_000 : STALL).catch((error) => {
    throw broken ?? error;
  });
  if (reply.code !== 226 && reply.code !== 250) throw new RefusedError(`to end ${command}`, reply);
  if (broken) throw broken;
}

const LISTINGS: Record<string, string> = { ls: "LIST", nlst: "NLST", mlsd: "MLSD" };

/** Prints a listing. */
async function list(control: Control, command: string): Promise<void> {
  await control.must("TYPE A", 200); // as lines, which end in CR LF whatever the server's system has
  const decoder = new TextDecoder();
  let line = "", received = 0;
  await transfer(control, command, {
    receive(piece) {
      received += piece.length;
      if (received > LONGEST_LISTING) throw new LimitError("the listing", LONGEST_LISTING);
      const lines = (line + decoder.decode(piece, { stream: true })).split("\n");
      line = lines.pop()!;
      // whoever named a file may have put control characters into the name
      for (const each of lines) console.log(visible(each.replace(/\r$/, "")));
    },
  });
  line += decoder.decode();
  if (line !== "") console.log(visible(line));
}

/** Fetches a file into `target`, by way of `target.part`. */
async function get(control: Control, name: string, target: string, resume: boolean) {
  await control.must("TYPE I", 200); // bytes as they are: TYPE A would change the ends of lines
  const told = await control.ask(`SIZE ${name}`);
  const size = told.code === 213 && /^\d{1,15}$/.test(told.text) ? Number(told.text) : undefined;
  using part = await attempt(`open ${target}.part`, () => PartFile.open(target, { resume }));
  try {
    if (size !== undefined && part.size > size) throw new OtherFileError(part.path);
    // a file that has changed since would be joined to the old beginning, unseen
    let expected = await part.takeTail(OVERLAP);
    const restart = part.size;
    using progress = new Progress({ total: size, start: restart });
    await transfer(control, `RETR ${name}`, {
      restart,
      progress,
      async receive(piece) {
        const same = piece.subarray(0, expected.length);
        if (same.some((byte, at) => byte !== expected[at])) throw new OtherFileError(part.path);
        expected = expected.subarray(same.length);
        if (size !== undefined && part.size + piece.length > size) {
          throw new Error(`the server sends more than the ${size} bytes that it announced`);
        }
        await part.write(piece);
      },
    });
    if (size === undefined ? expected.length > 0 : part.size !== size) {
      throw new Error(`the file ended after ${part.size} of ${size ?? part.kept} bytes`);
    }
    await attempt(`rename ${part.path} to ${target}`, () => part.finish());
  } catch (error) {
    if (part.kept > 0 && !(error instanceof OtherFileError)) {
      console.error(`${part.kept} bytes are kept in ${part.path}: --resume goes on with them`);
    }
    throw error;
  }
  console.log(`${part.size} bytes in ${target}`);
}

/** What was left by an earlier attempt is not the beginning of the server's file. */
class OtherFileError extends Error {
  constructor(path: string) {
    super(`the server's file does not begin with what is in ${path}: fetch it without --resume`);
  }
}

interface Options {
  address: string;
  command: string;
  name?: string;
  output?: string;
  resume: boolean;
  user: string;
}

function endpointOf(address: string): NetEndpoint {
  const hasPort = /^[^:]*:\d+$|\]:\d+$/.test(address);
  try {
    const endpoint = parseEndpoint(hasPort ? address : `${address}:21`);
    if ("port" in endpoint) return endpoint;
  } catch {
    // told below
  }
  throw new UsageError(`"${visible(address)}" is no server: write HOST, HOST:PORT or [IPV6]:PORT`);
}

/** Where a file is to be put. Only a file that is named by --output is written over. */
async function targetOf(name: string, output: string | undefined): Promise<string> {
  const target = output ?? nameOfFile(name);
  await (output === undefined ? checkNew(target) : checkOutput(target));
  return target;
}

export async function main(options: Options): Promise<void> {
  const { command, name, output, resume, user } = options;
  const endpoint = endpointOf(options.address);
  const verb = LISTINGS[command];
  if (!verb && command !== "get") throw new UsageError(`"${command}" is not ls, nlst, mlsd or get`);
  if (!verb && !name) throw new UsageError("get needs the NAME of a file");
  if (verb && (output !== undefined || resume)) {
    throw new UsageError("--output and --resume belong to get");
  }
  checkWords(user, name ?? "");
  const target = verb ? "" : await targetOf(name!, output);
  const stop = new AbortController();
  using _stopping = onInterrupt(() => stop.abort(new Error("stopped")), { grace: 5_000 });
  using control = await logIn(endpoint, user, stop.signal);
  try {
    if (verb) await list(control, name ? `${verb} ${name}` : verb);
    else await get(control, name!, target, resume);
  } finally {
    await control.quit();
  }
}

if (import.meta.main) await run(main);
