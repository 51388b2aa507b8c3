/**
 * Our publisher, subscriber and relays with Mosquitto; Mosquitto's clients and paho with our broker.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connectBroker } from "../../lib/mqtt_client.ts";
import { settles, times, until } from "../hostile/waits.ts";
import {
  certificates,
  client,
  commandOf,
  Mosquitto,
  OPEN,
  ourBroker,
  passwordFile,
  subscriber,
} from "./mqtt.ts";
import { encode } from "./payloads.ts";
import { freePort, peerTest, python } from "./peers.ts";
import { Process } from "./process.ts";

const MOSQUITTO = ["mosquitto"];
const BOTH = ["mosquitto", "mosquitto_pub", "mosquitto_sub"];
const VERSIONS = ["3", "5"];
const secret = (password: string) => ({ env: { MQTT_PASSWORD: password } });

/** Runs a client of ours to its end. */
async function run(
  script: string,
  port: number,
  words: string[],
  options?: { env: Record<string, string> },
): Promise<{ code: number; stdout: string; stderr: string }> {
  await using process = client(script, port, words, options);
  await process.send();
  const code = await process.end();
  return { code, stdout: process.stdout.text, stderr: process.stderr.text };
}

/** Publishes, and is done when the broker has what was published. */
async function publish(port: number, ...words: string[]): Promise<void> {
  const { code, stderr } = await run("publisher", port, words);
  assertEquals(code, 0, stderr);
}

/** Publishes by mosquitto_pub. */
async function mosquittoPub(port: number, ...words: string[]): Promise<void> {
  await using process = new Process(["mosquitto_pub", "-p", `${port}`, ...words]);
  assertEquals(await process.end(), 0, process.stderr.text);
}

/** Starts mosquitto_sub at our broker, and waits until the broker says that it has subscribed. */
async function mosquittoSub(
  broker: { port: number; process: Process },
  id: string,
  ...words: string[]
): Promise<Process> {
  const process = new Process(["mosquitto_sub", "-p", `${broker.port}`, "-i", id, ...words]);
  await broker.process.stderr.line(RegExp(`^${id} subscribed to `));
  return process;
}

// Our clients, Mosquitto as the broker

for (const version of VERSIONS) {
  for (const qos of [0, 1, 2]) {
    peerTest(
      `subscriber.ts gets what publisher.ts sends when Mosquitto speaks MQTT ${version} at QoS ${qos}`,
      MOSQUITTO,
      async () => {
        await using broker = await new Mosquitto().start(OPEN);
        const common = ["--mqtt", version, "--qos", `${qos}`];
        await using listener = await subscriber(broker.port, [...common, "--json", "--count", "3"]);
        await publish(broker.port, ...common, "Hello world!", "ä\n\x1b\u202e\u{e0041}😀", "");
        assertEquals(await listener.end(), 0);
        const texts = ["Hello world!", "ä\n\x1b\u202e\u{e0041}😀", ""];
        assertEquals(
          listener.stdout.lines.map((line) => JSON.parse(line)),
          texts.map((text) => ({ topic: "bot", text, qos, retain: false, dup: false })),
        );
        assertMatch(listener.stdout.text, /^[^\p{Cf}]*$/u);
      },
    );
  }

  peerTest(
    `subscriber.ts gets the retained message and the will when Mosquitto speaks MQTT ${version}`,
    MOSQUITTO,
    async () => {
      await using broker = await new Mosquitto().start(OPEN);
      const common = ["--mqtt", version, "--qos", "1"];
      await publish(broker.port, ...common, "--retain", "old", "kept");
      await using listener = await subscriber(broker.port, [...common, "--json", "--count", "4"]);
      const kept = await listener.stdout.line(/"kept"/);
      assertEquals(JSON.parse(kept.input).retain, true);
      // this one says good bye: its will is not published
      await publish(broker.port, ...common, "--will", "not published", "still here");
      await using lost = client("publisher", broker.port, [...common, "--will", "lost", "-"]);
      await lost.send(encode("here\n"));
      await listener.stdout.line(/"here"/);
      await lost.stop("SIGKILL");
      assertEquals(await listener.end(), 0);
      assertEquals(
        listener.stdout.lines.map((line) => JSON.parse(line).text),
        ["kept", "still here", "here", "lost"],
      );
    },
  );

  peerTest(
    `subscriber.ts gets all of its kept session when it comes back by MQTT ${version}, a few at a time`,
    MOSQUITTO,
    async () => {
      await using broker = await new Mosquitto().start(OPEN);
      const keep = ["--mqtt", version, "--keep-session", "--client-id", "keeper", "--qos", "1"];
      await using first = await subscriber(broker.port, keep);
      assertEquals(await first.stop("SIGTERM"), 0);
      const numbers = Array.from({ length: 60 }, (_, index) => `${index}`);
      await publish(broker.port, "--qos", "1", ...numbers);
      const got: string[] = [];
      for (const count of ["1", "9", "50"]) {
        await using again = await subscriber(broker.port, [...keep, "--count", count]);
        assertEquals(await again.end(), 0);
        got.push(...again.stdout.lines);
      }
      // what was not confirmed comes again
      assertEquals(got, numbers);
    },
  );
}

