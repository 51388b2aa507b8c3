/**
 * The DNS clients, with servers that lie, fail or say nothing.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { accepted } from "../../lib/accept.ts";
import {
  CODES,
  decodeMessage,
  encodeMessage,
  type Message,
  MOST_UDP_BYTES,
} from "../../lib/dns_message.ts";
import { SocketReader } from "../../lib/reader.ts";
import { concat, temporaryFolder } from "../lib/helpers.ts";
import { startScript } from "./script.ts";
import { within } from "./waits.ts";

/** What a fake server sends for the question of a given number, the first being 1: nothing or anything. */
type Trick = (question: Message, number: number) => Uint8Array[];

interface Fake extends AsyncDisposable {
  port: number;
}

function replyTo(question: Message, changes: Partial<Message> = {}): Message {
  const answer = {
    name: question.questions[0]!.name,
    type: "A",
    class: 1,
    ttl: 60,
    data: "10.9.8.7",
  };
  return { ...question, response: true, answers: [answer], ...changes, edns: undefined };
}

/** A server whose replies over UDP and TCP are those of a trick. `stranger` sends from another port. */
function startFake(trick: Trick, options: { stranger?: Trick; tcp?: boolean } = {}): Fake {
  const hostname = "127.0.0.1";
  const listener = Deno.listen({ hostname, port: 0 });
  const { port } = listener.addr;
  if (options.tcp === false) listener.close();
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  const stranger = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const overUdp = async () => {
    let number = 0;
    for await (const [bytes, from] of socket) {
      const question = decodeMessage(bytes);
      number++;
      for (const reply of options.stranger?.(question, number) ?? []) {
        await stranger.send(reply, from);
      }
      for (const reply of trick(question, number)) await socket.send(reply, from);
    }
  };
  const overTcp = async () => {
    if (options.tcp === false) return;
    for await (const connection of accepted(listener)) {
      using _closed = connection;
      const reader = new SocketReader(connection);
      const length = await reader.readExactly(2);
      if (!length) continue;
      const bytes = await reader.readExactly(length[0]! << 8 | length[1]!);
      for (const reply of trick(decodeMessage(bytes!), 0)) {
        await connection.write(concat(Uint8Array.of(reply.length >> 8, reply.length & 255), reply));
      }
    }
  };
  const working = Promise.all([overUdp(), overTcp()]);
  return {
    port,
    async [Symbol.asyncDispose]() {
      socket.close();
      stranger.close();
      if (options.tcp !== false) listener.close();
      await working;
    },
  };
}

async function runClient(script: string, port: number, ...words: string[]) {
  const hosts = words.includes("--hosts") ? words[words.indexOf("--hosts") + 1]! : "/etc/hosts";
  await using client = startScript(`scripts/hosts/${script}.ts`, {
    words: ["--server", `127.0.0.1:${port}`, ...words],
    flags: (flag) => flag.replace("5300", String(port)).replace("/etc/hosts", hosts),
  });
  const code = await within(`the end of ${script}`, client.ended, 60_000);
  return { code, stdout: client.stdout, stderr: client.stderr };
}

const good: Trick = (question) => [encodeMessage(replyTo(question))];

/** A reply whose answer's name points to itself. */
function looping(question: Message): Uint8Array {
  const bytes = encodeMessage(replyTo(question, { answers: [] }));
  bytes[7] = 1;
  return concat(bytes, Uint8Array.of(0xc0, bytes.length, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4));
}

const other = { name: "other.example.", type: "A", class: 1 };

