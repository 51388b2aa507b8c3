#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5014
/**
 * Four ways to know where a message ends
 *
 * TCP carries a stream of bytes. It keeps their order, not the borders between what was written: a read may
 * bring half a message, or three. The lecture has four ways out: messages are of a fixed length, or end in
 * a delimiter, or say how long they are, or end with the stream.
 *
 * Each way sends its messages in one big write, and again one byte at a time; the same must come out. Then
 * each is given too much: who gathers bytes without a limit lets any peer fill the memory.
 *
 * Every piece is put behind what is left of the one before, which is plain and slow. lib/framing.ts does the
 * same without copies.
 *
 * @lecture 001 Python Socket module
 * @python  socket.sendall → connection.write, socket.recv → connection.read,
 *          struct.pack → DataView.setUint32, struct.unpack → DataView.getUint32,
 *          socket.shutdown → connection.closeWrite
 * @run     deno run --allow-net=127.0.0.1:5014 scripts/tcp/framing.ts
 * @expect  fixed length, 1 write: "one\0\0\0\0\0", "\0\0\0\0\0\0\0\0", "three\r\n\0"
 * @expect  fixed length, 24 writes: "one\0\0\0\0\0", "\0\0\0\0\0\0\0\0", "three\r\n\0"
 * @expect  refused: FramingError: a message of 9 bytes does not fit 8*
 * @expect  delimiter, 1 write: "one", "", "three"
 * @expect  delimiter, 14 writes: "one", "", "three"
 * @expect  refused: FramingError: the message contains the delimiter*
 * @expect  refused: LimitError: what comes before the delimiter is longer than the limit of 64 bytes
 * @expect  length prefix, 1 write: "one", "", "three\r\n"
 * @expect  length prefix, 22 writes: "one", "", "three\r\n"
 * @expect  refused: LimitError: a message of 4294967295 bytes is longer than the limit of 64 bytes
 * @expect  shutdown, 1 write: "one\r\nthree\r\n"
 * @expect  shutdown, 12 writes: "one\r\nthree\r\n"
 * @expect  refused: LimitError: the stream is longer than the limit of 64 bytes
 * @expect  cut off: UnexpectedEof: the stream ended after 3 of 5 bytes
 * @option  --port PORT  a free port for the experiments; 0 for any, with --allow-net=127.0.0.1 (default: 5014)
 * @see     https://docs.python.org/3/howto/sockets.html#using-a-socket
 * @module
 */

import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { requireGivenPort } from "../../lib/require_net.ts";
import { FramingError, LimitError, UnexpectedEof } from "../../lib/framing.ts";
import { writeAll } from "../../lib/write_all.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Pieces = AsyncIterable<Uint8Array>;

/** A way to frame messages: one function for the sender, one for the receiver. */
export interface Way {
  frame(message: Uint8Array): Uint8Array;
  messages(pieces: Pieces): AsyncGenerator<Uint8Array>;
}

export const SIZE = 8; // of every message of fixed length, in bytes
export const LIMIT = 64; // of every other message
const CR = 0x0d, LF = 0x0a;

export const fixedLength: Way = {
  frame(message) {
    if (message.length > SIZE) {
      throw new FramingError(`a message of ${message.length} bytes does not fit ${SIZE}`);
    }
    return joined(message, new Uint8Array(SIZE - message.length));
  },
  // the zeros stay: only the sender knows which of them are its own
  async *messages(pieces) {
    let rest: Bytes = new Uint8Array();
    for await (const piece of pieces) {
      rest = joined(rest, piece);
      for (; rest.length >= SIZE; rest = rest.subarray(SIZE)) yield rest.subarray(0, SIZE);
    }
    if (rest.length > 0) throw new UnexpectedEof(rest.length, SIZE);
  },
};

export const delimiter: Way = {
  frame(message) {
    if (endOf(message) >= 0) throw new FramingError("the message contains the delimiter");
    return joined(message, Uint8Array.of(CR, LF));
  },
  async *messages(pieces) {
    let rest: Bytes = new Uint8Array();
    for await (const piece of pieces) {
      // the delimiter may itself come in two pieces: it is looked for in all that is there
      rest = joined(rest, piece);
      for (let end; (end = endOf(rest)) >= 0; rest = rest.subarray(end + 2)) {
        if (end > LIMIT) throw new LimitError("what comes before the delimiter", LIMIT);
        yield rest.subarray(0, end);
      }
      // its last byte may be half of a delimiter
      if (rest.length - 1 > LIMIT) throw new LimitError("what comes before the delimiter", LIMIT);
    }
    if (rest.length > 0) throw new UnexpectedEof(rest.length, "the delimiter");
  },
};

