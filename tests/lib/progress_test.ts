import { assertEquals } from "@std/assert";
import { byteText, Progress, type ProgressOptions, progressText } from "../../lib/progress.ts";
import { decode } from "./helpers.ts";

/** A progress line on a terminal of the test's own, with its own clock. */
function shown(options: ProgressOptions = {}, terminal = true) {
  const seen = { text: "", time: 0 };
  const output = {
    isTerminal: () => terminal,
    writeSync(bytes: Uint8Array) {
      const taken = bytes.subarray(0, 5); // a terminal may take a part only
      seen.text += decode(taken);
      return taken.length;
    },
  };
  const now = () => seen.time;
  return {
    seen,
    progress: new Progress({ output, now, silent: false, columns: 80, ...options }),
  };
}

Deno.test("Progress writes one line over again, not too often, and removes it", () => {
  const { seen, progress } = shown({ total: 4_000 });
  progress.add(1_000);
  assertEquals(seen.text, "\r 25%  1.0 kB of 4.0 kB\x1b[K");
  seen.text = "";
  seen.time = 199;
  progress.add(1_000);
  assertEquals(seen.text, "");
  seen.time = 500;
  progress.add(1_000);
  assertEquals(seen.text, "\r 75%  3.0 kB of 4.0 kB  6.0 kB/s\x1b[K");
  seen.text = "";
  progress[Symbol.dispose]();
  progress[Symbol.dispose]();
  assertEquals(seen.text, "\r\x1b[K");
});

Deno.test("Progress counts what was there before as done, but not for the rate", () => {
  const { seen, progress } = shown({ total: 10_000, start: 5_000 });
  seen.time = 1_000;
  progress.add(1_000);
  assertEquals(seen.text, "\r 60%  6.0 kB of 10.0 kB  1.0 kB/s\x1b[K");
});

Deno.test("Progress stays on one line of a narrow terminal", () => {
  const { seen, progress } = shown({ total: 4_000, columns: 10 });
  progress.add(1_000);
  assertEquals(seen.text, "\r 25%  1.0\x1b[K");
});

Deno.test("Progress is silent when there is no terminal, and when it is told so", () => {
  for (const { seen, progress } of [shown({}, false), shown({ silent: true })]) {
    progress.add(1);
    progress[Symbol.dispose]();
    assertEquals(seen.text, "");
  }
});

Deno.test("progressText leaves out what is not known", () => {
  assertEquals(progressText(10, undefined, 10, 1_000), "10 B  10 B/s");
  assertEquals(progressText(0, 0, 0, 0), "100%  0 B of 0 B");
  assertEquals(progressText(11, 10, 11, 0), "11 B"); // more than there should be
  assertEquals(progressText(999_999, 1_000_000, 0, 0), " 99%  1.0 MB of 1.0 MB");
});

Deno.test("byteText takes the unit that suits", () => {
  const wanted: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [999_949, "999.9 kB"],
    [999_950, "1.0 MB"],
    [20_000_000, "20.0 MB"],
    [3e15, "3000.0 TB"],
  ];
  for (const [bytes, text] of wanted) assertEquals(byteText(bytes), text);
});
