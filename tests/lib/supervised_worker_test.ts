import { assertEquals, assertRejects } from "@std/assert";
import { codeOf, SupervisedWorker } from "../../lib/supervised_worker.ts";
import { until } from "../hostile/waits.ts";

/** Counts its starts on a channel; fails when it is told so there, and as often as the task says at once. */
function work(): void {
  const main = globalThis as unknown as Worker;
  const channel = new BroadcastChannel("supervised_worker_test");
  main.onmessage = ({ data }) => {
    if (data === "stop") {
      channel.close();
      main.postMessage("over");
    } else if (data.refuse) main.postMessage({ name: "NotCapable", message: "no" });
    else {
      main.postMessage("listening");
      channel.postMessage("started");
      channel.onmessage = (event) => {
        if (event.data === "fail") throw new Error("as told");
      };
    }
  };
}

const code = codeOf(work);

Deno.test("SupervisedWorker starts another when a worker fails, until it is stopped", async () => {
  const channel = new BroadcastChannel("supervised_worker_test");
  let starts = 0;
  channel.onmessage = ({ data }) => starts += data === "started" ? 1 : 0;
  const worker = new SupervisedWorker(code, "a test's worker", {}, { pause: 10 });
  await worker.start();
  for (let round = 1; round <= 3; round++) {
    await until(() => `${starts} of ${round} starts`, () => starts === round, 30_000);
    if (round < 3) channel.postMessage("fail");
  }
  await worker.stop();
  assertEquals(starts, 3);
  channel.close();
});

Deno.test("SupervisedWorker is not replaced when it fails while it is being stopped", async () => {
  const worker = new SupervisedWorker(
    codeOf(() => {
      const main = globalThis as unknown as Worker;
      main.onmessage = ({ data }) => {
        if (data === "stop") throw new Error("at the end");
        main.postMessage("listening");
      };
    }),
    "a test's worker",
    {},
  );
  await worker.start();
  await worker.stop();
});

Deno.test("SupervisedWorker tells why when a worker cannot serve", async () => {
  const refused = new SupervisedWorker(code, "a test's worker", { refuse: true });
  await assertRejects(() => refused.start(), Deno.errors.NotCapable, "no");
  const broken = new SupervisedWorker("data:text/javascript,throw Error('broken')", "a", {});
  await assertRejects(() => broken.start(), Error, "broken");
});
