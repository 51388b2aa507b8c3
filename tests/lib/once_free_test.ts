import { assertEquals, assertRejects } from "@std/assert";
import { onceFree } from "../../lib/once_free.ts";

const full = () => Object.assign(new Error("Too many open files"), { code: "EMFILE" });

Deno.test("onceFree tries again while too many files are open, and no longer than it is told", async () => {
  let tries = 0;
  const third = () => ++tries < 3 ? Promise.reject(full()) : Promise.resolve("read");
  assertEquals([await onceFree(third), tries], ["read", 3]);
  await assertRejects(() => onceFree(() => Promise.reject(full()), 30), Error, "Too many open");
});

Deno.test("onceFree tries once when something else is wrong", async () => {
  let tries = 0;
  const fails = () => Promise.reject(new Error(`try ${++tries}`));
  await assertRejects(() => onceFree(fails), Error, "try 1");
  assertEquals(tries, 1);
});