peerTest("subscriber.ts answers Yes! when the lecture's publisher greets", MOSQUITTO, async () => {
  await using broker = await new Mosquitto().start(OPEN);
  await using listener = await subscriber(broker.port, ["--count", "2"]);
  await publish(broker.port);
  await publish(broker.port, "Hello world!");
  assertEquals(await listener.end(), 0);
  assertEquals(listener.stdout.lines, ["WELCOME TO CLASS", "Hello world!", "Yes!"]);
  assertMatch(listener.stderr.lines[0]!, /^connected to 127\.0\.0\.1:\d+$/);
});

peerTest(
  "subscriber.ts takes the topics of its filters when mosquitto_pub sends",
  BOTH,
  async () => {
    await using broker = await new Mosquitto().start(OPEN);
    const topics = ["--topic", "home/+/lamp", "--topic", "log/#", "--json", "--count", "4"];
    await using listener = await subscriber(broker.port, topics);
    const sent = [
      "home/lamp",
      "home/hall/lamp",
      "home/hall/lamp/x",
      "log",
      "log/a/b",
      "home//lamp",
    ];
    for (const topic of sent) await mosquittoPub(broker.port, "-t", topic, "-m", topic);
    assertEquals(await listener.end(), 0);
    const taken = listener.stdout.lines.map((line) => JSON.parse(line).topic);
    assertEquals(taken, ["home/hall/lamp", "log", "log/a/b", "home//lamp"]);
  },
);

peerTest("subscriber.ts shows bytes safely when mosquitto_pub sends no UTF-8", BOTH, async () => {
  await using broker = await new Mosquitto().start(OPEN);
  const bytes = new Uint8Array([0xff, 0x1b, 0x5b, 0x32, 0x4a, 0x22, 0x5c, 0xc3, 0x28, 0x9b]);
  const file = broker.path("payload");
  await Deno.writeFile(file, bytes);
  await using plain = await subscriber(broker.port, ["--count", "1"]);
  await using json = await subscriber(broker.port, ["--count", "1", "--json"]);
  await mosquittoPub(broker.port, "-t", "bot", "-f", file);
  assertEquals([await plain.end(), await json.end()], [0, 0]);
  assertEquals(plain.stdout.lines, [String.raw`\xff\x1b[2J\"\\\xc3(\x9b`]);
  const { base64, text } = JSON.parse(json.stdout.text);
  assertEquals([Uint8Array.fromBase64(base64), text], [bytes, undefined]);
});

peerTest("publisher.ts is heard when mosquitto_sub listens", BOTH, async () => {
  await using broker = await new Mosquitto().start(OPEN);
  await publish(broker.port, "--retain", "--qos", "2", "before");
  const format = ["-t", "#", "-q", "2", "-C", "3", "-F", "%t %q %r %p"];
  await using listener = new Process(["mosquitto_sub", "-p", `${broker.port}`, ...format]);
  await listener.stdout.line(/before/);
  await publish(broker.port, "--qos", "1", "--topic", "a/b", "one ä");
  await publish(broker.port, "--mqtt", "5", "--qos", "2", "two");
  assertEquals(await listener.end(), 0);
  assertEquals(listener.stdout.lines, ["bot 2 1 before", "a/b 1 0 one ä", "bot 2 0 two"]);
});