for (
  const [what, bad, told] of [
    [
      "another id",
      (q) => replyTo(q, { id: q.id ^ 1 }),
      /ignoring \d+ bytes .*: its id is \d+, not \d+/,
    ],
    ["another question", (q) => replyTo(q, { questions: [other] }), /it answers another question/],
    ["no question", (q) => replyTo(q, { questions: [] }), /it does not repeat the question/],
    ["a question", (q) => replyTo(q, { response: false }), /ignoring .*: it is a question/],
    ["a pointer to itself", looping, /ignoring .*: a pointer at byte \d+ does not lead back/],
    ["half a header", () => new Uint8Array(6), /a reply of 6 bytes has no header/],
    ["an empty datagram", () => new Uint8Array(), /a reply of 0 bytes has no header/],
    ["half a record", (q) => encodeMessage(replyTo(q)).slice(0, -2), /the message ends in A data/],
  ] as [string, (question: Message) => Message | Uint8Array, RegExp][]
) {
  Deno.test(`hosts/dns_by_hand ignores a reply with ${what}, says so, and takes the true one`, async () => {
    await using fake = startFake((question) => {
      const made = bad(question);
      return [made instanceof Uint8Array ? made : encodeMessage(made), ...good(question, 1)];
    });
    const { code, stdout, stderr } = await runClient("dns_by_hand", fake.port, "uw.edu");
    assertEquals(code, 0, stderr);
    assertMatch(stderr, told);
    assertStringIncludes(stdout, "uw.edu. 60 IN A 10.9.8.7");
  });
}

Deno.test("hosts/dns_by_hand ignores what comes from another address, and says so", async () => {
  const forged: Trick = (question) => {
    const answer = { name: "uw.edu.", type: "A", class: 1, ttl: 60, data: "6.6.6.6" };
    return [encodeMessage(replyTo(question, { answers: [answer] }))];
  };
  // the true reply comes to the second question only, when the forged one has long been there
  const late: Trick = (question, number) => number > 1 ? good(question, number) : [];
  await using fake = startFake(late, { stranger: forged });
  const { code, stdout, stderr } = await runClient("dns_by_hand", fake.port, "uw.edu");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, `it does not come from 127.0.0.1:${fake.port}`);
  assertStringIncludes(stderr, "no reply in 500 ms");
  assert(!stdout.includes("6.6.6.6"), stdout);
  assertStringIncludes(stdout, "10.9.8.7");
});

Deno.test("hosts/dns_by_hand gives up when nobody replies, and names the partner", async () => {
  await using fake = startFake(() => []);
  const { code, stdout, stderr } = await runClient("dns_by_hand", fake.port, "uw.edu");
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(stderr, `no answer from 127.0.0.1:${fake.port} to 3 datagrams`);
  assertStringIncludes(stderr, "./scripts/hosts/dns_server.ts");
});

Deno.test("hosts/dns_by_hand refuses a wrong reply over TCP", async () => {
  await using fake = startFake((question, number) => {
    const answers = Array.from({ length: 50 }, () => replyTo(question).answers[0]!);
    if (number > 0) return [encodeMessage(replyTo(question, { answers }), MOST_UDP_BYTES)];
    return [encodeMessage(replyTo(question, { id: question.id ^ 1 }))];
  });
  const { code, stderr } = await runClient("dns_by_hand", fake.port, "uw.edu");
  assertEquals(code, 1);
  assertMatch(stderr, /what came over TCP is no reply: its id is \d+, not \d+/);
});

Deno.test("hosts/dns_by_hand shows control characters and does not obey them", async () => {
  await using fake = startFake((question) => {
    const answer = { name: "\\027\\091m.", type: "TXT", class: 1, ttl: 1, data: '"\\027[2J"' };
    return [encodeMessage(replyTo(question, { answers: [answer] }))];
  });
  const { stdout } = await runClient("dns_by_hand", fake.port, "uw.edu", "--type", "TXT");
  assertStringIncludes(stdout, '"\\027[2J"');
  assert(!stdout.includes("\x1b"), stdout);
});

const CLIENTS = [
  ["dns_by_hand", "uw.edu"],
  ["nslookup", "uw.edu"],
  ["lookup", "uw.edu"],
  ["reverse_lookup", "192.168.77.8"],
] as const;

