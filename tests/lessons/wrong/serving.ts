/**
 * Servers of a test, right and wrong ones: each listens on a free port until the end of a block.
 *
 * @module
 */

import { assertMatch } from "@std/assert";
import { accepted } from "../../../lib/accept.ts";
import { type Check, type Result, runChecks } from "../../../lib/check/check.ts";
import { type ServerTrial, serverTrials } from "../../../lib/check/server_trial.ts";

/** A server that runs in this process. */
export interface Serving extends AsyncDisposable {
  where: { hostname: string; port: number };
}

/** How a server goes about it, until it is told to stop. */
export type Way = (
  listener: Deno.TcpListener,
  open: Set<Deno.Conn>,
  stopped: Promise<void>,
) => Promise<unknown>;

/** Runs a server; whatever goes wrong in it ends it, as it would end a program. */
export function serving(way: Way): Serving {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const end = () => {
    close(listener);
    for (const connection of open) close(connection);
  };
  const stopped = Promise.withResolvers<void>();
  const running = way(listener, open, stopped.promise).catch(() => {}).finally(end);
  return {
    where: listener.addr,
    async [Symbol.asyncDispose]() {
      end();
      stopped.resolve();
      await running;
    },
  };
}

/** Closes what may be closed already. */
export function close(resource: { close(): void }): void {
  try {
    resource.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** One client after another, each to its end. */
export function inTurn(converse: (connection: Deno.Conn) => Promise<unknown>): Way {
  return async (listener, open) => {
    for await (const connection of accepted(listener)) {
      open.add(connection);
      try {
        await converse(connection);
      } catch {
        // one client's trouble is not the next one's
      }
      close(connection);
      open.delete(connection);
    }
  };
}

/** All clients at once. */
export function atOnce(converse: (connection: Deno.Conn) => Promise<unknown>): Way {
  return async (listener, open) => {
    for await (const connection of accepted(listener)) {
      open.add(connection);
      converse(connection).catch(() => {}).finally(() => {
        close(connection);
        open.delete(connection);
      });
    }
  };
}

/** What a checker says of a server, quickly. */
export function judge(
  checks: readonly Check<ServerTrial>[],
  where: { hostname: string; port: number },
  options: { timeout?: number; silence?: number; all?: boolean } = {},
): Promise<Result[]> {
  const { timeout = 3_000, silence = 2_500, all } = options;
  return runChecks(checks, serverTrials(where, { timeout, silence }), {
    stopAtFirst: !all,
  });
}

/** The first failure, in one line. */
export function firstFailure(results: Result[]): string {
  const failed = results.find(({ outcome }) => outcome === "failed");
  return failed ? `${failed.name}: ${failed.got}: ${failed.likely}` : "all passed";
}

/** Declares a test that judges many wrong programs at the same time, and a step for the verdict on each. */
export function testWrong(
  checker: string,
  cases: readonly [mistake: string, judged: () => Promise<Result[]>, verdict: RegExp][],
): void {
  Deno.test(`${checker} names the mistake when a program`, async (test) => {
    let next = 0;
    const failures: string[] = [];
    const worker = async () => {
      for (let mine; (mine = next++) < cases.length;) {
        failures[mine] = firstFailure(await cases[mine]![1]());
      }
    };
    await Promise.all(Array.from({ length: 5 }, worker));
    for (const [at, [mistake, , verdict]] of cases.entries()) {
      await test.step(mistake, () => assertMatch(failures[at]!, verdict));
    }
  });
}