peerTest("subscriber.ts ends with 0 when its seconds are over", MOSQUITTO, async () => {
  await using broker = await new Mosquitto().start(OPEN);
  await using listener = await subscriber(broker.port, ["--seconds", "1"]);
  assertEquals(await listener.end(), 0);
});

peerTest("subscriber.ts divides the messages when three share them", MOSQUITTO, async () => {
  const COUNT = 600;
  for (const version of VERSIONS) {
    await using broker = await new Mosquitto().start(OPEN, "max_queued_messages 0");
    const words = ["--share", "workers", "--qos", "1", "--topic", "jobs/#", "--mqtt", version];
    const group = await Promise.all([1, 2, 3].map(() => subscriber(broker.port, words)));
    await using first = group[0]!, second = group[1]!, third = group[2]!;
    const lines = () => [first, second, third].map((one) => one.stdout.lines);
    await using sender = client("publisher", broker.port, ["--topic", "jobs/a", "--qos", "1", "-"]);
    await sender.send(encode(numbers(COUNT).join("\n") + "\n"));
    await sender.send();
    assertEquals(await sender.end(), 0);
    const told = () => `${lines().map((each) => each.length)} of ${COUNT}`;
    await until(told, () => lines().flat().length >= COUNT);
    // in the end each has come once
    for (const one of [first, second, third]) assertEquals(await one.stop("SIGTERM"), 0);
    assertEquals(lines().flat().sort(), numbers(COUNT).sort());
    assert(lines().every((each) => each.length > COUNT / 10), told());
  }
});

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `message ${index}`);

peerTest(
  "publisher.ts and subscriber.ts lose nothing when Mosquitto is stopped and started again",
  MOSQUITTO,
  async () => {
    const COUNT = 10_000;
    await using broker = await new Mosquitto();
    const keeps = [`persistence true`, `persistence_location ${broker.folder.path}/`];
    await broker.start(OPEN, "max_queued_messages 0", ...keeps);
    const keep = ["--qos", "1", "--keep-session", "--client-id", "keeper"];
    await using listener = await subscriber(broker.port, keep);
    await using sender = client("publisher", broker.port, ["--qos", "1", "-"]);
    const began = performance.now();
    const sending = sender.send(encode(numbers(COUNT).join("\n") + "\n"));
    const got = () => `${listener.stdout.lines.length} came`;
    for (const least of [1_000, 5_000]) {
      await until(got, () => listener.stdout.lines.length > least, 15_000);
      await broker.stop();
      await listener.stderr.line(/^lost the connection to 127\.0\.0\.1:\d+, trying again$/);
      await broker.start();
    }
    await sending;
    await sender.send();
    assertEquals(await sender.end(), 0, sender.stderr.text);
    assertStringIncludes(sender.stderr.text, "trying again");
    assertStringIncludes(sender.stderr.text, `connected to 127.0.0.1:${broker.port} again`);
    assertStringIncludes(sender.stdout.text, `published ${COUNT} messages to bot`);
    const all = () => new Set(listener.stdout.lines).size === COUNT;
    await until(got, all, 15_000);
    const seconds = (performance.now() - began) / 1000;
    const twice = listener.stdout.lines.length - COUNT;
    console.log(`${COUNT} messages, ${twice} twice, two restarts: ${seconds.toFixed(1)} s`);
    assertEquals(await listener.stop("SIGTERM"), 0);
  },
);

