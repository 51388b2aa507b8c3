/**
 * What an FTP server keeps of one client, and the commands that are done with a reply alone: where the
 * client is, what it wants to know about files, how it wants to have them.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc959 RFC 959}
 * @see {@link https://www.rfc-editor.org/rfc/rfc3659 RFC 3659} for MLST, SIZE, MDTM and REST
 * @module
 */

import { visible } from "./display.ts";
import { attempt } from "./errors.ts";
import { entryOf, FACTS, factsLine, timestamp } from "./ftp_list.ts";
import { virtualPath } from "./ftp_path.ts";
import type { Connection } from "./tcp.ts";

/** How many commands may fail before the connection is closed. */
const MISTAKES = 20;

/** One client, by its control connection. */
export class Session {
  /** The working directory, as the client sees it. */
  cwd = "/";
  /** TYPE I, bytes as they are, or TYPE A, lines that end in CR LF: which the standard wants at first. */
  binary = false;
  /** At which byte the next transfer is to begin: REST. */
  restart = 0;
  /** What MLSD and MLST are to tell: OPTS MLST. */
  facts: readonly string[] = FACTS;
  /** Set when the conversation is to end. */
  over = false;
  #mistakes = 0;

  /** @param root the folder that the client calls `/`, as `Deno.realPath` gives it */
  constructor(readonly control: Connection, readonly root: string) {}

  /**
   * Sends a reply in one piece. Several lines become `211-First`, others with a space before them,
   * `211 Last`: a line in between can so never be taken for the end.
   */
  async reply(code: number, ...lines: string[]): Promise<void> {
    if (code === 226) this.#mistakes = 0;
    if (code >= 500 && ++this.#mistakes === MISTAKES) {
      [code, lines] = [421, ["Too many mistakes"]];
      this.over = true;
    }
    const last = lines.pop()!;
    const before = lines.map((line, index) => `${index === 0 ? `${code}-` : " "}${line}\r\n`);
    const text = `${before.join("")}${code} ${last}\r\n`;
    await attempt("reply", this.control.write(new TextEncoder().encode(text)));
  }

  /** At which byte a transfer begins that is asked for now. REST is for no other one, whatever comes of this. */
  takeRestart(): number {
    const from = this.restart;
    this.restart = 0;
    return from;
  }

  /** Where an argument leads, as the client sees it. */
  path(argument: string): string {
    return virtualPath(this.cwd, argument);
  }

  /** Tells who runs the server what happens; at most 200 characters. */
  say(text: string): void {
    console.error(`${this.control.remote}: ${visible(text.slice(0, 200))}`);
  }
}

/** A command: it replies, and what it throws becomes a reply. */
export type Command<S extends Session = Session> = (session: S, argument: string) => Promise<void>;

/** What FEAT tells; a star is at the facts that are told now. */
function features({ facts }: Session): string[] {
  const mlst = FACTS.map((fact) => `${fact}${facts.includes(fact) ? "*" : ""};`).join("");
  return ["EPSV", "MDTM", `MLST ${mlst}`, "REST STREAM", "SIZE", "UTF8"];
}

/** What anybody may say. */
export const PUBLIC: Record<string, Command> = {
  async QUIT(session) {
    session.over = true;
    await session.reply(221, "Goodbye");
  },
  SYST: (session) => session.reply(215, "UNIX Type: L8"),
  FEAT: (session) => session.reply(211, "Features:", ...features(session), "End"),
  NOOP: (session) => session.reply(200, "Still here"),
  async OPTS(session, argument) {
    if (/^utf-?8( on)?$/i.test(argument)) return await session.reply(200, "Names are always UTF-8");
    const [option, ...wanted] = argument.toLowerCase().split(/[ ;]/);
    if (option !== "mlst") return await session.reply(501, "Options are UTF8 ON and MLST");
    session.facts = FACTS.filter((fact) => wanted.includes(fact));
    await session.reply(200, `MLST OPTS ${session.facts.map((fact) => `${fact};`).join("")}`);
  },
};

/** What needs a login. */
export const MEMBERS: Record<string, Command> = {
  PWD: (session) => session.reply(257, `"${session.cwd.replaceAll('"', '""')}" is where you are`),
  async CWD(session, argument) {
    const path = session.path(argument);
    const { isDirectory } = await entryOf(session.root, path);
    if (!isDirectory) return await session.reply(550, "It is no folder");
    session.cwd = path;
    await session.reply(250, "There you are");
  },
  CDUP: (session) => MEMBERS.CWD!(session, ".."),
  async TYPE(session, argument) {
    const type = argument.toUpperCase();
    if (!["A", "A N", "I", "L 8"].includes(type)) {
      return await session.reply(504, "Types are A and I");
    }
    session.binary = !type.startsWith("A");
    await session.reply(200, session.binary ? "Bytes as they are" : "Lines with CR LF");
  },
  MODE: (session, mode) =>
    mode.toUpperCase() === "S"
      ? session.reply(200, "As a stream")
      : session.reply(504, "The only mode is S"),
  STRU: (session, structure) =>
    structure.toUpperCase() === "F"
      ? session.reply(200, "As a file")
      : session.reply(504, "The only structure is F"),
  async MLST(session, argument) {
    const path = session.path(argument);
    const entry = await entryOf(session.root, path);
    await session.reply(
      250,
      "What is known:",
      factsLine({ ...entry, name: path }, session.facts),
      "End",
    );
  },
  async SIZE(session, argument) {
    const { isDirectory, size } = await entryOf(session.root, session.path(argument));
    // in lines, the size is not known before all of them have been counted
    if (!session.binary) return await session.reply(550, "Say TYPE I first");
    if (isDirectory) return await session.reply(550, "It is a folder");
    await session.reply(213, String(size));
  },
  async MDTM(session, argument) {
    const { modified } = await entryOf(session.root, session.path(argument));
    await session.reply(213, timestamp(modified));
  },
  async REST(session, argument) {
    if (!/^\d{1,15}$/.test(argument)) return await session.reply(501, "How many bytes?");
    if (!session.binary) return await session.reply(504, "Say TYPE I first");
    session.restart = Number(argument);
    await session.reply(350, `The next file begins at byte ${session.restart}`);
  },
  // what was under way has been stopped when this is read
  ABOR: (session) => session.reply(226, "No transfer is under way"),
  STAT: (session) => session.reply(211, `Logged in, ${session.binary ? "TYPE I" : "TYPE A"}`),
};

for (const name of ["STOR", "STOU", "APPE", "DELE", "MKD", "RMD", "RNFR", "RNTO"]) {
  MEMBERS[name] = (session) => {
    session.takeRestart();
    return session.reply(550, "This server only lets read");
  };
}

/** Makes a folder with something to fetch, unless it is there. */
export async function makeSamples(root: string): Promise<void> {
  try {
    await Deno.mkdir(root);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw error;
  }
  await Deno.mkdir(`${root}/lectures`);
  await Deno.writeTextFile(`${root}/notes.txt`, "Networking: day 4\n");
  await Deno.writeTextFile(`${root}/lectures/week 9.txt`, "FTP: port 21 for commands\n");
  const numbers = Array.from({ length: 100_000 }, (_, number) => `${number}\n`);
  await Deno.writeTextFile(`${root}/numbers.txt`, numbers.join(""));
}
