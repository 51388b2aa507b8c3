import { assertEquals, assertMatch } from "@std/assert";
import { basename } from "node:path";
import {
  behaviours,
  beSilent,
  datagramBehaviours,
  misbehave,
  misbehaveByDatagrams,
  type Peer,
  reset,
} from "./peers.ts";
import { startScript } from "./script.ts";
import { times, within } from "./waits.ts";

/** What comes of it: the error that a client tells, or all that it prints when it ends well. */
type Outcome = { error: RegExp } | { printed: RegExp };

interface Client {
  path: string;
  words: string[];
  /** Waits for the server to begin. */
  listens?: boolean;
  unix?: boolean;
  /** Its longest wait, in milliseconds. */
  patience: number;
  when: Record<string, Outcome>;
}

const late = (action: string, seconds = 10) => ({
  error: new RegExp(`cannot ${action}: nothing came within ${seconds} s`),
});
const left = { error: /closed the connection|reset the connection|already closed/ };
const wasReset = { error: /the other side reset the connection/ };
const notTheEcho = { error: /is not the message/ };
const NOISE = "[^\\p{Cc}]*\\\\x1b\\]0;owned\\\\x07[^\\p{Cc}]*";

const clients: Client[] = [
  {
    path: "scripts/tcp/conversation_client.ts",
    words: [],
    patience: 10_000,
    when: {
      "is silent": late("hear from the server"),
      "closes without a word": left,
      "resets the connection": wasReset,
      // its lesson is one read: whatever comes is the answer
      "sends a byte every 50 ms": { printed: /received "x"\nthe server has more to say/ },
      "closes in mid-answer": { printed: /received "Yes"\nthe server closed/ },
      "never stops sending": { printed: /received "x{32}"\nthe server has more to say/ },
      "sends nonsense": { printed: new RegExp(`received "${NOISE}`, "u") },
    },
  },
  {
    path: "scripts/tcp/hello_client.ts",
    words: [],
    listens: true,
    patience: 10_000,
    when: {
      "is silent": late("hear from the server"),
      "closes without a word": { error: /closed the connection without a greeting/ },
      "resets the connection": wasReset,
      "sends a byte every 50 ms": { error: /did not end its greeting within 10 s/ },
      // the end of the stream is the end of the greeting: nothing tells that more should have come
      "closes in mid-answer": { printed: /^Yes$/ },
      "never stops sending": {
        error: /the server said more than 16777216 bytes|did not end its greeting within 10 s/,
      },
      "sends nonsense": { printed: new RegExp(`^${NOISE}\n[^\\p{Cc}]+$`, "u") },
    },
  },
  {
    path: "scripts/tcp/message_client.ts",
    words: ["a message"],
    patience: 10_000,
    when: {
      "is silent": late("read the reply"),
      "closes without a word": left,
      "resets the connection": wasReset,
      "sends a byte every 50 ms": late("read the reply"),
      // the lecture's server sends no line's end: what came before the end or a silence is the reply
      "closes in mid-answer": { printed: /^Yes\n$/ },
      "never stops sending": { error: /longer than the limit of 1048576 bytes/ },
      "sends nonsense": { printed: new RegExp(`^${NOISE}\n$`, "u") },
    },
  },
  {
    path: "scripts/tcp/echo_client.ts",
    words: ["this is my message"],
    patience: 10_000,
    when: {
      "is silent": late("receive"),
      "closes without a word": left,
      "resets the connection": wasReset,
      "sends a byte every 50 ms": notTheEcho,
      "closes in mid-answer": { error: /after 3 of 18 bytes|reset the connection/ },
      "never stops sending": notTheEcho,
      "sends nonsense": notTheEcho,
    },
  },
  {
    path: "scripts/ipc/unix_echo_client.ts",
    words: ["this is my message"],
    unix: true,
    patience: 30_000,
    when: {
      "is silent": late("receive", 30),
      "closes without a word": { error: /is not the message|already closed|reset/ },
      // Deno ends its side before it closes, and the client may see only that
      "resets the connection": { error: /reset the connection|is not the message/ },
      "sends a byte every 50 ms": late("receive", 30),
      "closes in mid-answer": { error: /is not the message|already closed|reset/ },
      "never stops sending": { error: /longer than the limit of 16777216 bytes/ },
      "sends nonsense": notTheEcho,
    },
  },
];

