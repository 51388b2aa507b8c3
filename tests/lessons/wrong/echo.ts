/**
 * Echo servers with the mistakes that students make, and what the checker must say of each.
 *
 * @module
 */

import { accepted } from "../../../lib/accept.ts";
import { after } from "../../../lib/deadline.ts";
import { encode } from "../../lib/helpers.ts";
import { atOnce, inTurn, type Way } from "./serving.ts";

async function sendAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

/** A right echo with one thing changed. */
function echo(
  change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
  greeting = "",
) {
  return async (connection: Deno.Conn) => {
    await sendAll(connection, encode(greeting));
    const buffer = new Uint8Array(1_024);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      await sendAll(connection, change(buffer.subarray(0, count)));
    }
  };
}

const text = (change: (text: string) => string) => (bytes: Uint8Array) =>
  encode(change(new TextDecoder().decode(bytes)));

/** Reads until so many bytes are there, as `recv` with MSG_WAITALL. */
const fullBuffer = (size: number) => async (connection: Deno.Conn) => {
  const buffer = new Uint8Array(size);
  for (let length = 0;;) {
    const count = await connection.read(buffer.subarray(length));
    length += count ?? 0;
    if (count !== null && length < size) continue;
    await sendAll(connection, buffer.subarray(0, length));
    if (count === null) return;
    length = 0;
  }
};

/** Reads so many bytes at a time, until a read is shorter, or for so many reads. */
const leaving = (size: number, most = Infinity) => async (connection: Deno.Conn) => {
  const buffer = new Uint8Array(size);
  for (let reads = 1;; reads++) {
    const count = await connection.read(buffer) ?? 0;
    await sendAll(connection, buffer.subarray(0, count));
    if (reads === most || (most === Infinity && count < size)) return;
  }
};

/** Reads once, and keeps the connection. */
const staying: Way = async (listener, open) => {
  for await (const connection of accepted(listener)) {
    open.add(connection);
    leaving(64 * 1024, 1)(connection).catch(() => {});
  }
};

/** Mistakes that several checks find, and the words for each of them in all of these. */
export const WRONG_IN_MANY: [mistake: string, server: Way, verdict: RegExp][] = [
  [
    "drops what is no UTF-8",
    inTurn(echo(text((it) => it.replaceAll("\ufffd", "")))),
    /^it reads the bytes as text, and what is no UTF-8/,
  ],
  [
    "reads Latin-1 and writes UTF-8",
    inTurn(echo((bytes) => encode(String.fromCharCode(...bytes)))),
    /^it reads the bytes as text of one encoding \(latin1\), and sends it in another/,
  ],
  [
    "reads nothing but UTF-8",
    inTurn(echo((bytes) => encode(new TextDecoder("utf-8", { fatal: true }).decode(bytes)))),
    /^bytes that are no UTF-8 end the conversation/,
  ],
  ["reads 16 bytes once", inTurn(leaving(16, 1)), /^it reads once/],
  ["reads once, and keeps the connection", staying, /^it reads once|^it does not close when/],
  ["reads 16 bytes until fewer come", inTurn(leaving(16)), /^it stops at a read that is shorter/],
];

