#!/usr/bin/env -S deno run --allow-net=127.0.0.1:0,127.0.0.1:2121 --allow-read=/tmp/ftp --allow-write=/tmp/ftp
/**
 * FTP server
 *
 * Lets anybody read the files below one folder. FTP takes two connections: commands and replies go over the
 * control connection, and for each file or listing there is a data connection, whose end is the end of the
 * file. The server opens a port for it when the client says EPSV or PASV; port 0 in the grant stands for
 * these ports, which the system chooses.
 *
 * In the older way (PORT, data from the server's port 20, as the lecture's table has it) the client names an
 * address and the server connects to it: anybody could so aim it at a third machine. It is refused here, and
 * a data connection is taken from the client's own address only. Nothing is encrypted, passwords neither.
 *
 * With --samples the folder is made and filled when it is not there. For a folder of your own no
 * --allow-write is needed.
 *
 * @lecture 002 Ports · 003 Network Communication at different level
 * @python  socket.listen → Deno.listen, socket.accept → listener.accept, os.path.realpath → Deno.realPath
 * @run     deno run --allow-net=127.0.0.1:0,127.0.0.1:2121 --allow-read=/tmp/ftp --allow-write=/tmp/ftp scripts/remote/ftp_server.ts --samples
 * @client  deno run --allow-net=127.0.0.1 scripts/remote/ftp_client.ts 127.0.0.1:2121 ls
 * @expect  listening on 127.0.0.1:2121
 * @log     127.0.0.1:*: USER anonymous
 * @log     127.0.0.1:*: PASS ***
 * @log     127.0.0.1:*: EPSV
 * @log     127.0.0.1:*: LIST
 * @log     127.0.0.1:*: sent * bytes
 * @log     127.0.0.1:*: QUIT
 * @run     deno run --allow-net=127.0.0.1:0,127.0.0.1:2121 --allow-read=. scripts/remote/ftp_server.ts --root .
 * @client  deno run --allow-net=127.0.0.1 scripts/remote/ftp_client.ts 127.0.0.1:2121 mlsd /
 * @expect  listening on 127.0.0.1:2121
 * @log     127.0.0.1:*: MLSD /
 * @log     127.0.0.1:*: sent * bytes
 * @option  --host HOST    the address to listen on (default: 127.0.0.1)
 * @option  --port PORT    the port to listen on, 0 for a free one (default: 2121)
 * @option  --root FOLDER  what clients call / (default: /tmp/ftp)
 * @option  --samples      make the folder when it is not there, with something to fetch
 * @see     https://www.rfc-editor.org/rfc/rfc959
 * @module
 */

import { accepted } from "../../lib/accept.ts";
import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { after, DeadlineError, within } from "../../lib/deadline.ts";
import { ActionError, attempt, explain } from "../../lib/errors.ts";
import { finish } from "../../lib/finish.ts";
import { Commands } from "../../lib/ftp_commands.ts";
import { contents } from "../../lib/ftp_contents.ts";
import { entriesOf, type Entry, entryOf, factsLine, listLine } from "../../lib/ftp_list.ts";
import { PathRefused } from "../../lib/ftp_path.ts";
import {
  type Command,
  makeSamples,
  MEMBERS,
  PUBLIC,
  Session as State,
} from "../../lib/ftp_session.ts";
import { LimitError, UnexpectedEof } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type Connection, serve } from "../../lib/tcp.ts";
import { WithoutPasswords } from "../../lib/without_passwords.ts";

const IDLE = 60_000; // milliseconds without a command
const STALL = 30_000; // milliseconds in which a client takes nothing of a file
const OPENING = 5_000; // milliseconds until the data connection must be there
const LONGEST_COMMAND = 4_096;
const LOGINS = 3; // then the connection is closed

/** A port for one data connection: the first that comes from the client's address in time. */
class Passive implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #deadline: Disposable;
  readonly #connection: Promise<Deno.Conn | undefined>;
  #taken = false;

  constructor(hostname: string, peer: string) {
    this.#listener = Deno.listen({ hostname, port: 0 });
    // a client that never comes must not keep the port
    this.#deadline = after(OPENING, () => this.#close());
    this.#connection = this.#accept(peer).catch(() => undefined);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(peer: string): Promise<Deno.Conn> {
    try {
      for await (const connection of accepted(this.#listener)) {
        // whoever is faster than the client would get the file, were the address not looked at
        if ((connection.remoteAddr as Deno.NetAddr).hostname === peer) return connection;
        connection.close();
      }
      throw new Error("nobody came");
    } finally {
      this.#close();
    }
  }

  #close(): void {
    this.#deadline[Symbol.dispose]();
    this.#listener[Symbol.dispose](); // unlike close, it may come twice
  }

  /**
   * The connection, which is the caller's to close; `undefined` when it did not come. At `stop` it is closed, or
   * not waited for any more.
   */
  take(stop: AbortSignal): Promise<Deno.Conn | undefined> {
    this.#taken = true;
    stop.addEventListener("abort", () => {
      this.#close();
      this.#connection.then((connection) => connection?.[Symbol.dispose]());
    });
    return this.#connection;
  }

  [Symbol.dispose](): void {
    this.#close();
    if (!this.#taken) this.#connection.then((connection) => connection?.close());
  }
}

