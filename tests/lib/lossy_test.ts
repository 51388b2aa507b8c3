import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { type LinkFaults, LossyLink } from "../../lib/lossy.ts";
import { seeded } from "../../lib/random.ts";

const FAULTS: LinkFaults = { drop: 0.2, duplicate: 0.05, reorder: 0.1, corrupt: 0.05, delay: 7 };

function fate(faults: LinkFaults, seed: number, count: number): string[] {
  const link = new LossyLink(faults, seed);
  return Array.from({ length: count }, (_, index) => {
    const datagram = new Uint8Array([index >> 8, index]);
    return link.pass(datagram, index).map(({ datagram, at }) => `${datagram}@${at}`).join(" ");
  });
}

Deno.test("seeded gives numbers from 0 to below 1, evenly enough, and others for another seed", () => {
  const next = seeded(3);
  const numbers = Array.from({ length: 10_000 }, next);
  assert(numbers.every((number) => number >= 0 && number < 1));
  for (let tenth = 0; tenth < 10; tenth++) {
    const count = numbers.filter((number) => Math.floor(number * 10) === tenth).length;
    assert(count > 900 && count < 1_100, `${count} in tenth ${tenth}`);
  }
  assert(seeded(4)() !== numbers[0]);
});

Deno.test("LossyLink decides the same way for the same seed and order", () => {
  assertEquals(fate(FAULTS, 5, 1_000), fate(FAULTS, 5, 1_000));
  assert(fate(FAULTS, 5, 1_000).join() !== fate(FAULTS, 6, 1_000).join());
});

Deno.test("LossyLink drops the same datagrams when another fault is added", () => {
  const lost = (faults: LinkFaults) =>
    fate(faults, 9, 1_000).flatMap((came, index) => came === "" ? [index] : []);
  assertEquals(
    lost({ drop: 0.3 }),
    lost({ drop: 0.3, duplicate: 0.5, corrupt: 0.5, reorder: 0.5 }),
  );
});

Deno.test("LossyLink does each fault about as often as told, and counts it", () => {
  const link = new LossyLink(FAULTS, 1);
  let came = 0;
  for (let index = 0; index < 20_000; index++) came += link.pass(new Uint8Array(10), index).length;
  const { counts } = link;
  assertEquals(counts.came, 20_000);
  assertEquals(came, counts.came - counts.dropped + counts.duplicated);
  const passed = counts.came - counts.dropped;
  const near = (count: number, of: number, rate: number) =>
    assert(Math.abs(count / of - rate) < 0.01, `${count} of ${of} for ${rate}`);
  near(counts.dropped, counts.came, 0.2);
  near(counts.duplicated, passed, 0.05);
  near(counts.reordered, passed, 0.1);
  near(counts.corrupted, passed, 0.05);
});

Deno.test("LossyLink flips one bit of a copy when it corrupts", () => {
  const link = new LossyLink({ corrupt: 1 }, 1);
  for (let length = 1; length < 100; length++) {
    const before = new Uint8Array(length);
    const [{ datagram }] = link.pass(before, 0) as [{ datagram: Uint8Array; at: number }];
    const bits = [...datagram].flatMap((byte) => [...byte.toString(2)]).filter((bit) =>
      bit === "1"
    );
    assertEquals(bits.length, 1);
    assertEquals(before, new Uint8Array(length));
  }
  assertEquals(link.pass(new Uint8Array(), 0)[0]!.datagram.length, 0);
});

Deno.test("LossyLink lets later datagrams overtake one that is held up", () => {
  const link = new LossyLink({ reorder: 1, delay: 10, hold: 3 }, 1);
  assertEquals(link.pass(new Uint8Array(1), 100)[0]!.at, 113);
});

Deno.test("LossyLink lets so many bytes through in a second, and drops what finds the queue full", () => {
  const link = new LossyLink({ bandwidth: 1_000, queue: 500 }, 1);
  const out = Array.from({ length: 10 }, () => link.pass(new Uint8Array(100), 0)).flat();
  assertEquals(out.map(({ at }) => at), [100, 200, 300, 400, 500, 600]);
  assertEquals(link.counts.overflowed, 4);
  assertEquals(link.pass(new Uint8Array(100), 2_000)[0]!.at, 2_100);
});

Deno.test("LossyLink refuses rates and times that make no sense", () => {
  for (const faults of [{ drop: 1.1 }, { drop: -0.1 }, { corrupt: NaN }, { delay: -1 }]) {
    assertThrows(() => new LossyLink(faults, 1), RangeError);
  }
});

Deno.test("LossyLink never passes more than two copies, none too early", () => {
  const rate = fc.double({ min: 0, max: 1, noNaN: true });
  const delay = fc.integer({ min: 0, max: 1_000 });
  fc.assert(fc.property(rate, rate, rate, rate, delay, fc.integer(), (...given) => {
    const [drop, duplicate, reorder, corrupt, delay, seed] = given;
    const link = new LossyLink({ drop, duplicate, reorder, corrupt, delay }, seed);
    for (let now = 0; now < 20; now++) {
      const out = link.pass(new Uint8Array(5), now);
      assert(out.length <= 2 && out.every(({ at }) => at >= now + delay));
    }
  }));
});