/** What the mistake is, the server that makes it, and the checker's words for it. */
export const WRONG_ECHO: [mistake: string, server: Way, verdict: RegExp][] = [
  [
    "sends the whole buffer",
    inTurn(async (connection) => {
      for (;;) {
        const buffer = new Uint8Array(16);
        if (await connection.read(buffer) === null) return;
        await sendAll(connection, buffer);
      }
    }),
    /it sends its whole buffer, with the zeros/,
  ],
  [
    "sends what an earlier read left in the buffer",
    inTurn(async (connection) => {
      const buffer = new Uint8Array(16);
      let most = 0;
      for (let count; (count = await connection.read(buffer)) !== null;) {
        most = Math.max(most, count);
        await sendAll(connection, buffer.subarray(0, most));
      }
    }),
    /what an earlier read left in its buffer/,
  ],
  [
    "stops at a short read",
    inTurn(leaving(16)),
    /it stops at a read that is shorter than its buff/,
  ],
  ["reads once", inTurn(leaving(1_024, 1)), /it reads once/],
  [
    "reads once, and keeps the connection",
    staying,
    /it reads once, and leaves the connection open/,
  ],
  [
    "ends at a line feed",
    inTurn(async (connection) => {
      const buffer = new Uint8Array(1_024);
      for (let count; (count = await connection.read(buffer)) !== null;) {
        await sendAll(connection, buffer.subarray(0, count));
        if (buffer[count - 1] === 10) return;
      }
    }),
    /"\\r\\n" ends the conversation: no byte does/,
  ],
  [
    "answers a word, and ends",
    inTurn(async (connection) => {
      const buffer = new Uint8Array(1_024);
      for (let count; (count = await connection.read(buffer)) !== null;) {
        await sendAll(connection, buffer.subarray(0, count));
        if (/^(bye|quit)/.test(new TextDecoder().decode(buffer.subarray(0, count)))) return;
      }
    }),
    /it takes a word such as quit for a command/,
  ],
  [
    "takes a full buffer for a sign of more",
    inTurn(async (connection) => {
      const buffer = new Uint8Array(16);
      for (;;) {
        const parts: number[] = [];
        for (let count: number | null = 16; count === 16;) {
          count = await connection.read(buffer);
          if (count === null) return;
          parts.push(...buffer.subarray(0, count));
        }
        await sendAll(connection, new Uint8Array(parts));
      }
    }),
    /it takes a read that fills the buffer for a sign that more must come/,
  ],
  [
    "writes without a loop",
    inTurn(async (connection) => {
      const buffer = new Uint8Array(64 * 1_024);
      for (let count; (count = await connection.read(buffer)) !== null;) {
        await connection.write(buffer.subarray(0, count));
      }
    }),
    /bytes are lost in the middle: send and write may take only a part/,
  ],
  [
    "closes too early, with writes under way",
    inTurn(async (connection) => {
      const buffer = new Uint8Array(16);
      let writing = Promise.resolve();
      for (let count; (count = await connection.read(buffer)) !== null;) {
        const piece = buffer.slice(0, count);
        writing = writing.then(() => new Promise<void>((resolve) => after(1, resolve)))
          .then(() => sendAll(connection, piece));
        writing.catch(() => {});
      }
    }),
    /it closes before all is echoed/,
  ],
  [
    "serves one client and ends",
    async (listener) => {
      using connection = await listener.accept();
      await echo()(connection);
    },
    /it serves one client and no more/,
  ],
  [
    "accepts one client and listens on",
    async (listener, _open, stopped) => {
      const connection = await listener.accept();
      await echo()(connection).finally(() => connection.close());
      await stopped;
    },
    /nobody accepts a second client/,
  ],
  [
    "does not notice the end",
    inTurn(async (connection) => {
      const buffer = new Uint8Array(16);
      for (;;) {
        const count = await connection.read(buffer);
        if (count !== null) await sendAll(connection, buffer.subarray(0, count));
        else await new Promise<void>((resolve) => after(20, resolve));
      }
    }),
    /it does not notice the end/,
  ],
  [
    "waits for the end of the stream",
    inTurn(async (connection) => {
      const parts: number[] = [];
      const buffer = new Uint8Array(16);
      for (let count; (count = await connection.read(buffer)) !== null;) {
        parts.push(...buffer.subarray(0, count));
      }
      await sendAll(connection, new Uint8Array(parts));
    }),
    /it waits for the end of the stream before it answers/,
  ],
  [
    "waits for the end of a line",
    inTurn(async (connection) => {
      let line = "";
      const buffer = new Uint8Array(1);
      while (await connection.read(buffer) !== null) {
        line += String.fromCharCode(buffer[0]!);
        if (!line.endsWith("\n")) continue;
        await sendAll(connection, encode(line));
        line = "";
      }
    }),
    /it waits for the end of a line/,
  ],
  ["reads until its buffer is full", inTurn(fullBuffer(16)), /it waits until its buffer is full/],
  ["reads until a large buffer is full", inTurn(fullBuffer(2_048)), /it waits until its buffer is/],
  [
    "does not flush",
    inTurn(async (connection) => {
      const buffer = new Uint8Array(1_024), unsent: number[] = [];
      for (let count; (count = await connection.read(buffer)) !== null;) {
        unsent.push(...buffer.subarray(0, count));
        if (unsent.length > 8_192) await sendAll(connection, new Uint8Array(unsent.splice(0)));
      }
    }),
    /what it writes stays in a buffer until that is full/,
  ],
  [
    "ends at a word",
    inTurn(async (connection) => {
      const buffer = new Uint8Array(1_024);
      for (let count; (count = await connection.read(buffer)) !== null;) {
        const bytes = buffer.subarray(0, count);
        if (/^(bye|quit)\s*$/.test(new TextDecoder().decode(bytes))) return;
        await sendAll(connection, bytes);
      }
    }),
    /it takes a word such as quit for a command/,
  ],
  ["decodes each piece", inTurn(echo(text((it) => it))), /it reads the bytes as text/],
  ["adds a line feed", inTurn(echo(text((it) => `${it}\n`))), /it adds an end of line/],
  ["strips", inTurn(echo(text((it) => it.trim() || it))), /it cuts off blanks at the ends/],
  ["writes in upper case", inTurn(echo(text((it) => it.toUpperCase()))), /upper and lower case/],
  [
    "shows bytes as Python does",
    inTurn(echo(text((it) => `b'${it}'`))),
    /Python's way to show bytes/,
  ],
  ["sends everything twice", inTurn(echo(text((it) => it + it))), /everything twice/],
  [
    "greets",
    inTurn(echo(undefined, "Welcome!\n")),
    /it sends something of its own first/,
  ],
  [
    "cuts at a zero byte",
    inTurn(echo((bytes) => bytes.includes(0) ? bytes.filter((byte) => byte !== 0) : bytes)),
    /nothing comes back for "\\0"|bytes of the value 0 are lost/,
  ],
  [
    "ends when a client resets",
    async (listener) => {
      for (;;) {
        using connection = await listener.accept();
        await echo()(connection);
      }
    },
    /what goes wrong with one client ends the whole server/,
  ],
  [
    "gives up when a client thinks",
    atOnce(async (connection) => {
      const buffer = new Uint8Array(64 * 1024);
      for (;;) {
        const { promise: late, reject } = Promise.withResolvers<never>();
        using _deadline = after(1_500, () => reject(new Error("too slow")));
        const count = await Promise.race([connection.read(buffer), late]);
        if (count === null) return;
        await sendAll(connection, buffer.subarray(0, count));
      }
    }),
    /it gives up while the client thinks/,
  ],
];
