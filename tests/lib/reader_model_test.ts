/**
 * Random conversations, each held with a `SocketReader` and with a model that has all bytes in one array
 * and looks them up by hand.
 */

import { assert, assertEquals } from "@std/assert";
import {
  LimitError,
  type ReadOptions,
  SocketReader,
  type Source,
  UnexpectedEof,
} from "../../lib/reader.ts";
import { chance, decode, encode, inWords } from "./helpers.ts";

type Chance = ReturnType<typeof chance>;

const SEQUENCES = 4_000;

/** What the reader should do: the same calls over bytes that are all there. */
class Model {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  get rest(): Uint8Array {
    return this.bytes.subarray(this.at);
  }

  take(count: number, surplus = 0): Uint8Array {
    const taken = this.rest.subarray(0, count);
    this.at += count + surplus;
    return taken;
  }

  line(limit: number): string | null {
    const { rest } = this;
    if (rest.length === 0) return null;
    const end = rest.indexOf(0x0a);
    const length = end < 0 ? rest.length : end > 0 && rest[end - 1] === 0x0d ? end - 1 : end;
    if (length > limit) throw new LimitError("a line", limit);
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(rest.subarray(0, length));
    this.at += end < 0 ? length : end + 1;
    return text;
  }

  until(mark: Uint8Array, limit: number): Uint8Array | null {
    const { rest } = this;
    let found = 0;
    while (found <= rest.length && !mark.every((byte, index) => rest[found + index] === byte)) {
      found++;
    }
    const whole = found <= rest.length;
    const least = whole ? found : rest.length - mark.length + 1;
    if (least > limit) throw new LimitError("what comes before the delimiter", limit);
    if (whole) return this.take(found, mark.length);
    if (rest.length === 0) return null;
    throw new UnexpectedEof(rest.length, "the delimiter");
  }

  exactly(count: number, limit: number): Uint8Array | null {
    if (count > limit) throw new LimitError("a part", limit);
    if (this.rest.length >= count) return this.take(count);
    if (this.rest.length === 0) return null;
    throw new UnexpectedEof(this.rest.length, count);
  }

  all(limit: number): Uint8Array {
    if (this.rest.length > limit) throw new LimitError("the stream", limit);
    return this.take(this.rest.length);
  }
}

const ALPHABET = ["a", "b", "aab", "\n", "\n", "\r\n", "\r", "é", "€", "😀", "\ufeff", "--"].map(
  encode,
)
  .concat([[0xff], [0xc3], [0xf0, 0x9f], [0]].map((bytes) => new Uint8Array(bytes)));
const MARKS = ["\n", "--", "aab", "\r\n\r\n", "b", "é", "\0"].map(encode);

function randomBytes(next: Chance): Uint8Array {
  // most inputs are short; some are larger than the reader's blocks of 4 and 64 KiB
  const words = next(40) === 0 ? next(60_000) : next(20) === 0 ? next(6_000) : next(80);
  const dull = next(3) === 0 ? 40 : 1;
  const parts = Array.from(
    { length: words },
    () => ALPHABET[next(dull) ? 0 : next(ALPHABET.length)]!,
  );
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Gives the bytes in pieces of any length, at once or a few microtasks later, and fails now and then. */
function randomSource(bytes: Uint8Array, next: Chance): Source {
  const most = [1, 3, 20, 5_000, 100_000][next(5)]!;
  const moody = next(3) === 0;
  let at = 0;
  return {
    async read(into) {
      if (moody) { for (let wait = next(6); wait > 0; wait--) await Promise.resolve(); }
      if (moody && next(10) === 0) throw new Error("glitch");
      if (at === bytes.length) return null;
      const part = bytes.subarray(at, at + Math.min(into.length, 1 + next(most)));
      into.set(part);
      at += part.length;
      return part.length;
    },
  };
}

/** A signal that is aborted a few microtasks later. */
function soonAborted(next: Chance): AbortSignal {
  const abort = new AbortController();
  (async () => {
    for (let wait = next(12); wait > 0; wait--) await Promise.resolve();
    abort.abort(new Error("aborted"));
  })();
  return abort.signal;
}

function orInWords(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return inWords(error);
  }
}

