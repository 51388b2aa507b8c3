/**
 * A process of the benchmark ends with the benchmark, even when that is killed: it reads its standard
 * input, of which the benchmark holds the other end.
 *
 * @module
 */

/** Exits when the benchmark has gone. */
export async function endWithParent(): Promise<never> {
  while (await heard());
  Deno.exit(0);
}

/** Does one run for each byte the benchmark sends, and prints its result. */
export async function runWhenAsked(run: () => Promise<object>): Promise<never> {
  console.log("ready");
  while (await heard()) console.log(JSON.stringify(await run()));
  Deno.exit(0);
}

async function heard(): Promise<boolean> {
  return await Deno.stdin.read(new Uint8Array(1)) !== null;
}
