/**
 * The forwarders to Slack, when Slack misbehaves or they are killed: what was acknowledged arrives, in
 * order; and the token is shown nowhere.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Process } from "../peers/process.ts";
import {
  FakeSlack,
  type Fault,
  SECRET,
  sendLines,
  startForwarder,
  startSlackScript,
} from "./fake_slack.ts";
import { pause, until, within } from "./waits.ts";

function temporaryFolder(): Disposable & { path: string; spool: string } {
  const path = Deno.makeTempDirSync({ prefix: "slack-" });
  const remove = () => Deno.removeSync(path, { recursive: true });
  return { path, spool: `${path}/spool`, [Symbol.dispose]: remove };
}

/** Nothing that the processes printed, and no file that they wrote, has the token. */
function assertSecret(processes: Process[], folder?: string): void {
  const files = folder
    ? Array.from(Deno.readDirSync(folder), ({ name }) => `${folder}/${name}`)
    : [];
  const texts = [
    ...processes.flatMap(({ stdout, stderr }) => [stdout.text, stderr.text]),
    ...files.map((file) => Deno.readTextFileSync(file)),
  ];
  for (const text of texts) assert(!text.includes(SECRET.slice(5)), text);
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => `message ${index + 1}`);

/** Without what came twice, one directly after the other. */
const once = (texts: string[]) => texts.filter((text, index) => text !== texts[index - 1]);

for (const fault of ["429", "503", "not ok", "garbage", "echo", "drop", "half"] as Fault[]) {
  Deno.test(`tcp_to_slack loses nothing when Slack answers: ${fault}`, async () => {
    using folder = temporaryFolder();
    await using slack = new FakeSlack(["ok", fault, "ok", fault, "ok"]);
    await using forwarder = await startForwarder(slack, folder.spool);
    const lines = numbered(6);
    assertEquals(await sendLines(forwarder.port, lines), lines);
    await until(() => `only ${slack.taken} arrived`, () => slack.taken.length === 6, 10_000);
    assertEquals(slack.taken, lines);
    assertEquals(await forwarder.stop("SIGTERM"), 0);
    assertSecret([forwarder], folder.spool);
    assertStringIncludes(forwarder.stderr.text, "next try in 1 s, waiting: ");
  });
}

Deno.test("tcp_to_slack loses nothing when Slack hangs", async () => {
  using folder = temporaryFolder();
  await using slack = new FakeSlack(["hang"]);
  await using forwarder = await startForwarder(slack, folder.spool);
  const lines = numbered(3);
  assertEquals(await sendLines(forwarder.port, lines), lines);
  await until(() => `only ${slack.taken} arrived`, () => slack.taken.length === 3, 15_000);
  assertEquals(slack.taken, lines);
  assertStringIncludes(forwarder.stderr.text, "no answer came from Slack within 10 s");
});

Deno.test("tcp_to_slack ends at once and keeps all when Slack hangs, and sends it at the next start", async () => {
  using folder = temporaryFolder();
  const lines = numbered(3);
  await using hanging = new FakeSlack([], { always: "hang" });
  await using first = await startForwarder(hanging, folder.spool);
  await sendLines(first.port, lines);
  assertEquals(await first.stop("SIGINT"), 0);
  // it has not waited until Slack's time was over
  assert(!first.stderr.text.includes("no answer came from Slack"), first.stderr.text);
  assertStringIncludes(first.stderr.text, `kept in ${folder.spool} for the next start: 3`);
  await using slack = new FakeSlack();
  await using second = await startForwarder(slack, folder.spool);
  await until(() => `only ${slack.taken} arrived`, () => slack.taken.length === 3);
  assertEquals(slack.taken, lines);
  assertSecret([first, second], folder.spool);
});

