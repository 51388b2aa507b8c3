/**
 * Clients with the mistakes that students make, and what the checker must say of each.
 *
 * @module
 */

import { type Check, type Result, runChecks } from "../../../lib/check/check.ts";
import { ClientTrial } from "../../../lib/check/client_trial.ts";
import { pause } from "../../../lib/pause.ts";
import { writeAll } from "../../../lib/write_all.ts";

/** A conversation of a client. */
export type Talk = (connection: Deno.TcpConn) => Promise<unknown>;

/** What the checker says of a client, which is started as often as needed. */
export async function judgeClient(
  checks: readonly Check<ClientTrial>[],
  start: (port: number) => Promise<unknown>,
  { all }: { all?: boolean } = {},
): Promise<Result[]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let over = false;
  const starting = (async () => {
    while (!over) await start(listener.addr.port);
  })();
  const results = await runChecks(
    checks,
    () => new ClientTrial(listener, { timeout: 3_000, patience: 30_000 }),
    { stopAtFirst: !all },
  );
  over = true;
  // the one that waits to be accepted finds nobody any more
  listener.close();
  await starting;
  return results;
}

/** A client that runs in this process; it may fail in any way. */
export function talking(talk: Talk): (port: number) => Promise<void> {
  return async (port) => {
    try {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await talk(connection);
    } catch {
      // a client's failure is its own
    }
  };
}

/** Sends, and reads until as many bytes have come. */
const right = (text: string, count = text.length): Talk => async (connection) => {
  await writeAll(connection, text);
  const buffer = new Uint8Array(16);
  for (let left = count; left > 0;) {
    const got = await connection.read(buffer);
    if (got === null) return;
    left -= got;
  }
};

/** Sends, and reads to the end of the stream. */
const untilEnd = (text: string): Talk => async (connection) => {
  await writeAll(connection, text);
  while (await connection.read(new Uint8Array(64)) !== null);
};

const once = (text: string): Talk => async (connection) => {
  await writeAll(connection, text);
  await connection.read(new Uint8Array(1_024));
};

/** Sends, ends its sending side, and reads as {@linkcode right} or {@linkcode once} does. */
const endsItsSide = (text: string, count?: number): Talk => async (connection) => {
  await writeAll(connection, text);
  await connection.closeWrite();
  await (count === undefined ? once("") : right("", count))(connection);
};

/** Sends, and leaves after so many milliseconds. */
const noRead = (text: string, patience = 0): Talk => async (connection) => {
  await writeAll(connection, text);
  if (patience > 0) await pause(patience);
};

const deaf: Talk = async (connection) => {
  await writeAll(connection, "message");
  for (let left = 7, ends = 0; left > 0 && ends < 500;) {
    const got = await connection.read(new Uint8Array(16));
    left -= got ?? 0;
    if (got === null) ends++, await pause(10);
  }
};

/** What the mistake is, the client that makes it, and the checker's words for it. */
export const ECHO_CLIENTS: [mistake: string, client: Talk, verdict: RegExp][] = [
  ["none", right("this is my message"), /^all passed$/],
  ["none, ends its side", endsItsSide("this is my message", 18), /^all passed$/],
  ["none, with three bytes", right("abc"), /^all passed$/],
  ["none, with a line feed", right("a line\n"), /^all passed$/],
  ["none, with more than is taken at once", right("long ".repeat(2_000)), /^all passed$/],
  ["sends two bytes", right("ab"), /give it a longer text/],
  ["ends its side, and reads once", endsItsSide("this is my message"), /it reads once/],
  ["reads once, with three bytes", once("abc"), /it reads once/],
  ["does not read", noRead("this is my message"), /gone before: it does not read the reply at all/],
  ["leaves a moment later", noRead("this is my message", 600), /it does not read the reply at all/],
  ["sends nothing", (connection) => connection.read(new Uint8Array(16)), /the client speaks first/],
  ["closes at once", async () => {}, /it closes before it has sent anything/],
  ["reads once", once("this is my message"), /it reads once/],
  [
    "waits for the server's end",
    untilEnd("this is my message"),
    /it waits for more than the reply/,
  ],
  ["does not notice the server's end", deaf, /it does not notice that the server has ended/],
];

/** The same for clients of a time server. */
export const TIME_CLIENTS: [mistake: string, client: Talk, verdict: RegExp][] = [
  ["none", right("reqtime", 30), /^all passed$/],
  ["none, without the line feed", right("reqtime", 29), /^all passed$/],
  ["none, ends its side", endsItsSide("reqtime", 30), /^all passed$/],
  ["does not read", noRead("reqtime"), /it does not read the reply at all/],
  ["asks something else", right("what time is it?", 30), /the question is reqtime, and no other/],
  ["reads once", once("reqtime\n"), /it reads once/],
];

/** The same for clients that hand in homework. */
export const WORD_CLIENTS: [mistake: string, client: Talk, verdict: RegExp][] = [
  ["none", right("ada:check_tie.txt:left\n", 10), /^all passed$/],
  ["none, without the line feed", right("ada:check_tie.txt:left\n", 9), /^all passed$/],
  ["does not read", noRead("ada:check_tie.txt:left\n"), /it does not read the reply at all/],
  ["reads once", once("ada:check_tie.txt:left\n"), /it reads once/],
  [
    "hands in a wrong word",
    right("ada:check_case.txt:milk\n", 10),
    /another word comes more often/,
  ],
  ["sends two parts", right("ada:check_case.txt\n", 10), /write USER:FILE:WORD/],
  ["sends no line feed", right("ada:check_case.txt:tea", 10), /the line feed is missing/],
  ["takes a file without words", right("ada:check_empty.txt:three\n", 10), /has no words/],
  ["takes constructor for a file", right("ada:constructor:x\n", 10), /one of the check's files/],
  ["takes an unknown file", right("ada:mine.txt:tea\n", 10), /one of the check's files/],
];