/** What is known of one client. */
class Session extends State implements Disposable {
  user = "";
  loggedIn = false;
  logins = 0;
  onlyExtended = false;
  passive: Passive | undefined;
  readonly commands: Commands;
  readonly lines = new WithoutPasswords(Object.keys({ ...GUEST_COMMANDS, ...COMMANDS }));

  constructor(control: Connection, root: string, readonly host: string) {
    super(control, root);
    this.commands = new Commands(control, { limit: LONGEST_COMMAND, timeout: IDLE });
  }

  /** Opens the port for the next data connection; gives its number. */
  openPassive(): number {
    this.passive?.[Symbol.dispose]();
    const { hostname } = this.control.remoteAddr as Deno.NetAddr;
    this.passive = new Passive(this.host, hostname);
    return this.passive.port;
  }

  [Symbol.dispose](): void {
    this.passive?.[Symbol.dispose]();
  }
}

type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Sends something over a data connection: 150 before it, 226 when all of it has been sent. */
async function transfer(session: Session, what: string, pieces: Pieces): Promise<void> {
  using passive = session.passive;
  session.passive = undefined;
  if (!passive) return await session.reply(425, "Say EPSV or PASV first");
  await session.reply(150, `Here comes ${what}`);
  let sent = 0;
  const work = async (stop: AbortSignal) => {
    using data = await passive.take(stop);
    if (!data) return false;
    for await (const piece of pieces) {
      for (let rest = piece; rest.length > 0;) {
        const count = await within(STALL, data.write(rest));
        session.control.active = true; // a long file is no idleness
        sent += count;
        rest = rest.subarray(count);
      }
    }
    // the end of this connection is what tells the client: that was all
    await finish(data);
    return true;
  };
  const status = () => {
    session.say("STAT");
    return session.reply(211, `Of ${what}, ${sent} bytes have been sent`);
  };
  try {
    const came = await session.commands.during({ work, status });
    if (!came) return await session.reply(425, "The data connection did not come");
  } catch (error) {
    session.say(`broken off after ${sent} bytes: ${explain(error).reason}`);
    return await session.reply(426, `The transfer was broken off after ${sent} bytes`);
  }
  session.say(`sent ${sent} bytes`);
  await session.reply(226, `That was all: ${sent} bytes`);
}

async function list(session: Session, argument: string, line: (entry: Entry) => string) {
  session.takeRestart(); // a listing has no middle to begin in
  const entries = await entriesOf(session.root, session.path(argument));
  const text = entries.map((entry) => `${line(entry)}\r\n`).join("");
  await transfer(session, "the listing", [new TextEncoder().encode(text)]);
}

/** Many clients say `LIST -la`, as if it were ls. */
const withoutFlags = (argument: string) => argument.replace(/^(-\w+( +|$))+/, "");

/** An IPv4 client of an IPv6 socket comes from `::ffff:127.0.0.1`, and knows nothing of that. */
const plain = (address: Deno.Addr) => (address as Deno.NetAddr).hostname.replace(/^::ffff:/, "");

const BOUNCE = "Refused: who lets clients name an address can be aimed at others. Say EPSV";

/** What anybody may say. */
const GUEST_COMMANDS: Record<string, Command<Session>> = {
  ...PUBLIC,
  async USER(session, name) {
    session.user = name.toLowerCase();
    session.loggedIn = false;
    session.takeRestart();
    await session.reply(331, "Any password will do for anonymous");
  },
  async PASS(session) {
    if (session.user === "") return await session.reply(503, "Say USER first");
    session.loggedIn = session.user === "anonymous" || session.user === "ftp";
    if (session.loggedIn) return await session.reply(230, "Welcome");
    session.over = ++session.logins === LOGINS;
    if (session.over) await session.reply(421, "Too many attempts to log in");
    else await session.reply(530, "Only anonymous may log in");
  },
  HELP: (session) => session.reply(214, "Known are:", ...HELP, "End"),
};