for (const [script, word] of CLIENTS) {
  for (
    const [code, message] of [
      ["NXDOMAIN", /there is no such name \(NXDOMAIN\)\nCheck the name/],
      ["SERVFAIL", /the server failed to find out \(SERVFAIL\)\nTry again later/],
      ["REFUSED", /the server refuses to answer that \(REFUSED\)\nAsk another server/],
      ["NOERROR", /the name exists, but has no .* record\nAsk for another type/],
    ] as const
  ) {
    Deno.test(`hosts/${script} tells what it means when the server says ${code}`, async () => {
      await using fake = startFake((question) => [
        encodeMessage(replyTo(question, { code: CODES.indexOf(code), answers: [] })),
      ]);
      const { code: exit, stderr } = await runClient(script, fake.port, word);
      assertEquals(exit, 1, stderr);
      assertMatch(stderr, message);
    });
  }
}

for (const [script, word] of CLIENTS.slice(1)) {
  Deno.test(`hosts/${script} says that nothing is listening, and names the partner`, async () => {
    await using fake = startFake(() => [], { tcp: false });
    const { code, stderr } = await runClient(script, fake.port, word);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "connection refused, nothing is listening there");
    assertStringIncludes(stderr, "./scripts/hosts/dns_server.ts");
  });

  Deno.test(`hosts/${script} says that nothing came when the server is silent`, async () => {
    await using fake = startFake(() => []);
    const { code, stderr } = await runClient(script, fake.port, word);
    assertEquals(code, 1);
    assertMatch(stderr, /cannot get an answer from 127\.0\.0\.1:\d+: /);
  });
}

for (
  const [script, ...words] of [
    ["dns_by_hand", "a..b"],
    ["dns_by_hand", "uw.edu", "--type", "NOTHING"],
    ["nslookup", "uw.edu", "--type", "ANY"],
    ["nslookup", "192.168.1.8"],
    ["nslookup", "é.example"],
    ["lookup", ""],
    ["lookup", "x".repeat(64)],
    ["reverse_lookup", "uw.edu"],
    ["reverse_lookup", "1.2.3.256"],
    ["reverse_lookup", "1.2.3.4", "--server", "localhost:53"],
    ["lookup", "uw.edu", "--server", "127.0.0.1"],
  ] as const
) {
  Deno.test(`hosts/${script} ends with 2 when called with ${words.join(" ").slice(0, 40)}`, async () => {
    const { code, stdout, stderr } = await runClient(script, 5_300, ...words);
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, "\nusage: ");
  });
}

Deno.test("hosts/reverse_lookup fails with --confirm when the host has another address", async () => {
  await using fake = startFake((question) => {
    const { name, type } = question.questions[0]!;
    if (type !== "PTR") return good(question, 1);
    const answer = { name, type, class: 1, ttl: 60, data: "bank.example." };
    return [encodeMessage(replyTo(question, { answers: [answer] }))];
  });
  const { code, stdout, stderr } = await runClient(
    "reverse_lookup",
    fake.port,
    "192.168.77.8",
    "--confirm",
  );
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(stderr, "bank.example does not have the address 192.168.77.8");
});

for (
  const [script, word] of [["lookup", "Homer"], ["reverse_lookup", "192.168.77.8"]] as const
) {
  Deno.test(`hosts/${script} asks nobody when the hosts file knows`, async () => {
    using folder = temporaryFolder();
    const file = `${folder.path}/hosts`;
    await Deno.writeTextFile(file, "192.168.77.8 homer.hellfly.net homer # Simpson\n");
    await using fake = startFake(() => []);
    const { code, stdout } = await runClient(script, fake.port, word, "--hosts", file, "--json");
    assertEquals(code, 0);
    const host = { name: "homer.hellfly.net", aliases: ["homer"], addresses: ["192.168.77.8"] };
    assertEquals(JSON.parse(stdout), host);
  });
}
