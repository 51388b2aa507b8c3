import { assert, assertEquals, assertRejects } from "@std/assert";
import { after, DeadlineError, within } from "../../lib/deadline.ts";

/** Which of the waits ends first, second, … */
function order(...milliseconds: number[]): Promise<number[]> {
  const ended: number[] = [];
  return new Promise((resolve) => {
    for (const wait of milliseconds) {
      after(wait, () => {
        if (ended.push(wait) === milliseconds.length) resolve(ended);
      });
    }
  });
}

Deno.test("after calls back in the order of the deadlines, short and long", async () => {
  assertEquals(await order(30, 0, 230, 450), [0, 30, 230, 450]);
});

Deno.test("after never calls back when it is disposed before", async () => {
  const called: number[] = [];
  for (const wait of [0, 10, 201, 210]) {
    const deadline = after(wait, () => called.push(wait));
    deadline[Symbol.dispose]();
    deadline[Symbol.dispose]();
  }
  await order(20, 220);
  assertEquals(called, []);
});

Deno.test("after calls the others back when one is disposed or added by a callback", async () => {
  const called: string[] = [];
  await new Promise<void>((resolve) => {
    after(211, () => {
      called.push("first");
      other[Symbol.dispose]();
      after(201, () => {
        called.push("added");
        resolve();
      });
    });
    const other = after(211, () => called.push("disposed"));
  });
  assertEquals(called, ["first", "added"]);
});

Deno.test("after takes a wait that never ends, and one that is over", async () => {
  using _never = after(Infinity, () => assert(false));
  await order(-5, 0);
});

Deno.test("after keeps no process alive when all waits are disposed", async () => {
  const module = new URL("../../lib/deadline.ts", import.meta.url);
  const script = `
    const { after, within } = await import("${module}");
    for (const wait of [50, 199, 10_000, 60_000]) after(wait, () => {})[Symbol.dispose]();
    await within(60_000, Promise.resolve());
    console.log("done");`;
  const args = ["eval", script];
  const { code, stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "done\n"]);
});

Deno.test("within gives what the promise gives when it is in time", async () => {
  assertEquals(await within(1_000, Promise.resolve("quick")), "quick");
  assertEquals(await within(Infinity, Promise.resolve("quick")), "quick");
  await assertRejects(() => within(1_000, Promise.reject(new TypeError("no"))), TypeError, "no");
});

Deno.test("within rejects with the time in seconds when the promise is late", async () => {
  const never = new Promise(() => {});
  await assertRejects(() => within(5, never), DeadlineError, "nothing came within 0.005 s");
  await assertRejects(() => within(250, never), DeadlineError, "nothing came within 0.25 s");
});

Deno.test("within disposes of what comes too late and swallows a late failure", async () => {
  let disposed = 0;
  const late = Promise.withResolvers<Disposable | null>();
  const waiting = [within(1, late.promise), within(1, late.promise)];
  for (const wait of waiting) await assertRejects(() => wait, DeadlineError);
  late.resolve({ [Symbol.dispose]: () => void disposed++ });
  await late.promise;
  assertEquals(disposed, 2);
  const failing = Promise.withResolvers<never>();
  await assertRejects(() => within(1, failing.promise), DeadlineError);
  failing.reject(new Error("late, and nobody listens"));
});
