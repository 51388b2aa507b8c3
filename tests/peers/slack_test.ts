/**
 * The stand-in for Slack with Slack's own client library, and the forwarders with nc and Mosquitto.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { LogLevel, WebClient } from "npm:@slack/web-api@^7.9.0";
import { SECRET, startForwarder, startSlackScript } from "../hostile/fake_slack.ts";
import { freePort, peerTest, temporaryFolder } from "./peers.ts";
import { Process, within } from "./process.ts";

/** An `api_server.ts` that listens. */
async function startApi(...words: string[]): Promise<Process & { port: number }> {
  const process = startSlackScript("api_server", [["5010", "0"]], ["--port=0", ...words]);
  const [, port] = await process.stdout.line(/^listening on .*:(\d+)$/);
  return Object.assign(process, { port: Number(port) });
}

/** Slack's own client, pointed at ours. */
function webClient(port: number, options: { token?: string; wait?: boolean } = {}): WebClient {
  return new WebClient(options.token ?? SECRET, {
    slackApiUrl: `http://127.0.0.1:${port}/api/`,
    logLevel: LogLevel.ERROR,
    rejectRateLimitedCalls: !options.wait,
    retryConfig: { retries: 2, minTimeout: 10, maxTimeout: 10 },
  });
}

const codeOf = (error: unknown) => (error as { data?: { error?: string } }).data?.error;