interface Case {
  name: string;
  path: string;
  words: string[];
  patience: number;
  outcome: Outcome;
  stdin?: Uint8Array<ArrayBuffer>;
  unix?: boolean;
  peer(path?: string): Peer | Promise<Peer>;
}

const cases: Case[] = clients.flatMap((client) => [
  {
    ...client,
    name: "resets the connection",
    outcome: client.when["resets the connection"]!,
    peer: (path) => reset(client.listens ? "connection" : "data", path),
  },
  ...Object.entries(behaviours).map(([name, behaviour]) => ({
    ...client,
    name,
    outcome: client.when[name]!,
    peer: (path?: string) => misbehave(behaviour, path),
  })),
]);

// 8 MiB do not fit between two sockets: the client waits in the middle of sending
for (const client of clients.filter(({ path }) => path.includes("echo"))) {
  cases.push({
    ...client,
    name: "accepts and never reads 8 MiB",
    words: ["-"],
    stdin: new Uint8Array(8 * 1024 * 1024),
    outcome: { error: /cannot (?:send|receive): nothing came within 10 s/ },
    peer: (path) => misbehave(beSilent, path),
  });
}

const unanswered = { error: /no answer from 127\.0\.0\.1:\d+ to 3 datagrams/ };
const datagramOutcomes: Record<string, Outcome> = {
  "answers after a stranger": { printed: /^this is my message\n$/ },
};
for (const [name, behaviour] of Object.entries(datagramBehaviours)) {
  cases.push({
    path: "scripts/udp/echo_client.ts",
    words: ["this is my message"],
    name,
    patience: 3_500,
    outcome: datagramOutcomes[name] ?? unanswered,
    peer: () => misbehaveByDatagrams(behaviour),
  });
}

/** How long starting a process may take while many others are started. */
const START = 10_000;

async function runAgainst(peer: Peer, { path, words, stdin, patience, unix }: Case) {
  const { address } = peer;
  const client = startScript(path, {
    stdin,
    words: [unix ? "--path" : "--port", address, ...words],
    flags: (flag) =>
      flag.replaceAll("/tmp/echo.sock", address)
        .replace(/(?<=127\.0\.0\.1:)[1-9]\d*/, address),
  });
  await using _ended = client;
  try {
    const code = await within(`the end of ${path}`, client.ended, patience + START);
    return { code, stdout: client.stdout, stderr: client.stderr };
  } finally {
    peer.release();
  }
}

type Ended = Awaited<ReturnType<typeof runAgainst>>;

function check({ path, outcome }: Case, { code, stdout, stderr }: Ended): void {
  const unsafe = /(?!\n)[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.exec(stdout + stderr);
  assertEquals(unsafe?.[0], undefined, "a control character came through");
  assertEquals(/^ +at .*|^.*Uncaught.*/m.exec(stderr)?.[0], undefined);
  const errors = stderr.split("\n").filter((line) => line.startsWith(`${basename(path)}: `));
  if ("error" in outcome) {
    assertEquals(errors.length, 1, `${stdout}${stderr}`);
    assertMatch(errors[0]!, outcome.error);
    assertEquals(code, 1);
  } else {
    assertMatch(stdout, outcome.printed);
    assertEquals(errors, []);
    assertEquals(code, 0);
  }
}

Deno.test("each client ends in time, with its answer or one clear error, when", async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  // most of them only wait: they do so together, those with the most patience first
  cases.sort((one, other) => other.patience - one.patience);
  const results = await times(cases.length, 16, async (index) => {
    const each = cases[index]!;
    await using peer = await each.peer(each.unix ? `${folder}/${index}` : undefined);
    return await runAgainst(peer, each).catch((error: Error) => error);
  });
  await Deno.remove(folder, { recursive: true });
  for (const [index, each] of cases.entries()) {
    await test.step(`the server of ${each.path} ${each.name}`, () => {
      const result = results[index]!;
      if (result instanceof Error) throw result;
      check(each, result);
    });
  }
});
