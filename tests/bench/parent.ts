/**
 * A server of the benchmark ends with the benchmark, even when that is killed: it reads its standard input,
 * of which the benchmark holds the other end.
 *
 * @module
 */

/** Exits when the benchmark has gone. */
export async function endWithParent(): Promise<never> {
  while (await Deno.stdin.read(new Uint8Array(1)) !== null);
  Deno.exit(0);
}