/** Makes the same random call to both, and tells whether they agree. */
async function compare(reader: SocketReader, model: Model, next: Chance): Promise<Uint8Array[]> {
  const { rest } = model;
  const given = [undefined, next(4), next(30), 10_000][next(4)];
  const limit = given ?? reader.limit;
  const options: ReadOptions = {
    limit: given,
    signal: next(4) === 0 ? soonAborted(next) : undefined,
  };
  const mark = MARKS[next(MARKS.length)]!;
  const count = next(next(20) === 0 ? 40_000 : 20);
  const views: Uint8Array[] = [];

  async function same(real: () => unknown, expected: () => unknown): Promise<void> {
    let result: unknown;
    try {
      result = await real();
      if (result instanceof Uint8Array) views.push(result);
    } catch (error) {
      if (error instanceof Error && ["glitch", "aborted"].includes(error.message)) return;
      result = inWords(error);
    }
    const wanted = orInWords(expected);
    if (result instanceof Uint8Array && wanted instanceof Uint8Array) {
      assert(
        result.length === wanted.length && result.every((byte, index) => byte === wanted[index]),
      );
    } else assertEquals(result, wanted);
  }

  switch (next(11)) {
    case 0:
    case 1:
      await same(() => reader.readLine(options), () => model.line(limit));
      break;
    case 2:
      await same(() => reader.readUntil(mark, options), () => model.until(mark, limit));
      break;
    case 3:
      await same(() => reader.readExactly(count, options), () => model.exactly(count, limit));
      break;
    case 4:
      if (next(8) === 0) await same(() => reader.readAll(options), () => model.all(limit));
      break;
    case 5:
      await same(() => reader.fill(count, options), () => rest.length >= count);
      break;
    case 6: {
      const line = orInWords(() => reader.tryLine({ limit: given }));
      if (line !== undefined) await same(() => line, () => model.line(limit));
      break;
    }
    case 7: {
      const { buffered } = reader;
      assert(buffered <= rest.length);
      const expected = () => count <= buffered ? model.take(count) : undefined;
      await same(() => reader.tryExactly(count), expected);
      break;
    }
    case 8: {
      const size = 1 + next(4);
      const expected = () => rest.subarray(0, size).reduce((sum, byte) => sum * 256 + byte, 0);
      const enough = reader.buffered >= size;
      await same(() => reader.peekNumber(size), () => enough ? expected() : undefined);
      break;
    }
    case 9: {
      const into = new Uint8Array(1 + count);
      let read: number | null = 0;
      await same(async () => read = await reader.read(into, options), () => {
        if (rest.length === 0) return null;
        assert(read! > 0 && read! <= into.length && read! <= rest.length);
        const same = decode(into.subarray(0, read!)) === decode(model.take(read!));
        return same ? read : "other bytes";
      });
      break;
    }
    case 10: {
      let batch: string[] | null = [];
      await same(async () => batch = await reader.readLines(options), () => {
        const first = model.line(limit);
        if (first === null) return null;
        return [first, ...batch!.slice(1).map(() => model.line(limit))];
      });
      break;
    }
  }
  return views;
}

Deno.test(`SocketReader does as a simple model when ${SEQUENCES} random conversations are held`, async () => {
  for (let seed = 1; seed <= SEQUENCES; seed++) {
    const next = chance(seed);
    const bytes = randomBytes(next);
    const reader = new SocketReader(randomSource(bytes, next));
    const model = new Model(bytes);
    const views: { view: Uint8Array; copy: Uint8Array }[] = [];
    try {
      for (let calls = 3 + next(40); calls > 0; calls--) {
        const given = await compare(reader, model, next);
        views.push(...given.map((view) => ({ view, copy: view.slice() })));
      }
      for (const { view, copy } of views) {
        assert(view.every((byte, index) => byte === copy[index]), "a view was written over");
      }
    } catch (cause) {
      throw new Error(`it does not with seed ${seed}`, { cause });
    }
  }
});