Deno.test("tcp_to_slack loses nothing when Slack is down, is not there at the start, and comes back", async () => {
  using folder = temporaryFolder();
  const slack = new FakeSlack();
  const { port } = slack;
  await slack[Symbol.asyncDispose]();
  await using forwarder = await startForwarder({ port }, folder.spool);
  const lines = numbered(300);
  const [early, late] = [lines.slice(0, 100), lines.slice(100)];
  assertEquals(await sendLines(forwarder.port, early), early);
  await pause(1_500);
  const back = new FakeSlack([], { port });
  await until(() => "nothing arrived", () => back.taken.length > 20, 10_000);
  assertEquals(await sendLines(forwarder.port, late), late);
  // it goes again in the middle
  await back[Symbol.asyncDispose]();
  assert(back.taken.length < 300);
  await pause(200);
  await using again = new FakeSlack([], { port });
  const all = () => once([...back.taken, ...again.taken]);
  await until(() => `${all().length} arrived`, () => all().length >= 300, 20_000);
  assertEquals(all(), lines);
  assertSecret([forwarder], folder.spool);
});

Deno.test("every acknowledged message arrives when tcp_to_slack is killed again and again", async () => {
  using folder = temporaryFolder();
  await using slack = new FakeSlack();
  const thanked: string[] = [];
  const processes: Process[] = [];
  for (let life = 1; life <= 4; life++) {
    await using forwarder = await startForwarder(slack, folder.spool);
    processes.push(forwarder);
    const lines = numbered(5_000).map((line) => `life ${life}, ${line}`);
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const sending = sendLines(forwarder.port, lines, (count) => count === 61 * life && resolve());
    await within("the client is thanked", enough, 20_000).catch((error) => {
      throw new Error(
        `${error.message}: ${forwarder.stdout.text.slice(-300)} ${forwarder.stderr.text}`,
      );
    });
    await forwarder.stop("SIGKILL");
    const got = await sending;
    assert(got.length > 0 && got.length < lines.length, `${got.length} thanks`);
    thanked.push(...got);
  }
  await using last = await startForwarder(slack, folder.spool, "--pace=0");
  processes.push(last);
  await until(
    () => `${once(slack.taken).length} of ${thanked.length} arrived`,
    () => once(slack.taken).includes(thanked.at(-1)!),
    60_000,
  );
  const arrived = once(slack.taken);
  assertEquals(new Set(arrived).size, arrived.length, "out of order");
  // what was sent but not thanked for may have arrived as well
  const acknowledged = new Set(thanked);
  assertEquals(arrived.filter((text) => acknowledged.has(text)), thanked);
  assertSecret(processes, folder.spool);
});

Deno.test("tcp_to_slack tells the client to try later when too many messages wait", async () => {
  using folder = temporaryFolder();
  await using slack = new FakeSlack([], { always: "503" });
  await using forwarder = await startForwarder(slack, folder.spool, "--max-waiting=3");
  const lines = numbered(5);
  assertEquals(await sendLines(forwarder.port, lines), lines.slice(0, 3));
  await forwarder.stop("SIGKILL");
  await using well = new FakeSlack();
  await using _again = await startForwarder(well, folder.spool);
  await until(() => `only ${well.taken} arrived`, () => well.taken.length === 3);
  assertEquals(well.taken, lines.slice(0, 3));
});

Deno.test("tcp_to_slack takes 20 clients at once, text of any kind, and long lines", async () => {
  using folder = temporaryFolder();
  await using slack = new FakeSlack();
  await using forwarder = await startForwarder(slack, folder.spool, "--pace=0");
  const clients = Array.from(
    { length: 20 },
    (_, client) => numbered(20).map((line) => `${client}: ${line} <!channel> ä\x1b[2J`),
  );
  await Promise.all(clients.map((lines) => sendLines(forwarder.port, lines)));
  assertEquals(await sendLines(forwarder.port, ["x".repeat(100_000)]), ["x".repeat(100_000)]);
  await until(() => `${slack.taken.length} arrived`, () => slack.taken.length === 401, 20_000);
  for (const [client, lines] of clients.entries()) {
    const mine = slack.taken.filter((text) => text.startsWith(`${client}: `));
    assertEquals(mine, lines.map((line) => line.replace("<!channel>", "&lt;!channel&gt;")));
  }
  assertEquals(slack.taken.at(-1)!.length, 40_000);
  assertStringIncludes(forwarder.stderr.text, "60001 characters are left out");
  assert(!forwarder.stdout.text.includes("\x1b"));
  // a line without an end is refused, and the others do not notice
  assertEquals(await sendLines(forwarder.port, ["x".repeat(300_000)]), []);
  assertEquals(await sendLines(forwarder.port, ["fine"]), ["fine"]);
});

