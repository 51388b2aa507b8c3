/**
 * download_subscriber and emergency_relay as processes, with our broker, and what strangers publish.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { callsForHelp } from "../../scripts/mqtt/emergency_relay.ts";
import { RawClient } from "./mqtt.ts";
import { type Script, startScript } from "./script.ts";
import { anyPort } from "./siege.ts";
import { until, within } from "./waits.ts";

/** A broker, and how to start others beside it. */
async function world(): Promise<AsyncDisposable & { port: number; start: typeof startBeside }> {
  const place = anyPort();
  const broker = startScript("scripts/mqtt/broker.ts", place);
  const port = Number(await broker.printed(/^listening on 127\.0\.0\.1:(\d+)$/m));
  return { port, start: startBeside, [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose]() };
}

/** Starts a script that listens to a topic of the broker, and waits until it does. */
async function startBeside(
  script: string,
  port: number,
  words: string[],
  grants: Record<string, string> = {},
): Promise<Script> {
  const process = startScript(`scripts/mqtt/${script}.ts`, {
    words: ["--port", `${port}`, ...words],
    flags: (flag) => {
      const kind = /^--allow-(\w+)=/.exec(flag)?.[1] ?? "";
      const net = [`127.0.0.1:${port}`, ...(grants.net ? [grants.net] : [])].join(",");
      return kind === "" ? flag : `--allow-${kind}=${kind === "net" ? net : grants[kind]}`;
    },
  });
  const told = () => `it says ${process.stderr}`;
  await until(told, () => /^listening on /m.test(process.stderr), 15_000);
  return process;
}

// download_subscriber

/** A web server that answers when it is told to, and counts how many wait. */
function webServer() {
  let waiting = 0, most = 0;
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    most = Math.max(most, ++waiting);
    await gate.promise;
    waiting--;
    const { pathname } = new URL(request.url);
    if (pathname === "/long") return new Response("x".repeat(5_000));
    if (pathname === "/away") return Response.redirect("ftp://127.0.0.1/x");
    return new Response(`this is ${pathname}`);
  });
  return {
    at: `127.0.0.1:${server.addr.port}`,
    waiting: () => waiting,
    most: () => most,
    close: () => gate = Promise.withResolvers(),
    open: () => gate.resolve(),
    async [Symbol.asyncDispose]() {
      gate.resolve();
      await server.shutdown();
    },
  };
}