export const lengthPrefix: Way = {
  frame(message) {
    const prefix = new Uint8Array(4);
    // most significant byte first: network byte order, Python's struct.pack(">I", …)
    new DataView(prefix.buffer).setUint32(0, message.length);
    return joined(prefix, message);
  },
  async *messages(pieces) {
    let rest: Bytes = new Uint8Array();
    const length = () =>
      rest.length < 4 ? 0 : new DataView(rest.buffer, rest.byteOffset).getUint32(0);
    for await (const piece of pieces) {
      rest = joined(rest, piece);
      while (rest.length >= 4) {
        const end = 4 + length();
        // what is announced is refused before any of it has come
        if (end - 4 > LIMIT) throw new LimitError(`a message of ${end - 4} bytes`, LIMIT);
        if (rest.length < end) break;
        yield rest.subarray(4, end);
        rest = rest.subarray(end);
      }
    }
    if (rest.length >= 4) throw new UnexpectedEof(rest.length - 4, length());
    if (rest.length > 0) throw new UnexpectedEof(rest.length, 4);
  },
};

export const shutdown: Way = {
  frame: (message) => message,
  // one message per connection, and no way to tell its end from a sender that broke off
  async *messages(pieces) {
    let rest: Bytes = new Uint8Array();
    for await (const piece of pieces) {
      rest = joined(rest, piece);
      if (rest.length > LIMIT) throw new LimitError("the stream", LIMIT);
    }
    yield rest;
  },
};

function joined(first: Uint8Array, second: Uint8Array): Bytes {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function endOf(bytes: Uint8Array): number {
  return bytes.findIndex((byte, at) => byte === CR && bytes[at + 1] === LF);
}

/** What each read of a connection brings, until its end. */
async function* piecesOf(connection: Deno.Conn): Pieces {
  const buffer = new Uint8Array(32);
  for (;;) {
    const count = await attempt("receive", connection.read(buffer));
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

/** Sends a stream in writes of so many bytes, and gives the messages that come out at the other end. */
async function transfer(
  listener: Deno.TcpListener,
  { messages }: Way,
  stream: Uint8Array,
  writeSize = stream.length,
): Promise<string> {
  const { hostname, port } = listener.addr;
  using sender = await attempt("connect", () => Deno.connect({ hostname, port }));
  using receiver = await attempt("accept", listener.accept());
  sender.setNoDelay(true); // each byte goes out by itself
  const send = async () => {
    for (let at = 0; at < stream.length; at += writeSize) {
      await writeAll(sender, stream.subarray(at, at + writeSize));
    }
    await sender.closeWrite();
  };
  const receive = async () => {
    const received: string[] = [];
    for await (const message of messages(piecesOf(receiver))) received.push(quoted(message));
    return received.join(", ");
  };
  const [received] = await Promise.all([receive(), send()]);
  return received;
}

async function show(
  listener: Deno.TcpListener,
  name: string,
  way: Way,
  ...texts: string[]
): Promise<void> {
  let stream: Bytes = new Uint8Array();
  for (const text of texts) stream = joined(stream, way.frame(new TextEncoder().encode(text)));
  console.log(`${name}, 1 write: ${await transfer(listener, way, stream)}`);
  console.log(`${name}, ${stream.length} writes: ${await transfer(listener, way, stream, 1)}`);
}

/** Does what must fail, and shows the error. */
async function provoke(what: string, action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    const kinds = [FramingError, LimitError, UnexpectedEof];
    if (!kinds.some((kind) => error instanceof kind)) throw error;
    return console.log(`${what}: ${error}`);
  }
  throw new Error(`what should have been ${what} went through`);
}

export async function main({ port }: { port: number }): Promise<void> {
  using listener = await attempt(
    `listen on 127.0.0.1 port ${port}`,
    () => Deno.listen({ hostname: "127.0.0.1", port }),
  );
  await requireGivenPort(listener.addr, port);
  const bytes = (text: string) => new TextEncoder().encode(text);
  const tooLong = new Uint8Array(LIMIT + 2);

  await show(listener, "fixed length", fixedLength, "one", "", "three\r\n");
  await provoke("refused", () => fixedLength.frame(bytes("123456789")));

  await show(listener, "delimiter", delimiter, "one", "", "three");
  await provoke("refused", () => delimiter.frame(bytes("two\r\nlines")));
  await provoke("refused", () => transfer(listener, delimiter, tooLong));

  await show(listener, "length prefix", lengthPrefix, "one", "", "three\r\n");
  await provoke(
    "refused",
    () => transfer(listener, lengthPrefix, Uint8Array.of(255, 255, 255, 255)),
  );

  await show(listener, "shutdown", shutdown, "one\r\nthree\r\n");
  await provoke("refused", () => transfer(listener, shutdown, tooLong));

  // an end that comes too early: all but the last way notice
  const broken = lengthPrefix.frame(bytes("three")).subarray(0, -2);
  await provoke("cut off", () => transfer(listener, lengthPrefix, broken));
}

if (import.meta.main) await run(main);