/** What needs a login. */
const COMMANDS: Record<string, Command<Session>> = {
  ...MEMBERS,
  async EPSV(session, argument) {
    if (argument.toUpperCase() === "ALL") {
      session.onlyExtended = true;
      return await session.reply(200, "Only EPSV from now on");
    }
    const family = plain(session.control.remoteAddr).includes(":") ? "2" : "1";
    if (argument !== "" && argument !== family) {
      return await session.reply(522, `Only this connection's own family (${family})`);
    }
    // no address stands in it: it is that of the control connection
    await session.reply(229, `Entering Extended Passive Mode (|||${session.openPassive()}|)`);
  },
  async PASV(session) {
    const hostname = plain(session.control.localAddr);
    if (session.onlyExtended) return await session.reply(503, "You said EPSV ALL");
    if (hostname.includes(":")) return await session.reply(522, "Say EPSV: this is IPv6");
    const port = session.openPassive();
    const numbers = [...hostname.split("."), port >> 8, port & 255].join(",");
    await session.reply(227, `Entering Passive Mode (${numbers})`);
  },
  PORT: (session) => session.reply(502, BOUNCE),
  EPRT: (session) => session.reply(502, BOUNCE),
  LIST: (session, argument) => list(session, withoutFlags(argument), (entry) => listLine(entry)),
  NLST: (session, argument) => list(session, withoutFlags(argument), ({ name }) => name),
  async MLSD(session, argument) {
    session.takeRestart();
    const { isDirectory } = await entryOf(session.root, session.path(argument));
    if (isDirectory) await list(session, argument, (entry) => factsLine(entry, session.facts));
    else await session.reply(501, "It is no folder: MLST tells of a file");
  },
  async RETR(session, argument) {
    const from = session.takeRestart();
    const { isDirectory, real, name, size } = await entryOf(session.root, session.path(argument));
    if (isDirectory) return await session.reply(550, "It is a folder");
    if (from > size) return await session.reply(554, `It has only ${size} bytes`);
    // the client counts the bytes of lines that end in CR LF, the file may have others
    if (from > 0 && !session.binary) return await session.reply(554, "After REST say TYPE I");
    using file = await Deno.open(real).catch(() => {
      throw new PathRefused("it cannot be read");
    });
    await transfer(session, name, contents(file, from, session.binary));
  },
};

const HELP = [GUEST_COMMANDS, COMMANDS].map((commands) => Object.keys(commands).join(" "));

/** Does what one line says. */
async function obey(session: Session, line: string): Promise<void> {
  const found = /^([A-Za-z]{3,4})(?: (.*))?$/.exec(line);
  const verb = found?.[1]?.toUpperCase() ?? "", argument = found?.[2] ?? "";
  session.say(session.lines.shown(line));
  const command = GUEST_COMMANDS[verb] ?? COMMANDS[verb];
  try {
    if (!command) await session.reply(500, "What is that? HELP tells what is known");
    else if (!session.loggedIn && !GUEST_COMMANDS[verb]) {
      await session.reply(530, "Log in first: USER anonymous");
    } else await command(session, argument);
  } catch (error) {
    // the control connection itself does not work
    if (error instanceof ActionError || session.control.closedFor) throw error;
    if (error instanceof PathRefused) return await session.reply(550, error.message);
    // too many open files, perhaps: the reason is for who runs the server
    session.say(explain(error).reason);
    await session.reply(451, "Something broke on this side");
  }
}

/** Listens to one client until it says QUIT, is silent for too long, or misbehaves. */
async function converse(control: Connection, root: string, host: string): Promise<void> {
  using session = new Session(control, root, host);
  try {
    await session.reply(220, "FTP, to be read by anybody");
    while (!session.over) {
      const bytes = await session.commands.next();
      if (bytes === null) return;
      const line = utf8(bytes)?.replace(/\r$/, "");
      if (line === undefined) await session.reply(501, "Commands are UTF-8");
      else await obey(session, line);
    }
  } catch (error) {
    if (error instanceof UnexpectedEof) return; // it left in the middle of a command
    if (error instanceof LimitError) await session.reply(500, "That line has no end");
    if (error instanceof DeadlineError) await session.reply(421, "You were silent for too long");
    throw error;
  }
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

interface Options {
  host: string;
  port: number;
  root: string;
  samples: boolean;
}

export async function main({ host, port, root, samples }: Options): Promise<void> {
  if (samples) await attempt(`make the folder ${root}`, () => makeSamples(root));
  const real = await attempt(`open the folder ${root}`, () => Deno.realPath(root));
  await using server = await serve(
    { hostname: host, port, maxConnections: 1_000, idleTimeout: 2 * IDLE },
    (control) => converse(control, real, host),
  );
  // what cannot be done for any client is better told now
  await attempt("open a data port", () => Deno.listen({ hostname: host, port: 0 }).close());
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
