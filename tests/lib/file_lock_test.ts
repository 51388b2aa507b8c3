import { assertEquals } from "@std/assert";
import { closeLocked } from "../../lib/file_lock.ts";

/** Starts one program after the other, in a thread of its own. */
const STARTS = `
  postMessage("started");
  for (;;) new Deno.Command("true").outputSync();
`;

Deno.test("closeLocked gives the lock back when a program is just being started", async () => {
  const path = Deno.makeTempFileSync();
  const url = `data:text/javascript,${encodeURIComponent(STARTS)}`;
  const worker = new Worker(url, { type: "module" });
  try {
    await new Promise((resolve) => worker.onmessage = resolve);
    for (let times = 0; times < 5_000; times++) {
      const file = await Deno.open(path, { write: true });
      const taken = await file.tryLock(true);
      closeLocked(file);
      assertEquals(taken, true, `the lock was free ${times} times`);
    }
  } finally {
    worker.terminate();
    Deno.removeSync(path);
  }
});