Deno.test("@slack/web-api takes api_server for Slack", async () => {
  await using api = await startApi("--pace=0");
  const slack = webClient(api.port);
  assertEquals((await slack.auth.test()).user, "bot");
  const test: object = await slack.apiCall("api.test", { foo: "bar" });
  assertEquals("args" in test && test.args, { foo: "bar" });
  const text = "Hello &lt;world&gt; &amp; ä 😀";
  const first = await slack.chat.postMessage({ channel: "#bot", text });
  const second = await slack.chat.postMessage({ channel: first.channel!, text: "by id" });
  assert(first.ok && Number(second.ts) > Number(first.ts));
  assertEquals(first.message?.text, text);
  await api.stdout.line(/^#bot: by id$/);
  assertEquals(api.stdout.lines.slice(1), ["#bot: Hello <world> & ä 😀", "#bot: by id"]);
});

for (
  const [code, token, channel, text] of [
    ["invalid_auth", "xoxb-wrong", "#bot", "text"],
    ["channel_not_found", SECRET, "#nowhere", "text"],
    ["no_text", SECRET, "#bot", ""],
  ] as const
) {
  Deno.test(`@slack/web-api understands ${code} of api_server`, async () => {
    await using api = await startApi();
    const slack = webClient(api.port, { token });
    const error = await assertRejects(() => slack.chat.postMessage({ channel, text }));
    assertEquals(codeOf(error), code);
  });
}

Deno.test("@slack/web-api understands an unknown method and 429 of api_server", async () => {
  await using api = await startApi();
  const slack = webClient(api.port);
  assertEquals(codeOf(await assertRejects(() => slack.users.list({}))), "unknown_method");
  await slack.chat.postMessage({ channel: "#bot", text: "1" });
  const limited = await assertRejects(() => slack.chat.postMessage({ channel: "#bot", text: "2" }));
  assertEquals((limited as { retryAfter?: number }).retryAfter, 1);
});

Deno.test("@slack/web-api gets through when api_server says wait or is out of order first", async () => {
  await using api = await startApi("--fail=2", "--pace=500");
  const slack = webClient(api.port, { wait: true });
  const texts = ["1", "2"];
  for (const text of texts) assert((await slack.chat.postMessage({ channel: "#bot", text })).ok);
  await api.stdout.line(/^#bot: 2$/);
  assertEquals(api.stdout.lines.slice(1), texts.map((text) => `#bot: ${text}`));
});

peerTest(
  "curl posts to api_server with a form, JSON and a token in either place",
  ["curl"],
  async () => {
    await using api = await startApi("--pace=0");
    const url = `http://127.0.0.1:${api.port}/api/chat.postMessage`;
    const bearer = ["-H", `Authorization: Bearer ${SECRET}`];
    const json = ["-H", "Content-Type: application/json", "-d", '{"channel":"bot","text":"json"}'];
    for (
      const words of [
        ["-d", `token=${SECRET}`, "-d", "channel=%23bot", "--data-urlencode", "text=form & more"],
        [...bearer, "-F", "channel=#bot", "-F", "text=multipart"],
        [...bearer, ...json],
      ]
    ) {
      await using curl = new Process(["curl", "-sS", "--noproxy", "*", ...words, url]);
      assertEquals(await curl.end(), 0, curl.stderr.text);
      assertEquals(JSON.parse(curl.stdout.text).ok, true, curl.stdout.text);
    }
    await api.stdout.line(/^#bot: json$/);
    assertEquals(api.stdout.lines.slice(1), ["#bot: form & more", "#bot: multipart", "#bot: json"]);
  },
);

peerTest("nc is a client of tcp_to_slack", ["nc.openbsd"], async () => {
  using folder = temporaryFolder();
  await using api = await startApi("--pace=0");
  await using forwarder = await startForwarder(api, `${folder.path}/spool`);
  await using nc = new Process(["nc.openbsd", "-N", "127.0.0.1", String(forwarder.port)]);
  await nc.send(new TextEncoder().encode("first <line>\nsecond line\r\n\nthe last one has no end"));
  await nc.send();
  assertEquals(await nc.end(), 0);
  const thanks = "Thank you for reaching us";
  assertEquals(nc.stdout.lines, [thanks, thanks, "There is no text in this line", thanks]);
  await api.stdout.line(/^#bot: the last/);
  assertEquals(api.stdout.lines.slice(1), [
    "#bot: first <line>",
    "#bot: second line",
    "#bot: the last one has no end",
  ]);
  assertEquals(await forwarder.stop("SIGTERM"), 0);
});

/** A Mosquitto that listens. */
async function startMosquitto(folder: string): Promise<Process & { port: number }> {
  const port = freePort();
  const file = `${folder}/mosquitto.conf`;
  await Deno.writeTextFile(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const process = new Process(["mosquitto", "-v", "-c", file]);
  await process.stderr.line(/mosquitto version .* running/);
  return Object.assign(process, { port });
}

async function publish(port: number, ...words: string[]): Promise<void> {
  const start = ["mosquitto_pub", "-h", "127.0.0.1", "-p", String(port), "-t", "bot", "-q", "1"];
  await using process = new Process([...start, ...words]);
  assertEquals(await process.end(), 0, process.stderr.text);
}

function startMqttForwarder(port: number, api: number, spool: string, ...words: string[]): Process {
  return startSlackScript("mqtt_to_slack", [
    ["127.0.0.1:1883", `127.0.0.1:${port}`],
    ["127.0.0.1:5010", `127.0.0.1:${api}`],
    ["/tmp/mqtt_to_slack", spool],
  ], [
    `--port=${port}`,
    `--api=http://127.0.0.1:${api}/api`,
    `--spool=${spool}`,
    "--pace=5",
    ...words,
  ]);
}

const mosquitto = ["mosquitto", "mosquitto_pub"];

peerTest(
  "mqtt_to_slack forwards what mosquitto_pub publishes, also what came while it was away",
  mosquitto,
  async () => {
    using folder = temporaryFolder();
    await using broker = await startMosquitto(folder.path);
    await using api = await startApi("--pace=0");
    const spool = `${folder.path}/spool`;
    const processes: Process[] = [];
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await using forwarder = startMqttForwarder(broker.port, api.port, spool);
      processes.push(forwarder);
      await forwarder.stdout.line(/^listening on bot at /);
      await publish(broker.port, "-m", `before ${signal}`);
      await api.stdout.line(new RegExp(`^#bot: before ${signal}$`));
      const code = await forwarder.stop(signal);
      assertEquals(code, signal === "SIGTERM" ? 0 : 137);
      for (const count of [1, 2, 3]) await publish(broker.port, "-m", `${count} after ${signal}`);
    }
    await using last = startMqttForwarder(broker.port, api.port, spool);
    await api.stdout.line(/^#bot: 3 after SIGKILL$/);
    const order = (
      signal: string,
    ) => [`before ${signal}`, ...[1, 2, 3].map((count) => `${count} after ${signal}`)];
    const arrived = api.stdout.lines.slice(1).filter((text, at, all) => text !== all[at - 1]);
    const expected = [...order("SIGTERM"), ...order("SIGKILL")].map((text) => `#bot: ${text}`);
    assertEquals(arrived, expected);
    for (const { stdout, stderr } of [...processes, last, api]) {
      assert(!`${stdout.text}${stderr.text}`.includes(SECRET));
    }
  },
);

peerTest(
  "mqtt_to_slack leaves messages with the broker when too many wait",
  mosquitto,
  async () => {
    using folder = temporaryFolder();
    await using broker = await startMosquitto(folder.path);
    await using api = await startApi("--pace=0", "--fail=1");
    const spool = `${folder.path}/spool`;
    await using forwarder = startMqttForwarder(broker.port, api.port, spool, "--max-waiting=2");
    await forwarder.stdout.line(/^listening on /);
    const lines = Array.from({ length: 6 }, (_, index) => `message ${index + 1}`);
    for (const line of lines) await publish(broker.port, "-m", line);
    await forwarder.stderr.line(/the broker keeps further ones/);
    await api.stdout.line(/^#bot: message 6$/);
    assertEquals(api.stdout.lines.slice(1), lines.map((line) => `#bot: ${line}`));
    assertEquals(await within(forwarder.stop("SIGINT"), () => "the end"), 0);
  },
);

peerTest("mqtt_to_slack goes on when the broker was away", mosquitto, async () => {
  using folder = temporaryFolder();
  await using api = await startApi("--pace=0");
  const first = await startMosquitto(folder.path);
  await using forwarder = startMqttForwarder(first.port, api.port, `${folder.path}/spool`);
  await forwarder.stdout.line(/^listening on /);
  await first[Symbol.asyncDispose]();
  await forwarder.stderr.line(/^lost the connection to /);
  await using _second = new Process(["mosquitto", "-c", `${folder.path}/mosquitto.conf`]);
  await forwarder.stderr.line(/^connected to .* again$/);
  // it forgot the subscription; that is made again a moment after the connection
  const again = async () => {
    for (let count = 1;; count++) {
      await publish(first.port, "-m", `try ${count}`);
      if (api.stdout.text.includes("#bot: try ")) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await within(again(), () => "a message after the broker came back");
  assertStringIncludes(api.stdout.text, "#bot: try ");
});

peerTest(
  "what mqtt_to_slack has acknowledged survives kill -9 while Slack is down",
  mosquitto,
  async () => {
    using folder = temporaryFolder();
    await using broker = await startMosquitto(folder.path);
    const spool = `${folder.path}/spool`;
    const lines = Array.from({ length: 20 }, (_, index) => `message ${index + 1}`);
    {
      await using forwarder = startMqttForwarder(broker.port, freePort(), spool);
      await forwarder.stdout.line(/^listening on /);
      for (const line of lines) await publish(broker.port, "-m", line);
      await forwarder.stdout.line(/^received message: "message 20"$/);
      await forwarder.stop("SIGKILL");
    }
    await using api = await startApi("--pace=0");
    await using _again = startMqttForwarder(broker.port, api.port, spool);
    await api.stdout.line(/^#bot: message 20$/);
    const arrived = api.stdout.lines.slice(1).filter((text, at, all) => text !== all[at - 1]);
    assertEquals(arrived, lines.map((line) => `#bot: ${line}`));
  },
);

peerTest(
  "three mqtt_to_slack of one group divide the messages of Mosquitto",
  mosquitto,
  async () => {
    using folder = temporaryFolder();
    await using broker = await startMosquitto(folder.path);
    await using api = await startApi("--pace=0");
    await using forwarders = new AsyncDisposableStack();
    const names = ["one", "two", "three"];
    const group = names.map((name) => {
      const words = ["--share=crew", `--client-id=${name}`];
      const spool = `${folder.path}/${name}`;
      return forwarders.use(startMqttForwarder(broker.port, api.port, spool, ...words));
    });
    for (const forwarder of group) await forwarder.stdout.line(/^listening on /);
    const lines = Array.from({ length: 60 }, (_, index) => `message ${index + 1}`);
    for (const line of lines) await publish(broker.port, "-m", line);
    for (const line of lines) await api.stdout.line(new RegExp(`^#bot: ${line}$`));
    const posted = api.stdout.lines.filter((line) => line.startsWith("#bot: "));
    assertEquals(posted.toSorted(), lines.map((line) => `#bot: ${line}`).toSorted());
    for (const forwarder of group) {
      const mine = forwarder.stdout.lines.filter((line) => line.startsWith("received message: "));
      assert(mine.length > 0 && mine.length < lines.length, "one did all the work, or none");
    }
  },
);
