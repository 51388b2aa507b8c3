/**
 * The server for IPv4 and IPv6 besieged over both, and the race of Happy Eyeballs as a process.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../peers/peers.ts";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { misbehave, reset } from "./peers.ts";
import { startDeno } from "./script.ts";
import { besiege, type Place, starve, type Subject } from "./siege.ts";
import { ask } from "./streams.ts";
import { within } from "./waits.ts";

/** A port that is free at both loopback addresses. */
function samePort(): Place {
  for (;;) {
    const port = String(freePort());
    try {
      Deno.listen({ hostname: "::1", port: Number(port) }).close();
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) continue;
      throw error;
    }
    return {
      words: ["--port", port],
      flags: (flag) => flag.replace(/(?<=(?:127\.0\.0\.1|\[::1\]):)\d+/g, port),
      [Symbol.dispose]() {},
    };
  }
}

/** Both addresses of a port in turn. */
function bothTargets(port: number): Target {
  const targets = [tcpTarget(port), tcpTarget(port, "::1")];
  let turn = 0;
  const next = () => targets[turn++ % 2]!;
  return { dial: () => next().dial(), reset: (bytes, moment) => next().reset(bytes, moment) };
}

const dualStack: Subject<Target> = {
  path: "scripts/tcp/dual_stack.ts",
  attacks,
  target: (address) => bothTargets(Number(address)),
  async goodClient(target) {
    const answers = [await ask(target, ""), await ask(target, "")].sort();
    assertMatch(answers[0]!, /^You come over IPv4: host 127\.0\.0\.1, port \d+\n$/);
    assertMatch(answers[1]!, /^You come over IPv6: host ::1, port \d+\n$/);
  },
  idleClient: (target) => target.dial(),
  taken:
    /^dual_stack\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
};

besiege(dualStack, samePort);
starve(dualStack, samePort);

async function race(port: string, ...words: string[]) {
  const flags = [`--allow-net=127.0.0.1:${port},[::1]:${port}`];
  const all = ["--port", port, ...words, "::1", "127.0.0.1"];
  await using client = startDeno(flags, "scripts/tcp/happy_eyeballs.ts", { words: all });
  const code = await within("the end of the race", client.ended, 30_000);
  return { code, stdout: client.stdout, stderr: client.stderr };
}

Deno.test("happy_eyeballs.ts is connected to a server that is silent or floods", async () => {
  const servers = [
    misbehave(async (connection) => void await connection.read(new Uint8Array(1))),
    misbehave(async (connection) => {
      for (;;) await connection.write(new Uint8Array(64 * 1024));
    }),
  ];
  for (const each of servers) {
    await using server = each;
    const { code, stdout, stderr } = await race(server.address);
    assertEquals(stdout, "127.0.0.1 is connected\n");
    assertMatch(stderr, /^trying ::1\n::1: connection refused.*\ntrying 127\.0\.0\.1\n$/);
    assertEquals(code, 0);
  }
});

Deno.test("happy_eyeballs.ts is connected, or says that it no longer is, when the server resets", async () => {
  await using server = await reset("connection");
  const { code, stdout, stderr } = await race(server.address);
  if (code === 0) assertEquals(stdout, "127.0.0.1 is connected\n");
  else {
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^happy_eyeballs\.ts: cannot connect to .*reset/m);
  }
});

Deno.test("happy_eyeballs.ts ends with one error when no address answers", async () => {
  const { code, stdout, stderr } = await race(samePort().words[1]!);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    /^happy_eyeballs\.ts: cannot connect to ::1 or 127\.0\.0\.1 port \d+: conn.+$/m,
  );
});

Deno.test("happy_eyeballs.ts refuses a delay that RFC 8305 forbids", async () => {
  for (const delay of ["0", "9", "2001"]) {
    const words = ["--delay", delay];
    await using client = startDeno([], "scripts/tcp/happy_eyeballs.ts", { words });
    assertEquals(await client.ended, 2);
    assertMatch(client.stderr, /--delay is 10 to 2000 \(RFC 8305, section 5\), not \d+$/m);
  }
});
