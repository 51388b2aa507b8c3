import { assert, assertEquals } from "@std/assert";
import { Later } from "../../lib/later.ts";
import { chance } from "./helpers.ts";

Deno.test("Later keeps the order of times that differ by less than a millisecond", async () => {
  using later = new Later();
  const random = chance(7);
  const now = performance.now();
  const times = Array.from({ length: 500 }, () => now + 2_000 + random(20_000) / 1_000);
  const done: number[] = [];
  const all = Promise.withResolvers<void>();
  for (const time of times) {
    later.add(time, () => {
      assert(performance.now() >= time);
      if (done.push(time) === times.length) all.resolve();
    });
  }
  await all.promise;
  assertEquals(done, times.toSorted((one, other) => one - other));
});

Deno.test("Later keeps the order in which it was given what has one time", async () => {
  using later = new Later();
  const due = performance.now() + 200;
  const done: number[] = [];
  for (let number = 0; number < 100; number++) later.add(due, () => done.push(number));
  await new Promise<void>((resolve) => later.add(due, resolve));
  assertEquals(done, Array.from({ length: 100 }, (_, number) => number));
});

Deno.test("Later does at once what is due, but after what was due before", () => {
  using later = new Later();
  const done: string[] = [];
  const due = performance.now() + 200;
  later.add(due, () => done.push("first"));
  while (performance.now() < due + 1); // no timer has had a chance
  assertEquals(done, []);
  later.add(due + 1, () => done.push("second"));
  assertEquals(done, ["first", "second"]);
});

Deno.test("Later says that it does not do what is too much, and does all else", async () => {
  using later = new Later(2);
  const now = performance.now();
  const done: string[] = [];
  assert(later.add(now + 60_000, () => done.push("never")));
  const second = new Promise<void>((resolve) => assert(later.add(now + 1_000, resolve)));
  assert(!later.add(now + 30_000, () => done.push("too much")));
  assert(later.add(now, () => done.push("at once")));
  await second;
  assert(later.add(now + 60_000, () => {}));
  assertEquals(done, ["at once"]);
});

Deno.test("Later waits on when a time is longer than a timer can be", async () => {
  using later = new Later();
  const done: string[] = [];
  later.add(performance.now() + 1e15, () => done.push("never"));
  await new Promise<void>((resolve) => later.add(performance.now() + 20, resolve));
  assertEquals(done, []);
});