Deno.test("tcp_to_slack takes what a client sends without a line's end, as the lecture's does", async () => {
  using folder = temporaryFolder();
  await using slack = new FakeSlack();
  await using forwarder = await startForwarder(slack, folder.spool);
  using client = await Deno.connect({ hostname: "127.0.0.1", port: forwarder.port });
  await client.write(new TextEncoder().encode("Call Slack to get the list of channels"));
  const buffer = new Uint8Array(1024);
  const count = await client.read(buffer);
  assertEquals(new TextDecoder().decode(buffer.subarray(0, count!)), "Thank you for reaching us\n");
  await until(() => "nothing arrived", () => slack.taken.length === 1);
});

Deno.test("a message that Slack never takes is set aside, and the next one goes", async () => {
  using folder = temporaryFolder();
  await using api = startSlackScript("api_server", [["5010", "0"]], ["--port=0", "--pace=0"]);
  const [, port] = await api.stdout.line(/^listening on .*:(\d+)$/);
  {
    const words = "--channel=#nowhere";
    await using forwarder = await startForwarder({ port: Number(port) }, folder.spool, words);
    assertEquals(await sendLines(forwarder.port, ["lost?"]), ["lost?"]);
    await forwarder.stderr.line(/channel_not_found.*set aside/);
  }
  const refused = JSON.parse(await Deno.readTextFile(`${folder.spool}/refused.jsonl`));
  assertEquals([refused.channel, refused.text], ["#nowhere", "lost?"]);
});

Deno.test("no script shows the token, whatever goes wrong", async () => {
  using folder = temporaryFolder();
  await using echoing = new FakeSlack([], { always: "echo" });
  const port = String(echoing.port);
  const processes: Process[] = [];
  const send = (...words: string[]) => {
    const api = `--api=http://127.0.0.1:${port}/api`;
    const process = startSlackScript("send", [["5010", port]], [api, "--patience=0", ...words]);
    processes.push(process);
    return process.end();
  };
  // an error page with the token in it, a wrong address, a missing permission, a wrong option
  assertEquals(await send("text"), 1);
  assertEquals(await send("text", "--api=http://127.0.0.1:1/api"), 1);
  assertEquals(await send("text", "--api=http://example.com/api"), 2);
  assertEquals(await send("text", "--token"), 2);
  assertEquals(await send("--help"), 0);
  const server = startSlackScript("api_server", [["5010", "0"]], ["--port=0"]);
  processes.push(server);
  const [, own] = await server.stdout.line(/^listening on .*:(\d+)$/);
  // right and wrong tokens in headers, forms, paths and texts
  for (const token of [SECRET, `${SECRET}x`]) {
    const body = new URLSearchParams({ token, channel: "#bot", text: "hello" });
    const url = `http://127.0.0.1:${own}/api`;
    await (await fetch(`${url}/chat.postMessage`, { method: "POST", body })).text();
    await (await fetch(`${url}/${token}`, { method: "POST", body })).text();
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    await (await fetch(`${url}/auth.test`, { method: "POST", body: "{", headers })).text();
  }
  assertEquals(await server.stop("SIGINT"), 0);
  for (const process of processes) await process[Symbol.asyncDispose]();
  assertSecret(processes, folder.path);
});

Deno.test("a token that Slack refuses is told at the start, with what to do", async () => {
  using folder = temporaryFolder();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ ok: false, error: "invalid_auth" }),
  );
  const { port } = server.addr;
  await using process = startSlackScript("tcp_to_slack", [
    ["5010", String(port)],
    ["/tmp/tcp_to_slack", folder.spool],
  ], [`--api=http://127.0.0.1:${port}/api`, `--spool=${folder.spool}`]);
  assertEquals(await process.end(), 1);
  const [first, second] = process.stderr.lines;
  assertEquals(first, "tcp_to_slack.ts: Slack answers invalid_auth: the token is not valid");
  assertStringIncludes(second!, "SLACK_TOKEN");
});
