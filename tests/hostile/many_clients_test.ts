import { assert, assertEquals, assertMatch } from "@std/assert";
import { answers, isVisitedByMany, pathOf, started } from "./many_clients.ts";
import { freePort } from "../peers/peers.ts";
import { memory, mostFiles, openFiles, startDeno, startScript } from "./script.ts";
import { anyPort, besiege, starve } from "./siege.ts";
import { ask, echoServer } from "./streams.ts";
import { settles, times, until, within } from "./waits.ts";

besiege({ ...echoServer, path: pathOf("sequential"), oneAtATime: true }, anyPort);
besiege({ ...echoServer, path: pathOf("async"), oneAtATime: false }, anyPort);
starve({ ...echoServer, path: pathOf("async"), oneAtATime: false }, anyPort);
isVisitedByMany("sequential");
isVisitedByMany("async");

Deno.test("many_clients_sequential serves the second client when the first has gone", async () => {
  const { server, target } = await started("sequential");
  await using _ended = server;
  const first = await target.dial();
  await first.write(new Uint8Array(5));
  await within("the first answer", first.read(new Uint8Array(5)));
  const second = ask(target, "my turn?");
  assert(!await settles(second, 300), "the second was served while the first was");
  first.close();
  assertEquals(await within("the second answer", second), "my turn?");
  assertMatch(server.stderr, /is served, all others wait\n.* was served for .*: 5 bytes\n/);
  assertEquals(await server.stop("SIGTERM"), 0);
});

const MANY = 5_000;
const FILES = 20_000;

Deno.test({
  name: `many_clients_async answers at once when ${MANY} idle connections are held`,
  ignore: mostFiles() < FILES,
  async fn() {
    const { server, port, target } = await started("async", { files: FILES });
    await using _ended = server;
    const files = openFiles(server.pid);
    await times(200, 50, () => answers(target));
    const before = memory(server.pid);
    {
      await using crowd = startDeno(
        [`--allow-net=127.0.0.1:${port}`],
        "tests/hostile/crowd.ts",
        { files: FILES, words: [port, String(MANY)] },
      );
      await crowd.printed(/^holding 5000$/m);
      const all = () => openFiles(server.pid) >= files + MANY;
      await until(() => "not all are accepted", all);
      await answers(target);
      const each = (memory(server.pid) - before) / MANY;
      console.log(`many_clients_async: ${(each / 1024).toFixed(1)} KiB for an idle connection`);
      assert(each < 20_000, `${each} bytes for an idle connection`);
      // all 5,000 vanish at once
      await crowd.stop("SIGKILL");
    }
    await answers(target);
    await until(() => "files stay open", () => openFiles(server.pid) === files);
    assertEquals(await server.stop("SIGINT"), 0);
  },
});

Deno.test("many_clients_compare gives programs the figures of all four, with 1, 32 and 256 clients", async () => {
  const port = String(freePort());
  await using script = startScript(pathOf("compare"), {
    words: ["--json", "--time", "10", "--port", port],
    flags: (flag) => flag.replace(":10000", `:${port}`),
  });
  assertEquals(await within("its end", script.ended, 60_000), 0, script.stderr);
  const all: { server: string; clients: number; rate: number; served: number }[] = JSON.parse(
    script.stdout,
  );
  assertEquals(
    all.map(({ server, clients }) => `${server} ${clients}`),
    ["sequential", "async", "workers", "processes"].flatMap((server) =>
      [1, 32, 256].map((clients) => `${server} ${clients}`)
    ),
  );
  for (const { clients, rate, served } of all) assertEquals([rate > 0, served], [true, clients]);
});

Deno.test("many_clients_compare names the server that cannot start, and draws nothing", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(taken.addr.port);
  await using script = startScript(pathOf("compare"), {
    words: ["--port", port],
    flags: (flag) => flag.replace(":10000", `:${port}`),
  });
  assertEquals(await within("its end", script.ended, 60_000), 1);
  assertMatch(script.stderr, /cannot start a server: .*another program has that address already/);
});
