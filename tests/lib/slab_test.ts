import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Lines } from "../../lib/lines.ts";
import { Slab } from "../../lib/slab.ts";
import { chance, decode, encode } from "./helpers.ts";

/** Puts bytes into a slab as a socket would: as much at once as there is room. */
function receive(slab: Slab, bytes: Uint8Array, wanted = 0): void {
  for (let sent = 0; sent < bytes.length;) {
    const room = slab.room(wanted);
    const part = bytes.subarray(sent, sent + room.length);
    room.set(part);
    slab.end += part.length;
    sent += part.length;
  }
}

Deno.test("Slab.find gives the first place of a mark", async (t) => {
  const cases: [text: string, mark: string, from: number, found: number][] = [
    ["a.b.c", ".", 0, 1],
    ["a.b.c", ".", 2, 3],
    ["abc", "abc", 0, 0],
    ["abc", "abcd", 0, -1],
    ["", "a", 0, -1],
    ["aaab", "aab", 0, 1],
    ["ababac", "abac", 0, 2],
    ["aabaabaac", "aabaac", 0, 3],
    ["\r\r\n\r\n", "\r\n\r\n", 0, 1],
    ["ab", "b", 2, -1],
  ];
  for (const [text, mark, from, found] of cases) {
    await t.step(`"${mark}" in "${text}" from ${from}`, () => {
      const slab = new Slab();
      receive(slab, encode("xx" + text));
      slab.skip(2);
      assertEquals(slab.find(encode(mark), from), found);
    });
  }
});

Deno.test("Slab.find does not look at bytes behind the end", () => {
  const slab = new Slab();
  receive(slab, encode("abc"));
  slab.end -= 1;
  assertEquals(slab.find(encode("c")), -1);
  assertEquals(slab.find(encode("bc")), -1);
});

Deno.test("Slab.peekNumber reads network byte order without taking it", () => {
  const slab = new Slab();
  receive(slab, new Uint8Array([0xff, 0xfe, 0xfd, 0xfc]));
  assertEquals([1, 2, 3, 4].map((size) => slab.peekNumber(size)), [
    0xff,
    0xfffe,
    0xfffefd,
    0xfffefdfc,
  ]);
  assertEquals(slab.peekNumber(5), undefined);
  assertEquals(slab.length, 4);
});

Deno.test("Slab never writes to what it gave away when several MB come after", () => {
  const next = chance(1);
  const slab = new Slab();
  const given: { view: Uint8Array; copy: Uint8Array }[] = [];
  for (let received = 0; received < 4 * 1024 * 1024;) {
    const bytes = new Uint8Array(1 + next(next(10) === 0 ? 100_000 : 500)).fill(next(256));
    receive(slab, bytes, next(2) * next(5_000));
    received += bytes.length;
    while (slab.length > 0 && next(4) > 0) {
      const view = slab.lend(1 + next(slab.length));
      given.push({ view, copy: view.slice() });
    }
  }
  assert(given.length > 1_000);
  assert(given.every(({ view, copy }) => decode(view) === decode(copy)));
});

Deno.test("Slab keeps bytes in order when its block grows", () => {
  const slab = new Slab();
  const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
  receive(slab, bytes);
  assertEquals(slab.length, bytes.length);
  assert(slab.lend(bytes.length).every((byte, index) => byte === index % 251));
});

Deno.test("Slab sets aside no more than twice what came when a peer announces much", () => {
  const slab = new Slab();
  receive(slab, new Uint8Array(100), 1024 * 1024 * 1024);
  slab.room(1024 * 1024 * 1024);
  assertLessOrEqual(slab.bytes.length, 64 * 1024);
});

Deno.test("Slab stays small when 200 MB of lines go through", () => {
  const slab = new Slab();
  const lines = new Lines(slab);
  const block = encode(("x".repeat(79) + "\n").repeat(1_000));
  let largest = 0, count = 0, received = 0;
  while (received < 200 * 1024 * 1024) {
    const room = slab.room();
    // a read brings what comes next in an endless stream of blocks
    const from = received % block.length;
    const part = block.subarray(from, from + room.length);
    room.set(part);
    slab.end += part.length;
    received += part.length;
    for (; lines.take(1024) !== undefined; count++);
    lines.settle();
    largest = Math.max(largest, slab.bytes.length);
  }
  assertEquals(count, Math.floor(received / 80));
  assertLessOrEqual(largest, 64 * 1024);
});

Deno.test("Slab becomes small again after something large was taken", () => {
  const slab = new Slab();
  receive(slab, new Uint8Array(5_000_000));
  slab.skip(5_000_000);
  for (let sent = 0; sent < 10_000_000; sent += 1_000) {
    receive(slab, new Uint8Array(1_000));
    slab.skip(1_000);
  }
  assertLessOrEqual(slab.bytes.length, 64 * 1024);
});
