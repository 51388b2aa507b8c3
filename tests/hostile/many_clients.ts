/**
 * What the tests of the many_clients servers have in common.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { tcpTarget } from "./attacks.ts";
import { type Script, startScript } from "./script.ts";
import { anyPort, type Place } from "./siege.ts";
import { ask } from "./streams.ts";
import { AT_ONCE, times, within } from "./waits.ts";

/** The workers listen on a port that the main thread found free, and have to be granted that. */
export function anyPortOfHost(): Place {
  const flags = (flag: string) => flag.replace(/(?<=127\.0\.0\.1):\d+/, "");
  return { ...anyPort(), flags };
}

export const pathOf = (way: string) => `scripts/tcp/many_clients_${way}.ts`;

/** Starts one of the four on a free port. */
export async function started(way: string, options: { words?: string[]; files?: number } = {}) {
  const { words = [], files } = options;
  const place = way === "workers" ? anyPortOfHost() : anyPort();
  const server = startScript(pathOf(way), { ...place, words: [...place.words, ...words], files });
  const port = await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m);
  return { server, port, target: tcpTarget(Number(port)) };
}

/** A good client; it may have to wait, but not for ever. */
export async function answers(
  target: ReturnType<typeof tcpTarget>,
  milliseconds = AT_ONCE,
): Promise<void> {
  assertEquals(await within("a good client's answer", ask(target, "well?"), milliseconds), "well?");
}

/** Declares the test that all servers have to pass. */
export function isVisitedByMany(way: string): void {
  Deno.test(`many_clients_${way} answers when 10,000 clients have connected and closed`, async () => {
    const { server, target } = await started(way);
    await using _ended = server;
    await times(10_000, 50, async () => (await target.dial()).close());
    await answers(target, 4 * AT_ONCE);
    assertEquals(await server.stop("SIGINT"), 0);
  });
}

/** Who served a client, as the server's log tells; connects until `count` have. */
export async function servants(server: Script, port: string, count: number): Promise<Set<string>> {
  const found = new Set<string>();
  for (let tries = 0; found.size < count && tries < 500; tries++) {
    await answers(tcpTarget(Number(port)));
    for (const [, who] of server.stderr.matchAll(/(?:worker|process) (\d+) serves/g)) {
      found.add(who!);
    }
  }
  assertEquals(found.size, count, server.stderr.slice(-500));
  return found;
}
