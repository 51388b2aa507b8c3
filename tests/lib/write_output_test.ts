import { assertEquals, assertRejects } from "@std/assert";
import { safeForTerminal } from "../../lib/terminal_output.ts";
import { OutputError, writeOutput } from "../../lib/write_output.ts";

const failing = (error: Error) => ({
  write: () => Promise.reject(error),
  isTerminal: () => true,
});

Deno.test("writeOutput writes on when the output takes a part only", async () => {
  const taken: number[] = [];
  const output = {
    write(bytes: Uint8Array) {
      taken.push(bytes[0]!);
      return Promise.resolve(1);
    },
  };
  await writeOutput(output, "abc");
  assertEquals(taken, [97, 98, 99]);
});

Deno.test("writeOutput says that its reader has gone, and not the server, when a pipe is closed", async () => {
  const gone = failing(new Deno.errors.BrokenPipe("Broken pipe (os error 32)"));
  const words = "nobody reads its output any more";
  await assertRejects(() => writeOutput(gone, "bytes"), OutputError, words);
  await assertRejects(() => writeOutput(safeForTerminal(gone), "bytes"), OutputError, words);
});

Deno.test("writeOutput gives the system's reason when the disk is full", async () => {
  const full = failing(new Error("No space left on device (os error 28)"));
  const words = "its output cannot be written: No space left on device (os error 28)";
  await assertRejects(() => writeOutput(full, "bytes"), OutputError, words);
});