peerTest(
  "publisher.ts stops reading stdin when the broker stops answering",
  MOSQUITTO,
  async () => {
    await using broker = await new Mosquitto().start(OPEN);
    await using listener = await subscriber(broker.port, ["--qos", "1", "--topic", "end"]);
    await using sender = client("publisher", broker.port, ["--qos", "1", "-"]);
    const line = encode("x".repeat(999) + "\n");
    await sender.send(line);
    await until(() => "nothing is published", () => listener.stderr.lines.length > 0);
    broker.signal("SIGSTOP");
    const many = new Uint8Array(4_000_000);
    for (let at = 0; at < many.length; at += line.length) many.set(line, at);
    const sending = sender.send(many);
    assert(!await settles(sending, 1_000), "it took 4 MB of lines with nobody to take them on");
    broker.signal("SIGCONT");
    await sending;
    await sender.send();
    assertEquals(await sender.end(), 0, sender.stderr.text);
    assertStringIncludes(sender.stdout.text, "published 4001 messages to bot");
  },
);

peerTest(
  "connectBroker gives up when the broker stays away for longer than it waits",
  MOSQUITTO,
  async () => {
    await using broker = await new Mosquitto().start(OPEN);
    const { promise: givenUp, resolve } = Promise.withResolvers<Error>();
    await connectBroker({
      host: "127.0.0.1",
      port: broker.port,
      patience: 700,
      onGivenUp: resolve,
    });
    await broker.stop();
    const { message } = await givenUp;
    assertEquals(message, `127.0.0.1:${broker.port} did not come back within 0.7 s`);
  },
);

// What a broker refuses, each with its message

interface Refusal {
  when: string;
  script?: string;
  words: string[];
  password?: string;
  says: RegExp;
  code?: number;
}

/** Runs our clients against one broker; each ends with one clear sentence. */
async function refuses(port: number, cases: Refusal[]): Promise<void> {
  await times(cases.length, 3, async (index) => {
    const { when, script = "publisher", words, password, says, code = 1 } = cases[index]!;
    const env = password === undefined ? undefined : secret(password);
    const result = await run(script, port, words, env);
    assertEquals(result.code, code, `${when}: ${result.stderr}`);
    const said = result.stderr.split("\n").find((line) => line.startsWith(`${script}.ts: `)) ?? "";
    assertMatch(said, says, when);
    assertEquals(/ at .*:\d+:\d+/.test(result.stderr), false, result.stderr);
  });
}

peerTest(
  "publisher.ts and subscriber.ts say why when Mosquitto wants a password",
  BOTH,
  async () => {
    await using broker = new Mosquitto();
    await passwordFile(broker.path("users"), "ana", "hush");
    await Deno.writeTextFile(broker.path("acl"), "user ana\ntopic readwrite bot\n");
    const files = [`password_file ${broker.path("users")}`, `acl_file ${broker.path("acl")}`];
    await broker.start("allow_anonymous false", ...files);
    const ana = ["--user", "ana"];
    const bad = /: not authorised: bad password, or ana may not enter$/;
    await refuses(
      broker.port,
      VERSIONS.flatMap((version) => {
        const common = ["--mqtt", version];
        return [
          {
            when: "no user",
            words: common,
            says: /: not authorised: it wants a user name \(--user\)$/,
          },
          { when: "bad password", words: [...common, ...ana], password: "x", says: bad },
          {
            when: "sub",
            script: "subscriber",
            words: [...common, ...ana],
            password: "x",
            says: bad,
          },
        ];
      }),
    );
    // only MQTT 5 tells a publisher that it may not
    const other = ["--topic", "other", "--qos", "1", ...ana];
    const says = /cannot publish to other: not authorised$/;
    await refuses(broker.port, [
      { when: "ACL", words: ["--mqtt", "5", ...other], password: "hush", says },
    ]);
    await using listener = await subscriber(broker.port, ["--count", "1", ...ana], secret("hush"));
    await run("publisher", broker.port, [...ana, "let in"], secret("hush"));
    assertEquals(await listener.end(), 0);
    assertEquals(listener.stdout.lines, ["let in"]);
  },
);

const PLUGIN = ["x86_64", "aarch64"]
  .map((kind) => `/usr/lib/${kind}-linux-gnu/mosquitto_dynamic_security.so`)
  .find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });

