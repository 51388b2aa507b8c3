/**
 * The exercises' checkers against programs that are worse than wrong: each ends with a verdict, in time and with
 * little memory.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { accepted } from "../../lib/accept.ts";
import { behaviours, NONSENSE, reset } from "./peers.ts";
import { flagsOf, memory, type Script, startDeno } from "./script.ts";
import { pause, within } from "./waits.ts";

/** What a checker may grow to: Deno alone has about half of it. */
const MOST_MEMORY = 400 * 1024 * 1024;

const SERVERS = [
  "check_echo",
  "check_many_clients",
  "check_tcp_to_slack",
  "check_time",
  "check_words",
];

/** The checkers that are the server, and how they are told so. */
const WAITING: Record<string, string[]> = {
  check_echo: ["--client"],
  check_mqtt_download: [],
  check_smtp: [],
  check_time: ["--client"],
  check_words: ["--client"],
};

/** What a checker needs besides the address of the program that it tries; ports are whatever is free. */
const MORE: Record<string, (folder: string) => string[]> = {
  check_mqtt_download: (folder) => ["--web", "127.0.0.1:0", "--folder", folder],
  check_tcp_to_slack: () => ["--slack", "127.0.0.1:0"],
  check_words: (folder) => ["--folder", `${folder}/words`],
};

/** What a checker may say besides its verdict. */
const ONLY_WHAT_TO_DO = /^(start your server; its Slack is .*\n)?$/;

