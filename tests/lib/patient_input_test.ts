import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { DeadlineError } from "../../lib/deadline.ts";
import { PatientInput, type Wait } from "../../lib/patient_input.ts";
import { decode, Feed } from "./helpers.ts";

const wait = (options: Partial<Wait> = {}): Wait => ({ timeout: 30_000, due: 0, ...options });

Deno.test("PatientInput brings bytes into the memory of the read that was given up", async () => {
  const feed = new Feed();
  const input = new PatientInput(feed);
  const memory = new Uint8Array(8);
  await assertRejects(() => input.read(() => memory, wait({ timeout: 1 })), DeadlineError);
  const other = () => {
    throw new Error("asked for memory though a read was waiting");
  };
  await assertRejects(() => input.read(other, wait({ timeout: 1 })), DeadlineError);
  feed.send("bytes");
  assertEquals(await input.read(other, wait()), 5);
  assertEquals(decode(memory.subarray(0, 5)), "bytes");
  assertEquals(feed.reads, 1);
  assertThrows(other);
});

Deno.test("PatientInput tells a failure to whoever takes the read over, and to nobody else", async () => {
  const feed = new Feed();
  const input = new PatientInput(feed);
  const memory = () => new Uint8Array(8);
  const fault = new Error("cable pulled");
  await assertRejects(() => input.read(memory, wait({ timeout: 1 })), DeadlineError);
  feed.fail(fault);
  // nobody waits while it fails: it must not count as an error that nobody handles
  await new Promise<void>((resolve) => {
    AbortSignal.timeout(1).addEventListener("abort", () => resolve());
  });
  assertStrictEquals(await input.read(memory, wait()).catch((error) => error), fault);
  feed.send("on");
  assertEquals(await input.read(memory, wait()), 2);
});

Deno.test("PatientInput goes on when a source throws instead of rejecting", async () => {
  let broken = true;
  const input = new PatientInput({
    read() {
      if (broken) throw new Error("broken");
      return Promise.resolve(null);
    },
  });
  await assertRejects(() => input.read(() => new Uint8Array(1), wait()), Error, "broken");
  broken = false;
  assertEquals(await input.read(() => new Uint8Array(1), wait()), null);
});

Deno.test("PatientInput begins no read when its signal is aborted already", async () => {
  const feed = new Feed();
  const reason = new Error("stop");
  const signal = AbortSignal.abort(reason);
  const error = await new PatientInput(feed).read(() => new Uint8Array(1), wait({ signal }))
    .catch((error) => error);
  assertStrictEquals(error, reason);
  assertEquals(feed.reads, 0);
});

Deno.test("PatientInput shares one deadline between all reads of a wait", async () => {
  const feed = new Feed();
  const input = new PatientInput(feed);
  const shared = wait({ timeout: 60_000 });
  feed.send("a");
  await input.read(() => new Uint8Array(1), shared);
  const { due } = shared;
  feed.send("b");
  await input.read(() => new Uint8Array(1), shared);
  assertEquals(shared.due, due);
  shared.due = 1;
  await assertRejects(() => input.read(() => new Uint8Array(1), shared), DeadlineError, "60 s");
});

Deno.test("PatientInput refuses a second read while one waits", async () => {
  const feed = new Feed();
  const input = new PatientInput(feed);
  const first = input.read(() => new Uint8Array(1), wait());
  const second = input.read(() => new Uint8Array(1), wait());
  await assertRejects(() => second, TypeError, "another call is still waiting");
  feed.send("a");
  assertEquals(await first, 1);
});