peerTest(
  "subscriber.ts says not authorised when Mosquitto refuses a subscription",
  PLUGIN ? MOSQUITTO : ["mosquitto_dynamic_security.so"],
  async () => {
    await using broker = new Mosquitto();
    const allow = { publishClientSend: true, publishClientReceive: true, unsubscribe: true };
    const acls = [{ acltype: "subscribePattern", topic: "open/#", allow: true }];
    await Deno.writeTextFile(
      broker.path("security.json"),
      JSON.stringify({
        defaultACLAccess: { ...allow, subscribe: false },
        anonymousGroup: "all",
        groups: [{ groupname: "all", roles: [{ rolename: "all" }] }],
        roles: [{ rolename: "all", acls }],
        clients: [],
      }),
    );
    const option = `plugin_opt_config_file ${broker.path("security.json")}`;
    await broker.start("per_listener_settings false", OPEN, `plugin ${PLUGIN}`, option);
    await refuses(
      broker.port,
      VERSIONS.flatMap((version) => [
        {
          when: `one filter by MQTT ${version}`,
          script: "subscriber",
          words: ["--mqtt", version, "--topic", "closed"],
          says: /^subscriber\.ts: cannot subscribe to closed: not authorised/,
        },
        {
          when: `one of two filters by MQTT ${version}`,
          script: "subscriber",
          words: ["--mqtt", version, "--topic", "open/x", "--topic", "closed"],
          says: /^subscriber\.ts: cannot subscribe to open\/x, closed: closed: not authorised/,
        },
      ]),
    );
    await using listener = await subscriber(broker.port, ["--topic", "open/x"]);
    assertEquals(await listener.stop("SIGTERM"), 0);
  },
);

peerTest("publisher.ts and subscriber.ts talk by TLS when the certificate is to be trusted", [
  ...MOSQUITTO,
  "openssl",
], async () => {
  await using broker = new Mosquitto();
  const { folder: { path } } = broker;
  await certificates(path, "IP:127.0.0.1", "DNS:elsewhere");
  const elsewhere = freePort(), plain = freePort();
  const keys = (name: string) => [`certfile ${path}/${name}.pem`, `keyfile ${path}/server.key`];
  await broker.start(
    ...keys("IP:127.0.0.1"),
    `listener ${elsewhere} 127.0.0.1`,
    ...keys("DNS:elsewhere"),
    `listener ${plain} 127.0.0.1`,
    OPEN,
  );
  const ca = ["--ca", `${path}/ca.pem`];
  for (const version of VERSIONS) {
    const words = [...ca, "--mqtt", version, "--qos", "1"];
    await using listener = await subscriber(broker.port, [...words, "--count", "1"]);
    await publish(broker.port, ...words, `secret ${version}`);
    assertEquals(await listener.end(), 0);
    assertEquals(listener.stdout.lines, [`secret ${version}`]);
  }
  const stranger = ["--ca", `${path}/stranger.pem`];
  await refuses(broker.port, [
    {
      when: "untrusted",
      words: stranger,
      says: /certificate is not signed by one in .*stranger\.pem/,
    },
    {
      when: "no TLS spoken here",
      words: [],
      says: /without an answer: perhaps it wants TLS \(--ca\)$/,
    },
    {
      when: "no file",
      words: ["--ca", `${path}/none`],
      says: /cannot read the certificates .*none/,
    },
  ]);
  await refuses(elsewhere, [
    { when: "another name", words: ca, says: /certificate is for another name than this --host$/ },
  ]);
  await refuses(plain, [
    { when: "no TLS spoken there", words: ca, says: /does not speak TLS on this port/ },
  ]);
});

Deno.test("publisher.ts and subscriber.ts say why when nothing is there", async () => {
  await refuses(
    freePort(),
    ["publisher", "subscriber"].map((script) => (
      { when: script, script, words: [], says: /connection refused, nothing is listening there$/ }
    )),
  );
  const words = ["--host", "no-such-host.invalid"];
  const flags = commandOf("publisher", 1, ...words)
    .map((word) => word.replace("=127.0.0.1:", "=no-such-host.invalid:"));
  await using process = new Process(flags);
  assertEquals(await process.end(), 1);
  assertStringIncludes(process.stderr.text, "no-such-host.invalid:1: no such host is known");
});

