import { assertEquals, assertThrows } from "@std/assert";
import { PacketError } from "../../lib/packets.ts";
import { Reassembly } from "../../lib/reassembly.ts";
import { cut } from "../../scripts/layers/fragmentation.ts";
import { readIpv4 } from "../../lib/packets.ts";
import { chance } from "./helpers.ts";

const zeros = (length: number) => new Uint8Array(length);

Deno.test("Reassembly puts generated datagrams together in any order, some fragments coming twice", () => {
  const random = chance(815);
  for (let round = 0; round < 300; round++) {
    const datagram = Uint8Array.from({ length: 1 + random(4_000) }, () => random(256));
    const fragments = cut(datagram, 68 + random(1_000), round).map((packet) => readIpv4(packet));
    const rest = [...fragments, ...fragments.filter(() => random(5) === 0)];
    const reassembly = new Reassembly();
    const come = new Set<number>();
    while (rest.length > 0) {
      const [{ fields, payload }] = rest.splice(random(rest.length), 1) as [typeof rest[number]];
      reassembly.add(fields.fragmentOffset, payload, fields.moreFragments);
      come.add(fields.fragmentOffset);
      assertEquals(reassembly.whole !== undefined, come.size === fragments.length);
    }
    assertEquals([reassembly.whole, reassembly.holes], [datagram, []]);
  }
});

Deno.test("Reassembly knows its holes", () => {
  const reassembly = new Reassembly();
  assertEquals(reassembly.holes, [{ first: 0, last: Infinity }]);
  reassembly.add(16, zeros(8), true);
  assertEquals(reassembly.holes, [{ first: 0, last: 15 }, { first: 24, last: Infinity }]);
  reassembly.add(32, zeros(3), false);
  assertEquals(reassembly.holes, [{ first: 0, last: 15 }, { first: 24, last: 31 }]);
  reassembly.add(0, zeros(16), true);
  assertEquals(reassembly.whole, undefined);
  reassembly.add(24, zeros(8), true);
  assertEquals(reassembly.whole, zeros(35));
});

for (
  const [why, offset, length, more] of [
    ["it overlaps another", 8, 16, true],
    ["it overlaps another", 24, 16, true],
    ["it overlaps another", 8, 64, true],
    ["it is a second end of the datagram", 8, 8, false],
    ["it is a second end of the datagram", 32, 8, false],
    ["the datagram ends before it", 48, 8, true],
    ["the datagram ends before it", 40, 16, false],
    ["only the last may be no multiple of 8 bytes long", 8, 7, true],
    ["its offset is no multiple of 8", 12, 8, true],
    ["its offset is no multiple of 8", -8, 8, true],
    ["it is empty", 8, 0, true],
    ["a datagram has at most 65535 bytes", 65_528, 8, true],
  ] as const
) {
  Deno.test(`Reassembly refuses bytes ${offset} to ${offset + length - 1}: ${why}`, () => {
    const reassembly = new Reassembly();
    reassembly.add(16, zeros(16).fill(1), true);
    reassembly.add(40, zeros(8), false);
    const holes = structuredClone(reassembly.holes);
    assertThrows(() => reassembly.add(offset, zeros(length).fill(2), more), PacketError, why);
    assertEquals(reassembly.holes, holes, "what came before is kept");
  });
}

Deno.test("Reassembly keeps the first bytes when a fragment comes again with others", () => {
  const reassembly = new Reassembly();
  reassembly.add(0, zeros(8).fill(1), true);
  reassembly.add(0, zeros(8).fill(2), true);
  reassembly.add(8, zeros(8).fill(1), false);
  assertEquals(reassembly.whole, zeros(16).fill(1));
});

Deno.test("Reassembly refuses what lies behind a last fragment that comes later", () => {
  const reassembly = new Reassembly();
  reassembly.add(64, zeros(8), true);
  assertThrows(() => reassembly.add(32, zeros(8), false), PacketError, "a second end");
});