/** A folder, a web server, and a download_subscriber that uses both. */
async function downloads(port: number, ...words: string[]) {
  const folder = Deno.makeTempDirSync({ prefix: "downloads-" });
  const web = webServer();
  const grants = { net: web.at, write: folder };
  const script = await startBeside(
    "download_subscriber",
    port,
    ["--folder", folder, "--limit", "1000", ...words],
    grants,
  );
  return {
    script,
    web,
    files: () => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort(),
    read: (name: string) => Deno.readTextFileSync(`${folder}/${name}`),
    async [Symbol.asyncDispose]() {
      await script[Symbol.asyncDispose]();
      await web[Symbol.asyncDispose]();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

Deno.test("download_subscriber.ts saves what it may and reports the rest when URLs are hostile", async () => {
  await using broker = await world();
  await using it = await downloads(broker.port, "--allow-private", "--at-once", "2");
  using errors = await RawClient.open(broker.port, "errors", "download/errors");
  using sender = await RawClient.open(broker.port, "sender");
  const at = `http://${it.web.at}`;
  // more failures than may go on at once: each report has to get through before the next is begun
  const bad: [url: string | Uint8Array, reason: string][] = [
    ["", "it is no URL"],
    ["not a URL", "it is no URL"],
    ["file:///etc/passwd", "file: is neither http: nor https:"],
    ["ftp://127.0.0.1/no", "ftp: is neither"],
    [`${at}/long`, "it has more than 1000 bytes"],
    [`${at}/away`, "ftp: is neither"],
    [`http://user:word@${it.web.at}/x`, "user name or password"],
    [new Uint8Array([0xff, 0x1b, 0x5b, 0x32, 0x4a]), "it is no URL"],
    ["http://127.0.0.1:2/", "Deno was not given --allow-net=127.0.0.1:2"],
    [`${at}/${"../".repeat(3_000)}long`, "it has more than 1000 bytes"],
  ];
  const reports: { url: string; error: string }[] = [];
  const collecting = (async () => {
    while (reports.length < bad.length) reports.push(JSON.parse(await errors.message()));
  })();
  for (const [url] of bad) await sender.publish("download", url);
  await within("all reports", collecting, 15_000);
  const reasons = bad.map(([, reason]) => reason);
  const missing = reasons.filter((reason) => !reports.some(({ error }) => error.includes(reason)));
  assertEquals(missing, [], JSON.stringify(reports));

  for (const name of ["a.txt", "%2e%2e%2f%2e%2e%2fb.txt", "a.txt"]) {
    await sender.publish("download", `${at}/${name}`);
  }
  await until(() => `${it.files()}`, () => it.script.stdout.split("\n").length > 3);
  assertEquals(it.files(), ["a (2).txt", "a.txt", "b.txt"]);
  assertEquals(it.read("a.txt"), "this is /a.txt");
  assertEquals(/[^\P{Cc}\n]/u.test(it.script.stdout + it.script.stderr), false);
  assertEquals(await it.script.stop("SIGTERM"), 0);
});

Deno.test("download_subscriber.ts keeps to --at-once when many URLs come", async () => {
  await using broker = await world();
  await using it = await downloads(broker.port, "--allow-private", "--at-once", "3");
  using sender = await RawClient.open(broker.port, "sender");
  it.web.close();
  for (let index = 0; index < 12; index++) {
    await sender.publish("download", `http://${it.web.at}/${index}.txt`);
  }
  await until(() => `${it.web.waiting()} wait`, () => it.web.waiting() === 3);
  it.web.open();
  await until(() => `${it.files()}`, () => it.files().length === 12);
  assertEquals(it.web.most(), 3);
});

Deno.test("download_subscriber.ts fetches nothing from private addresses when not told to", async () => {
  await using broker = await world();
  await using it = await downloads(broker.port);
  using errors = await RawClient.open(broker.port, "errors", "download/errors");
  using sender = await RawClient.open(broker.port, "sender");
  for (const host of [it.web.at, `localhost:${it.web.at.split(":")[1]}`, "[::1]", "2130706433"]) {
    await sender.publish("download", `http://${host}/a.txt`);
    assertStringIncludes(await errors.message(), "private network (--allow-private permits it)");
  }
  assertEquals([it.files(), it.web.most()], [[], 0]);
});

// emergency_relay

const USUAL = ["help", "fire", "911"];

Deno.test("callsForHelp finds whole words in any case when", async (t) => {
  const cases: [text: string, phrases: string[], expected: boolean][] = [
    ["help", USUAL, true],
    ["Please HELP me!", USUAL, true],
    ["(Fire)", USUAL, true],
    ["call 911, now", USUAL, true],
    ["fire\nfire", USUAL, true],
    ["helpful", USUAL, false],
    ["campfire", USUAL, false],
    ["fire_wall", USUAL, false],
    ["9110", USUAL, false],
    ["1-911", USUAL, true],
    ["éhelp", USUAL, false],
    ["", USUAL, false],
    ["The weather is fine", USUAL, false],
    ["i have  fallen\tdown", ["fallen down"], true],
    ["fallendown", ["fallen down"], false],
    ["ZU HÜLF", ["zu hülf"], true],
    ["ПОМОГИТЕ!", ["помогите"], true],
    ["c++ is on fire", ["c++"], true],
    ["what? no", ["what?"], true],
    ["wha", ["what?"], false],
    ["a.b", ["a.b"], true],
    ["axb", ["a.b"], false],
    ["(", ["("], true],
    ["\u{fffd}help", USUAL, true],
  ];
  for (const [text, phrases, expected] of cases) {
    await t.step(`${JSON.stringify(text)} is looked through for ${phrases}`, () => {
      assertEquals(callsForHelp(text, phrases), expected);
    });
  }
});

Deno.test("emergency_relay.ts relays calls for help and nothing else when both come", async () => {
  await using broker = await world();
  await using relay = await startBeside("emergency_relay", broker.port, []);
  using help = await RawClient.open(broker.port, "help", "help");
  using caller = await RawClient.open(broker.port, "caller");
  const texts = ["The weather is fine", "HELP", "helpless", "\x1b[2J fire!", "end of 911"];
  for (const text of texts) await caller.publish("911", text);
  await caller.publish("911", new Uint8Array([0xff, 0x20, 0x73, 0x6f, 0x73]));
  const got: string[] = [];
  while (got.length < 4) got.push(await help.message());
  assertEquals(got, ["HELP", "\x1b[2J fire!", "end of 911", "\ufffd sos"]);
  await until(() => relay.stdout, () => relay.stdout.includes(String.raw`"\xff sos"`));
  assertStringIncludes(relay.stdout, String.raw`relayed to help: "\x1b[2J fire!"`);
  assertStringIncludes(relay.stderr, 'no call for help: "helpless"');
  assertEquals(await relay.stop("SIGTERM"), 0);
});

Deno.test("emergency_relay.ts takes other topics and phrases when it is told to", async () => {
  await using broker = await world();
  const words = ["--from", "a", "--to", "b", "--phrase", "man overboard", "--phrase", "mayday"];
  await using _relay = await startBeside("emergency_relay", broker.port, words);
  using b = await RawClient.open(broker.port, "b", "b");
  using caller = await RawClient.open(broker.port, "caller");
  for (const text of ["help", "Man  overboard!", "MAYDAY"]) await caller.publish("a", text);
  assertEquals([await b.message(), await b.message()], ["Man  overboard!", "MAYDAY"]);
});

Deno.test("emergency_relay.ts stops a message when two relays stand in a circle", async () => {
  await using broker = await world();
  const back = ["--from", "help", "--to", "911"];
  await using there = await startBeside("emergency_relay", broker.port, []);
  await using andBack = await startBeside("emergency_relay", broker.port, back);
  using everybody = await RawClient.open(broker.port, "everybody", "911", "help");
  using caller = await RawClient.open(broker.port, "caller");
  for (const text of ["sos", "fire"]) await caller.publish("911", text);
  const told = () => `${there.stderr}${andBack.stderr}`;
  await until(told, () => there.stderr.split("came back, not relayed again").length === 3);
  // had more gone round, it would have come before this
  await caller.publish("911", "the end");
  const got: string[] = [];
  for (let text = ""; text !== "the end"; got.push(text)) text = await everybody.message();
  // published, relayed to help, relayed back to 911
  assertEquals(got.sort(), ["fire", "fire", "fire", "sos", "sos", "sos", "the end"]);
});