Deno.test("publisher.ts and subscriber.ts refuse before they connect when what they are told is bad", async () => {
  const cases: [script: string, words: string[], says: RegExp][] = [
    ["publisher", ["--topic", "a/#"], /the topic "a\/#" has \+ or #/],
    ["publisher", ["--topic", "a\nb"], /characters that no topic may have/],
    ["publisher", ["--topic", "$SYS/x"], /begins with \$/],
    ["publisher", ["--qos", "3"], /--qos is 0, 1 or 2, not "3"/],
    ["publisher", ["--mqtt", "4"], /--mqtt is 3 or 5, not "4"/],
    ["publisher", ["--user", "ana"], /there is no terminal to ask for the password/],
    ["subscriber", ["--topic", "a#"], /the filter "a#" has \+ or # beside/],
    ["subscriber", ["--topic", "bot", "--topic", "#/a"], /goes on after #/],
    ["subscriber", ["--share", "a/b"], /the group "a\/b" must be a name/],
    ["subscriber", ["--keep-session"], /--keep-session needs --client-id/],
    ["emergency_relay", ["--to", "911"], /are the same topic/],
    ["emergency_relay", ["--from", "+"], /has \+ or #/],
    ["download_subscriber", ["--topic", "a/+"], /has \+ or #/],
  ];
  // nothing listens there: a connection would be refused with exit code 1
  const port = freePort();
  await refuses(
    port,
    cases.map(([script, words, says]) => ({ when: words.join(" "), script, words, says, code: 2 })),
  );
});

peerTest("publisher.ts asks for the password and does not show it when at a terminal", [
  ...BOTH,
  "python3",
], async () => {
  await using broker = new Mosquitto();
  await passwordFile(broker.path("users"), "ana", "hush hush");
  await broker.start("allow_anonymous false", `password_file ${broker.path("users")}`);
  const command = commandOf("publisher", broker.port, "--user", "ana")
    .filter((word) => !word.startsWith("--allow-env"));
  await using person = new Process(python("terminal.py", "hush hush", ...command));
  assertEquals(await person.end(), 0, person.stdout.text);
  assertMatch(person.stdout.text, /Password of ana at 127\.0\.0\.1:\d+:[^]*published 1 message/);
  assertEquals(person.stdout.text.includes("hush"), false);
});

// Their clients, our broker

for (const qos of [0, 1, 2]) {
  peerTest(
    `broker.ts serves mosquitto_pub and mosquitto_sub when the QoS is ${qos}`,
    BOTH,
    async () => {
      await using broker = await ourBroker();
      const words = ["-t", "x/#", "-q", `${qos}`, "-F", "%t %q %r %p", "-C", "2"];
      await using listener = await mosquittoSub(broker, "listener", ...words);
      const send = ["-q", `${qos}`, "-i", "sender"];
      await mosquittoPub(broker.port, ...send, "-t", "x/a", "-m", "hello ä");
      await mosquittoPub(broker.port, ...send, "-t", "y", "-m", "not for it");
      await mosquittoPub(broker.port, ...send, "-t", "x", "-n");
      assertEquals(await listener.end(), 0);
      assertEquals(listener.stdout.lines, [`x/a ${qos} 0 hello ä`, `x ${qos} 0 `]);
      await broker.process.stderr.line(
        RegExp(`^sender published 8 bytes to x/a \\(QoS ${qos}\\)$`),
      );
      await broker.process.stderr.line(/^sender connected$/);
      await broker.process.stderr.line(/^listener disconnected$/);
      assertEquals(await broker.process.stop("SIGTERM"), 0);
    },
  );
}

peerTest(
  "broker.ts keeps messages, wills and sessions when mosquitto's clients want them",
  BOTH,
  async () => {
    await using broker = await ourBroker();
    const { port } = broker;
    await mosquittoPub(port, "-t", "kept", "-m", "retained", "-r", "-q", "1");
    const keeper = ["-c", "-q", "1", "-t", "kept", "-t", "away", "-F", "%t %r %p"];
    {
      await using first = await mosquittoSub(broker, "keeper", ...keeper, "-C", "1");
      assertEquals(await first.end(), 0);
      assertEquals(first.stdout.lines, ["kept 1 retained"]);
    }
    const will = ["--will-topic", "away", "--will-payload", "lost", "--will-qos", "1"];
    await using lost = await mosquittoSub(broker, "unlucky", "-t", "x", ...will);
    await lost.stop("SIGKILL");
    await broker.process.stderr.line(/^unlucky published 4 bytes to away \(QoS 1\)$/);
    await mosquittoPub(port, "-t", "away", "-m", "later", "-q", "2");
    await using again = new Process([
      "mosquitto_sub",
      "-p",
      `${port}`,
      "-i",
      "keeper",
      ...keeper,
      "-C",
      "3",
    ]);
    assertEquals(await again.end(), 0);
    assertEquals(again.stdout.lines.sort(), ["away 0 later", "away 0 lost", "kept 1 retained"]);
  },
);

peerTest("broker.ts lets in whom it should when it has a user", BOTH, async () => {
  await using broker = await ourBroker(["--user", "ana"], secret("hush"));
  const { port } = broker;
  const words = ["-p", `${port}`, "-t", "a", "-m", "x"];
  for (const who of [[], ["-u", "ana"], ["-u", "ana", "-P", "Hush"], ["-u", "bob", "-P", "hush"]]) {
    await using stranger = new Process(["mosquitto_pub", ...words, ...who]);
    assertEquals(await stranger.end(), 4, who.join(" "));
    assertStringIncludes(stranger.stderr.text, "bad user name or password");
  }
  await mosquittoPub(port, "-t", "a", "-m", "x", "-u", "ana", "-P", "hush");
  const result = await run("publisher", port, ["--user", "ana"], secret("no"));
  assertStringIncludes(result.stderr, `127.0.0.1:${port}: bad user name or password`);
  assertEquals((await run("publisher", port, ["--user", "ana"], secret("hush"))).code, 0);
  assertEquals(broker.process.stderr.text.includes("hush"), false);
});

peerTest(
  "broker.ts keeps to its limits when clients and messages are too many or too long",
  BOTH,
  async () => {
    await using broker = await ourBroker(["--max-clients", "2", "--max-message", "1000"]);
    const { port } = broker;
    await using first = await mosquittoSub(broker, "first", "-t", "x", "-F", "%l", "-q", "1");
    await using waits = new Process([
      "mosquitto_pub",
      "-p",
      `${port}`,
      "-i",
      "long",
      "-t",
      "x",
      "-m",
      "y".repeat(1_001),
      "-q",
      "1",
    ]);
    assert(await waits.end() !== 0);
    await broker.process.stderr.line(/^long: a message of 1001 bytes, over 1000$/);
    await using second = await mosquittoSub(
      broker,
      "second",
      "-t",
      "x",
      "-C",
      "1",
      "-F",
      "%l",
      "-q",
      "1",
    );
    // the third has to wait until one has gone
    await using third = new Process([
      "mosquitto_pub",
      "-p",
      `${port}`,
      "-i",
      "third",
      "-t",
      "x",
      "-m",
      "z",
      "-q",
      "1",
    ]);
    assert(!await settles(third.end(), 500), "a third client was let in");
    await first.stop("SIGTERM");
    assertEquals([await third.end(), await second.end()], [0, 0]);
    assertEquals(second.stdout.lines, ["1"]);
  },
);

const PAHO = (() => {
  try {
    return Deno.statSync("/usr/lib/python3/dist-packages/paho/mqtt/client.py").isFile;
  } catch {
    return false;
  }
})();

for (const transport of ["tcp", "websockets"] as const) {
  peerTest(
    `broker.ts serves paho when it comes by ${transport}`,
    [PAHO ? "python3" : "python3-paho-mqtt"],
    async () => {
      await using broker = await ourBroker();
      const port = transport === "tcp" ? broker.port : broker.websocket;
      await using peer = new Process(python("mqtt_paho.py", port, transport));
      assertEquals(await peer.end(), 0, peer.stderr.text);
      const worked = ["qos 0", "qos 1", "qos 2", "1000 in order", "retained", "will", "session"];
      assertEquals(peer.stdout.lines, worked);
    },
  );
}
