import { assert, assertEquals, assertThrows } from "@std/assert";
import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "npm:fast-check@^4.3.0";
import { crc32 } from "../../lib/crc32.ts";
import {
  bitsOf,
  hasBit,
  Kind,
  MOST_AHEAD,
  MOST_NUMBER,
  MOST_PAYLOAD,
  packSegment,
  parseSegment,
} from "../../lib/reliable_segment.ts";
import { concat } from "./helpers.ts";

const SAMPLE = packSegment({
  transfer: 0x0102030405060708n,
  kind: Kind.Data,
  number: 9,
  payload: new Uint8Array([10, 11, 12]),
});

Deno.test("crc32 computes what zlib does", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 3_000 }), (bytes) => {
    assertEquals(crc32(bytes), zlibCrc32(bytes));
  }));
});

Deno.test("packSegment writes the bytes that its file describes", () => {
  const rest = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0, 0, 9, 10, 11, 12]);
  const sum = new Uint8Array(4);
  new DataView(sum.buffer).setUint32(0, zlibCrc32(rest));
  assertEquals(SAMPLE, concat(sum, rest));
});

Deno.test("parseSegment reads what packSegment writes", () => {
  const transfer = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const number = fc.integer({ min: 0, max: MOST_NUMBER });
  const payload = fc.uint8Array({ minLength: 1, maxLength: MOST_PAYLOAD });
  fc.assert(fc.property(transfer, number, payload, (transfer, number, payload) => {
    const segment = { transfer, kind: Kind.Data, number, payload };
    assertEquals(parseSegment(packSegment(segment)), segment);
  }));
});

Deno.test("parseSegment finds no segment in one that is cut anywhere, or has too much", () => {
  for (let end = 0; end < SAMPLE.length; end++) {
    assertEquals(parseSegment(SAMPLE.subarray(0, end)), undefined);
  }
  assertEquals(parseSegment(concat(SAMPLE, new Uint8Array(1))), undefined);
  assertEquals(parseSegment(concat(SAMPLE, new Uint8Array(65_000))), undefined);
});

Deno.test("parseSegment finds no segment where any one or two bits are flipped", () => {
  const bits = SAMPLE.length * 8;
  const flip = (bytes: Uint8Array, bit: number) => bytes[bit >> 3]! ^= 1 << (bit & 7);
  for (let one = 0; one < bits; one++) {
    const bytes = SAMPLE.slice();
    flip(bytes, one);
    assertEquals(parseSegment(bytes), undefined);
    for (let other = 0; other < one; other++) {
      flip(bytes, other);
      assertEquals(parseSegment(bytes), undefined);
      flip(bytes, other);
    }
  }
});

Deno.test("parseSegment finds no segment in 100,000 random datagrams", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assertEquals(parseSegment(bytes), undefined);
    }),
    { numRuns: 100_000 },
  );
});

Deno.test("parseSegment refuses kinds and lengths that there are not, though the checksum is right", () => {
  const make = (kind: number, length: number) =>
    parseSegment(packSegment({
      transfer: 1n,
      kind: kind as 1,
      number: 1,
      payload: new Uint8Array(length),
    }));
  for (const kind of [0, 6, 7, 255]) assertEquals(make(kind, 0), undefined);
  for (const kind of [Kind.Start, Kind.End, Kind.Leave]) assertEquals(make(kind, 1), undefined);
  assertEquals(make(Kind.Data, 0), undefined);
  assert(make(Kind.Acknowledgement, MOST_AHEAD / 8));
  assertEquals(make(Kind.Acknowledgement, MOST_AHEAD / 8 + 1), undefined);
});

Deno.test("packSegment refuses what does not fit", () => {
  const segment = { transfer: 1n, kind: Kind.Data, number: 1 };
  for (const number of [-1, MOST_NUMBER + 1, NaN]) {
    assertThrows(() => packSegment({ ...segment, number }), RangeError);
  }
  const payload = new Uint8Array(MOST_PAYLOAD + 1);
  assertThrows(() => packSegment({ ...segment, payload }), RangeError);
});

Deno.test("hasBit finds the bits that bitsOf set, and no others", () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 0, max: MOST_AHEAD - 1 }));
  fc.assert(
    fc.property(numbers, (numbers) => {
      const bits = bitsOf(numbers);
      assert(bits.length <= MOST_AHEAD / 8);
      for (let number = -5; number < MOST_AHEAD + 50; number++) {
        assertEquals(hasBit(bits, number), numbers.includes(number));
      }
    }),
    { numRuns: 50 },
  );
  assertEquals(bitsOf([]).length, 0);
});