/** Runs a checker against whatever listens at a port. */
function startChecker(name: string, port: string, ...words: string[]) {
  const path = `scripts/exercises/${name}.ts`;
  const folder = Deno.makeTempDirSync({ prefix: "hostile-" });
  const flags = flagsOf(path).map((flag) =>
    flag.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`)
      .replace(/,127\.0\.0\.1:\d+/, ",127.0.0.1:0")
      .replace(/=downloads$/, `=${folder}`)
      .replace(/\/tmp\//g, `${folder}/`)
  );
  const more = MORE[name]?.(folder) ?? [];
  const script = startDeno(flags, path, {
    words: [`127.0.0.1:${port}`, "--timeout", "300", ...more, ...words],
  });
  return {
    script,
    async [Symbol.asyncDispose]() {
      await script[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Misbehaves towards every client, until the end of a block. */
function misbehaveAlways(
  behaviour: (connection: Deno.Conn, gone: () => boolean) => Promise<unknown>,
) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let over = false;
  const open = new Set<Promise<unknown>>();
  const accepting = (async () => {
    for await (const connection of accepted(listener)) {
      const work: Promise<unknown> = behaviour(connection, () => over).catch(() => {}).finally(
        () => {
          connection.close();
          open.delete(work);
        },
      );
      open.add(work);
    }
  })();
  return {
    port: String(listener.addr.port),
    async [Symbol.asyncDispose]() {
      over = true;
      listener.close();
      await accepting;
      await Promise.all(open);
    },
  };
}

/** Watches a checker to its end: it gives a verdict, shows no control characters, and stays small. */
async function mustJudge(script: Script): Promise<void> {
  let most = 0, ended = false;
  const watching = script.ended.then(() => ended = true);
  while (!ended) {
    try {
      most = Math.max(most, memory(script.pid));
    } catch (error) {
      // it has ended, and nobody has noticed yet
      if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error;
    }
    await Promise.race([watching, pause(20)]);
  }
  assertEquals(await script.ended, 1, script.stderr);
  assertMatch(script.stdout, /\n {9}expected .*\n {9}got .*\n/);
  assertMatch(script.stdout, /\nscore: \d+ of \d+\n$/);
  assert(!/[\p{Cc}\p{Cf}]/u.test(script.stdout.replaceAll("\n", "")), script.stdout);
  assert(most < MOST_MEMORY, `grew to ${most} bytes`);
}

for (const name of SERVERS) {
  // mostly they wait: so several at the same time
  Deno.test(`${name} ends with a verdict when the server ${Object.keys(behaviours).join(", or ")}`, async () => {
    const judged = Object.entries(behaviours).map(async ([way, behaviour]) => {
      await using server = misbehaveAlways(behaviour);
      await using checker = startChecker(name, server.port);
      await within(`${way}: its end`, mustJudge(checker.script), 60_000);
      assertMatch(checker.script.stderr, ONLY_WHAT_TO_DO, way);
    });
    await Promise.all(judged);
  });

  Deno.test(`${name} ends with a verdict when the server resets each connection`, async () => {
    for (const moment of ["connection", "data"] as const) {
      await using server = await reset(moment);
      await using checker = startChecker(name, server.address);
      await within("its end", mustJudge(checker.script), 60_000);
      assertMatch(checker.script.stderr, ONLY_WHAT_TO_DO);
    }
  });
}

/** Ways to misbehave as a client, until the checker has had enough. */
const CLIENTS: Record<string, (connection: Deno.Conn) => Promise<unknown>> = {
  "never stops sending": async (connection) => {
    const bytes = new Uint8Array(64 * 1024).fill(0x78);
    for (;;) await connection.write(bytes);
  },
  "is silent": (connection) => connection.read(new Uint8Array(1)),
  "sends nonsense and leaves": (connection) => connection.write(NONSENSE),
  "sends a byte every 50 ms": async (connection) => {
    for (;;) {
      await connection.write(new Uint8Array([0x78]));
      await pause(50);
    }
  },
};

for (const [name, words] of Object.entries(WAITING)) {
  Deno.test(`${[name, ...words].join(" ")} ends with a verdict when the client ${Object.keys(CLIENTS).join(", or ")}`, async () => {
    const judged = Object.entries(CLIENTS).map(async ([way, behaviour]) => {
      await using checker = startChecker(name, "0", ...words, "--patience", "2");
      const { script } = checker;
      const port = Number(await script.printed(/^listening on 127\.0\.0\.1:(\d+)$/m));
      let ended = false;
      script.ended.then(() => ended = true);
      const visiting = (async () => {
        while (!ended) await visit(port, behaviour);
      })();
      await within(`${way}: its end`, mustJudge(script), 60_000);
      await visiting;
    });
    await Promise.all(judged);
  });
}

/** One visit of a client that misbehaves. */
async function visit(port: number, behaviour: (connection: Deno.Conn) => Promise<unknown>) {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await behaviour(connection);
  } catch (error) {
    // the checker has closed the connection, or has ended (NotConnected: while it was being connected to)
    const { BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected } = Deno.errors;
    const kinds = [BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected];
    if (!kinds.some((kind) => error instanceof kind)) throw error;
  }
}

Deno.test("check_echo says what to do, and tries nothing else, when nothing listens", async () => {
  await using checker = startChecker("check_echo", "9");
  const { script } = checker;
  await mustJudge(script);
  assertMatch(script.stdout, /connection refused.*\n {9}likely {4}start your server first/);
  assertMatch(script.stdout, /\n 2 - .*: not tried\n/);
});

Deno.test("check_echo --json gives one document, and the exit code tells the same, when a check fails", async () => {
  await using server = misbehaveAlways((connection) => connection.write(NONSENSE));
  await using checker = startChecker("check_echo", server.port, "--json", "--first");
  const { script } = checker;
  assertEquals(await within("its end", script.ended, 60_000), 1);
  const { subject, passed, total, checks } = JSON.parse(script.stdout);
  assertEquals([subject, passed, total], [`the echo server at 127.0.0.1:${server.port}`, 0, 18]);
  assertEquals(checks.length, total);
  const [first, second] = checks;
  assertEquals(Object.keys(first).slice(0, 5), ["name", "outcome", "sent", "expected", "got"]);
  assertEquals([first.outcome, second.outcome], ["failed", "not tried"]);
});

for (const words of [["here"], ["127.0.0.1"], ["unix:/tmp/x"], ["127.0.0.1:1", "more"]]) {
  Deno.test(`check_echo ends with 2 and its usage when called with ${words.join(" ")}`, async () => {
    const path = "scripts/exercises/check_echo.ts";
    await using script = startDeno(flagsOf(path), path, { words });
    assertEquals(await within("its end", script.ended, 60_000), 2);
    assertMatch(script.stderr, /^check_echo\.ts: .*\nusage: deno run /);
    assertEquals(script.stdout, "");
  });
}
