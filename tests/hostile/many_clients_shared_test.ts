import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  answers,
  anyPortOfHost,
  isVisitedByMany,
  pathOf,
  servants,
  started,
} from "./many_clients.ts";
import { startScript } from "./script.ts";
import { anyPort, besiege } from "./siege.ts";
import { echoServer } from "./streams.ts";
import { AT_ONCE, until, within } from "./waits.ts";

const LINUX = Deno.build.os === "linux"; // it alone deals connections out to those who share a port

besiege({ ...echoServer, path: pathOf("workers"), oneAtATime: false }, anyPortOfHost);
besiege({ ...echoServer, path: pathOf("processes"), oneAtATime: false }, anyPort);
isVisitedByMany("workers");
isVisitedByMany("processes");

for (const [way, option] of [["workers", "--workers"], ["processes", "--processes"]] as const) {
  Deno.test({
    name: `many_clients_${way} lets all three serve when clients come one by one`,
    ignore: !LINUX,
    async fn() {
      const { server, port } = await started(way, { words: [option, "3"] });
      await using _ended = server;
      await servants(server, port, 3);
      assertEquals(await server.stop("SIGINT"), 0);
    },
  });

  Deno.test(`many_clients_${way} refuses ${option} 0 and ${option} 65`, async () => {
    for (const count of ["0", "65"]) {
      await using script = startScript(pathOf(way), { words: [option, count] });
      assertEquals(await within("its end", script.ended), 2);
      assertMatch(script.stderr, /is 1 to 64/);
    }
  });
}

const alive = (pid: string) => {
  try {
    return /^State:\s+[^Z]/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
};

Deno.test({
  name: "many_clients_processes serves on and starts another when a process is killed",
  ignore: !LINUX,
  async fn() {
    const { server, port, target } = await started("processes", { words: ["--processes", "2"] });
    await using _ended = server;
    const [first] = await servants(server, port, 2);
    Deno.kill(Number(first), "SIGKILL");
    const replaced = new RegExp(
      `^process ${first} was ended by SIGKILL: another takes its place$`,
      "m",
    );
    // until the parent has seen it end, the dying process may be dealt a client, and resets it
    await until(() => server.stderr.slice(-500), () => replaced.test(server.stderr));
    await answers(target);
    const again = new RegExp(`^process (\\d+) took the place of process ${first}$`, "m");
    await until(() => server.stderr.slice(-500), () => again.test(server.stderr), 12 * AT_ONCE);
    const [, next] = again.exec(server.stderr)!;
    await until(() => "the new one serves nobody", () => alive(next!));
    assert((await servants(server, port, 3)).has(next!));
    assertEquals(await server.stop("SIGTERM"), 0);
    await until(() => "a child is left", () => !alive(next!));
  },
});

Deno.test({
  name: "many_clients_processes leaves no process behind when the first is killed",
  ignore: !LINUX,
  async fn() {
    const { server, port } = await started("processes", { words: ["--processes", "2"] });
    const pids = await servants(server, port, 2);
    await server.stop("SIGKILL");
    await until(() => "a child is left", () => ![...pids].some(alive), 4 * AT_ONCE);
    await server[Symbol.asyncDispose]();
  },
});

Deno.test("many_clients_processes tells what to do when there is no deno on the PATH", async () => {
  const flags = ["--allow-net=127.0.0.1:0", "--allow-run=deno"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...flags, pathOf("processes"), "--port", "0"],
    env: { PATH: "/nowhere", NO_COLOR: "1" },
    stdin: "null",
  });
  const { code, stderr } = await within("its end", child.output());
  assertEquals(code, 1);
  assertMatch(
    new TextDecoder().decode(stderr),
    /cannot start deno: .*\nPut the folder that has deno on the PATH\./,
  );
});
