import { assertEquals } from "@std/assert";
import { LimitError, SocketReader, UnexpectedEof } from "../../lib/reader.ts";
import { chance, concat, encode } from "../lib/helpers.ts";

const SEED = 161_803;
const INPUTS = 100_000;
const LIMIT = 16;
const LF = 0x0a, CR = 0x0d;

type Random = (limit: number) => number;

/** A stream in pieces of any size, with many ends of lines and parts of characters. */
function stream(random: Random): Uint8Array[] {
  const interesting = encode("\r\n\n\r\0ab\u00e4");
  const byte = () => random(4) ? interesting[random(interesting.length)]! : random(256);
  return Array.from(
    { length: random(5) },
    () => Uint8Array.from({ length: random(12) }, byte),
  );
}

/** What a call gave, and what it should be: the rest of the stream is known. */
interface Taken {
  got: Uint8Array | string | null | undefined;
  /** How much of the stream it stands for. */
  length: number;
}

function takenLine(got: string | null | undefined, rest: Uint8Array): Taken {
  if (typeof got !== "string") return { got, length: 0 };
  const end = rest.indexOf(LF);
  const line = end < 0 ? rest : rest.subarray(0, rest[end - 1] === CR ? end - 1 : end);
  assertEquals(got, new TextDecoder("utf-8", { ignoreBOM: true }).decode(line));
  return { got, length: end < 0 ? rest.length : end + 1 };
}

/** One call of any kind. */
async function anyCall(reader: SocketReader, random: Random, rest: Uint8Array): Promise<Taken> {
  const kind = random(7);
  if (kind === 0) return takenLine(await reader.readLine(), rest);
  if (kind === 1) return takenLine(reader.tryLine(), rest);
  if (kind === 2) {
    const mark = encode(["\r\n", "a", "\n\n"][random(3)]!);
    const got = await reader.readUntil(mark);
    if (!got) return { got, length: 0 };
    assertEquals(rest.slice(got.length, got.length + mark.length).join(), mark.join());
    return { got, length: got.length + mark.length };
  }
  if (kind === 3) {
    const into = new Uint8Array(1 + random(8));
    const count = await reader.read(into);
    return { got: count === null ? null : into.subarray(0, count), length: count ?? 0 };
  }
  const got = kind === 4
    ? await reader.readExactly(random(LIMIT + 2))
    : kind === 5
    ? reader.tryExactly(random(4))
    : await reader.readAll();
  return { got, length: got?.length ?? 0 };
}

Deno.test(`SocketReader loses no byte and fails as documented when ${INPUTS} streams come (seed ${SEED})`, async () => {
  const random = chance(SEED);
  for (let input = 0; input < INPUTS; input++) {
    const parts = stream(random);
    const bytes = concat(...parts);
    const reader = SocketReader.from(parts, { limit: LIMIT });
    for (let call = 0, at = 0; call < 12; call++) {
      try {
        const { got, length } = await anyCall(reader, random, bytes.subarray(at));
        if (got === null) assertEquals(at, bytes.length, "the end came early");
        if (got instanceof Uint8Array) {
          assertEquals(got.join(), bytes.slice(at, at + got.length).join());
        }
        at += length;
      } catch (error) {
        // what a failed call has seen stays for the next one
        if (error instanceof LimitError) assertEquals(error.limit, LIMIT);
        else if (!(error instanceof UnexpectedEof)) throw error;
      }
    }
  }
});
