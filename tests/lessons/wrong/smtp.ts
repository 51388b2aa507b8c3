/**
 * Mail clients with the mistakes that students make, and what the checker must say of each.
 *
 * @module
 */

import { pause } from "../../../lib/pause.ts";
import { SocketReader } from "../../../lib/reader.ts";
import { writeAll } from "../../../lib/write_all.ts";
import { close } from "./serving.ts";

/** How a client differs from a right one. */
interface Mistake {
  /** Takes what there is for an answer. */
  reads?: "once" | "line" | "never";
  /** Does not look at codes, or at the end of the stream. */
  deaf?: boolean;
  /** In place of the lines of the dialogue; `undefined` leaves one out. */
  lines?: Record<string, string | undefined>;
  mail?: string;
  /** Ends each line. */
  end?: string;
  /** Does this before the greeting has come. */
  first?: string;
  /** Sends the end of each line a moment after the line. */
  slowly?: boolean;
  /** Sends the mail with DATA. */
  withData?: boolean;
  /** Does nothing more after a refusal. */
  silent?: boolean;
  /** After QUIT. */
  stays?: boolean;
}

const TEXT =
  "From: ada@example.org\r\nSubject: x\r\n\r\nhello\r\n..This line begins with a dot\r\n.\r\n";

/** A client that is right but for its mistake. */
export function mailClient(mistake: Mistake = {}): (connection: Deno.TcpConn) => Promise<void> {
  const { reads, deaf, end = "\r\n", mail = TEXT, withData, stays } = mistake;
  return async (connection) => {
    const reader = new SocketReader(connection, { timeout: 20_000 });
    const raw = new Uint8Array(4_096);
    /** Hears an answer; false when it says no. */
    const answer = async (): Promise<boolean> => {
      if (reads === "never") return true;
      if (reads === "once") return await connection.read(raw) !== null || deaf === true;
      for (;;) {
        const line = await reader.readLine();
        if (line === null) {
          if (!deaf) throw new Error("the server has ended");
          await new Promise((resolve) => setTimeout(resolve, 10));
          return true;
        }
        if (line[3] !== "-" || reads === "line") return deaf || /^[23]/.test(line);
      }
    };
    const words: Record<string, string | undefined> = {
      HELO: "HELO client.example.org",
      MAIL: "MAIL FROM:<ada@example.org>",
      RCPT: "RCPT TO:<bob@example.org>",
      DATA: "DATA",
      ...mistake.lines,
    };
    connection.setNoDelay();
    const say = async (line: string) => {
      if (!mistake.slowly) return await writeAll(connection, `${line}${end}`);
      await writeAll(connection, line);
      await pause(20);
      await writeAll(connection, end);
    };
    if (mistake.first !== undefined) await say(mistake.first);
    let good = await answer();
    for (const word of ["HELO", "MAIL", "RCPT", "DATA"]) {
      const line = words[word];
      if (line === undefined || !good) continue;
      await say(line);
      if (word === "DATA" && withData) await writeAll(connection, mail);
      good = await answer();
    }
    if (good) {
      if (!withData) await writeAll(connection, mail);
      await answer();
    }
    if (!good && mistake.silent) { while (await connection.read(raw) !== null); }
    const quit = "QUIT" in words ? words.QUIT : "QUIT";
    if (quit !== undefined) {
      await say(quit);
      await answer();
    }
    // until the checker has seen enough
    if (stays) { while (await connection.read(raw) !== null); }
    close(connection);
  };
}

const once = TEXT.replace("..This", ".This");

/** What the mistake is, the client that makes it, and the checker's words for it. */
export const MAIL_CLIENTS: [mistake: string, client: Mistake, verdict: RegExp][] = [
  ["none", {}, /^all passed$/],
  ["none, with EHLO and a space behind the colons", {
    lines: {
      HELO: "EHLO me",
      MAIL: "MAIL FROM: <ada@example.org>",
      RCPT: "RCPT TO: <bob@example.org>",
    },
  }, /^all passed$/],
  ["none, in two writes for each line", { slowly: true }, /^all passed$/],
  ["none, with a tab in From", { mail: TEXT.replace("From: ", "From:\t") }, /^all passed$/],
  ["none, with a folded From", { mail: TEXT.replace("From: ", "From:\r\n ") }, /^all passed$/],
  [
    "none, with a mail of 30 KB",
    { mail: TEXT.replace("hello\r\n", "an ordinary line\r\n".repeat(1_700)) },
    /^all passed$/,
  ],
  ["speaks first", { first: "NOOP" }, /the server speaks first/],
  ["never receives", { reads: "never" }, /the server speaks first|without waiting/],
  ["ends lines with LF", { end: "\n" }, /a line ends with \\r\\n/],
  ["ends lines with nothing", { end: "" }, /the line has no end/],
  ["says no HELO", { lines: { HELO: undefined } }, /another word comes first/],
  ["says HELO without a name", { lines: { HELO: "HELO" } }, /the client's name is missing/],
  ["says no MAIL", { lines: { MAIL: undefined } }, /another word comes first/],
  ["writes no brackets", { lines: { MAIL: "MAIL FROM: ada@example.org" } }, /in angle brackets/],
  ["writes no colon", { lines: { RCPT: "RCPT TO <bob@example.org>" } }, /in angle brackets/],
  ["writes to another", { lines: { RCPT: "RCPT TO:<eve@example.org>" } }, /for somebody else/],
  ["says no DATA", { lines: { DATA: undefined } }, /another word comes first/],
  ["sends the mail with DATA", { withData: true }, /without waiting for the 354/],
  ["sends no dot", { mail: TEXT.slice(0, -3) }, /the end of the mail is missing/],
  ["ends the mail with LF", { mail: TEXT.replaceAll("\r\n", "\n") }, /a line ends with \\r\\n/],
  ["sends no fields", { mail: TEXT.slice(TEXT.indexOf("\r\n\r\n") + 2) }, /the fields are missing/],
  ["sends no empty line", { mail: TEXT.replace("\r\n\r\n", "\r\n") }, /the empty line between/],
  ["sends no From", { mail: TEXT.replace("From:", "To:") }, /the field From: is missing/],
  [
    "writes From: in the text only",
    { mail: TEXT.replace("From:", "To:").replace("hello", "From: nobody") },
    /the field From: is missing/,
  ],
  ["begins with a folded line", { mail: ` ${TEXT}` }, /a name, a colon and a value/],
  ["sends a line without end", { mail: "x".repeat(5_000) }, /a line has 998 characters at most/],
  [
    "stays silent when it is refused",
    { silent: true },
    /it neither goes on nor gives up: after a refusal say QUIT/,
  ],
  ["sends text for a field", { mail: `hello there\r\n${TEXT}` }, /a name, a colon and a value/],
  ["adds no dot", { mail: once }, /gets a second one/],
  ["forgets the line", { mail: TEXT.replace("..This", "This") }, /the text has the line/],
  ["says no QUIT", { lines: { QUIT: undefined } }, /it closes too early/],
  ["does not close", { stays: true }, /it does not close its connection/],
  ["reads one line of many", { reads: "line" }, /a dash behind the code/],
  ["reads once", { reads: "once" }, /a dash behind the code|one recv gives what is there/],
  ["does not look at codes", { deaf: true }, /it does not look at the code/],
];
