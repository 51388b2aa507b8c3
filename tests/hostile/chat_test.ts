/**
 * The chat besieged: a room of 200, those who do not read, garbage, endless lines and resets; and its client
 * with servers that misbehave.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Process } from "../peers/process.ts";
import { encode } from "../lib/helpers.ts";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { behaviours, beSilent, misbehave, type Peer, reset } from "./peers.ts";
import { memory, openFiles, startScript } from "./script.ts";
import { anyPort, besiege, starve, type Subject } from "./siege.ts";
import { times, until, within } from "./waits.ts";

/** One who chats, line by line. */
class Chatter implements Disposable {
  readonly lines: string[] = [];
  readonly ended: Promise<void>;
  #news = Promise.withResolvers<void>();

  constructor(readonly connection: Deno.Conn) {
    this.ended = this.#listen();
  }

  async #listen(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for (let count; (count = await this.connection.read(buffer)) !== null;) {
        const parts = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split(
          "\n",
        );
        rest = parts.pop()!;
        for (const part of parts) this.lines.push(part);
        this.#news.resolve();
        this.#news = Promise.withResolvers();
      }
    } catch {
      // closed by the test, or reset by the server: what was heard tells
    }
  }

  async say(text: string): Promise<void> {
    const bytes = encode(text + "\n");
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.connection.write(bytes.subarray(sent));
    }
  }

  async hears(
    what: string,
    when: (lines: string[]) => boolean,
    milliseconds = 30_000,
  ): Promise<void> {
    const waiting = async () => {
      while (!when(this.lines)) await this.#news.promise;
    };
    await within(what, waiting(), milliseconds);
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}

async function enter(target: Target, name: string): Promise<Chatter> {
  const chatter = new Chatter(await target.dial());
  await chatter.say(name);
  await chatter.hears(
    `${name}'s welcome`,
    (lines) => lines[1]?.startsWith(`Welcome, ${name}.`) ?? false,
  );
  return chatter;
}

let visitors = 0;

const chatServer: Subject<Target> = {
  path: "scripts/tcp/chat_server.ts",
  attacks: {
    ...attacks,
    "members are reset in mid-line": async (target) => {
      await times(
        20,
        10,
        () => target.reset(encode(`rude-${visitors++}\nhalf of a li`), "answered"),
      );
    },
    "members are silent, and vanish without a farewell": async (target) => {
      await times(
        50,
        10,
        async () => (await enter(target, `quiet-${visitors++}`))[Symbol.dispose](),
      );
    },
  },
  target: (address) => tcpTarget(Number(address)),
  async goodClient(target) {
    const name = `good-${visitors++}`;
    using chatter = await enter(target, name);
    await chatter.say("/who\n/quit");
    await chatter.ended;
    const answers = chatter.lines.filter((line) => !line.startsWith("* ") && !line.includes(": "));
    assertEquals(chatter.lines[0], "What is your name?");
    assertEquals(answers.at(-1), `Goodbye, ${name}.`);
  },
  idleClient: (target) => enter(target, `idle-${visitors++}`),
  taken:
    /^chat_server\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
};

besiege(chatServer, anyPort);
starve(chatServer, anyPort);

async function started(...words: string[]) {
  using place = anyPort();
  const server = startScript(chatServer.path, {
    ...place,
    words: [...place.words, ...words],
    smallHeap: true,
  });
  const port = await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m);
  return { server, target: tcpTarget(Number(port)) };
}

Deno.test("chat_server.ts drops the member that never reads, and the others hear every line in order", async () => {
  const { server, target } = await started();
  await using _ended = server;
  using speaker = await enter(target, "speaker");
  using reader = await enter(target, "reader");
  using other = await enter(target, "other");
  using deaf = await target.dial(); // says its name and never reads
  await deaf.write(encode("deaf\n"));
  await speaker.hears("deaf's arrival", (lines) => lines.includes("* deaf has joined"));
  const before = memory(server.pid);

  const expected: string[] = [];
  const dropped = (lines: string[]) => lines.includes("* deaf has left");
  let block = "";
  for (let number = 0; number < 40_000 && !dropped(speaker.lines); number++) {
    const line = `${number} ${"x".repeat(900)}`;
    expected.push(`speaker: ${line}`);
    block += line + "\n";
    if (number % 64 !== 63) continue;
    await within("the server takes more", speaker.say(block.slice(0, -1)), 30_000);
    block = "";
  }
  await speaker.hears("that the member was dropped", dropped);
  await speaker.say(block + "the end");
  expected.push("speaker: the end");
  for (const each of [reader, other]) {
    await each.hears("the last line", (lines) => lines.at(-1) === expected.at(-1));
    assertEquals(each.lines.filter((line) => line.startsWith("speaker: ")), expected);
  }
  assertMatch(server.stderr, /: dropped: more than 262144 bytes wait to be read\n/);
  const growth = memory(server.pid) - before;
  console.log(`dropped after ${expected.length} lines; the server grew by ${growth} bytes`);
  assert(growth < 40 * 1024 * 1024, `grew by ${growth} bytes`);
  assertEquals(await server.stop("SIGINT"), 0);
});

Deno.test("chat_server.ts serves a room of 200, in which each hears all others", async () => {
  const { server, target } = await started();
  await using _ended = server;
  const files = openFiles(server.pid);
  const room = await times(200, 20, (index) => enter(target, `member-${index}`));
  try {
    await times(200, 50, (index) => room[index]!.say(`line of ${index}`));
    const said = (lines: string[]) => lines.filter((line) => line.includes(": line of "));
    for (const [index, member] of room.entries()) {
      await member.hears("199 lines", (lines) => said(lines).length === 199);
      const all = room.map((_, other) => `member-${other}: line of ${other}`).toSpliced(index, 1);
      assertEquals(said(member.lines).toSorted(), all.toSorted());
    }
    await room[0]!.say("/who");
    await room[0]!.hears(
      "who is there",
      (lines) => lines.at(-1)?.endsWith(" and 100 more") ?? false,
    );
  } finally {
    for (const member of room) member[Symbol.dispose]();
  }
  await until(() => "files stay open", () => openFiles(server.pid) === files, 30_000);
  await chatServer.goodClient(target);
  assertEquals(await server.stop("SIGTERM"), 0);
});

Deno.test("chat_server.ts shows what a member sends, and lets nobody speak for another", async () => {
  const { server, target } = await started();
  await using _ended = server;
  using listener = await enter(target, "listener");
  using rude = await enter(target, "rude");
  await rude.say("\x1b[2J\x07\u202egnp.exe\r* listener has left\r\nlistener: \u009b31mI am you\0");
  await rude.connection.write(new Uint8Array([0xff, 0xfe, 0xc0, 0x80, 0x0a]));
  await rude.say("done");
  await listener.hears("the last line", (lines) => lines.at(-1) === "rude: done");
  assertEquals(listener.lines.slice(2), [
    "* rude has joined",
    "rude: \\x1b[2J\\x07\\u202egnp.exe\\r* listener has left",
    "rude: listener: \\u009b31mI am you\\0",
    "rude: \ufffd\ufffd\ufffd\ufffd",
    "rude: done",
  ]);
  assertEquals(await server.stop("SIGINT"), 0);
});

Deno.test("chat_server.ts asks again for a name that is bad or taken, five times at most", async () => {
  const { server, target } = await started();
  await using _ended = server;
  using ada = await enter(target, "Ada");
  using other = new Chatter(await target.dial());
  await other.say("ADA\n\x1b[2J\n\na b\n" + "x".repeat(21));
  await within("the end", other.ended);
  assertEquals(other.lines, [
    "What is your name?",
    "The name Ada is taken. What is your name?",
    "A name is made of letters, digits, and the characters _ . - only. What is your name?",
    "A name has at least one character. What is your name?",
    "A name is made of letters, digits, and the characters _ . - only. What is your name?",
    "That is enough.",
  ]);
  await ada.say("/nick x\n/who");
  await ada.hears("answers", (lines) => lines.at(-1) === "Here now: Ada");
  assertEquals(ada.lines.slice(2), ["There is only /who and /quit.", "Here now: Ada"]);
  assertEquals(await server.stop("SIGINT"), 0);
});

Deno.test("chat_server.ts says goodbye to whose line is too long, and to who is silent too long", async () => {
  const { server, target } = await started("--idle", "1");
  await using _ended = server;
  using long = await enter(target, "long");
  await long.say("x".repeat(1_000));
  await long.say("x".repeat(1_001));
  await within("the end", long.ended);
  assertEquals(long.lines.at(-1), "Goodbye: a line is longer than the limit of 1000 bytes.");
  using silent = await enter(target, "silent");
  await within("the end", silent.ended);
  assertEquals(silent.lines.at(-1), "Goodbye: nothing came within 1 s.");
  await until(() => server.stderr, () => server.stderr.includes("silent has left"));
  assertEquals(await server.stop("SIGINT"), 0);
});

/** Runs the client against a server, its keyboard held still until the server has shown what it does. */
async function chatWith(
  peer: Peer,
  typed: (client: Process) => Promise<unknown> = () => Promise.resolve(),
) {
  const flags = [`--allow-net=127.0.0.1:${peer.address}`, "scripts/tcp/chat_client.ts"];
  const words = ["--port", peer.address];
  await using client = new Process([Deno.execPath(), "run", "--no-prompt", ...flags, ...words]);
  await typed(client);
  const code = await client.end();
  peer.release();
  const stdout = client.stdout.text, stderr = client.stderr.text;
  assertEquals(/(?!\n)[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.exec(stdout + stderr)?.[0], undefined);
  assertEquals(/^ +at .*|^.*Uncaught.*/m.exec(stderr)?.[0], undefined);
  return { code, stdout, stderr };
}

const endOfInput = (client: Process) => client.send();
const much = async (client: Process) => {
  await client.send(encode(("x".repeat(999) + "\n").repeat(16_000)));
};

/** Each misbehaviour, what is typed meanwhile, and what the client says in the end. */
const CASES: Record<
  string,
  {
    peer: () => Peer | Promise<Peer>;
    typed?: (client: Process) => Promise<unknown>;
    stderr: RegExp;
    stdout?: RegExp;
    code?: number;
  }
> = {
  "is silent": {
    peer: () => misbehave(behaviours["is silent"]!),
    typed: endOfInput,
    stderr: /cannot hear the server's goodbye: nothing came within 3 s/,
  },
  "sends a byte every 50 ms": {
    peer: () => misbehave(behaviours["sends a byte every 50 ms"]!),
    typed: endOfInput,
    stderr: /cannot hear the server's goodbye: nothing came within 3 s/,
  },
  "closes without a word": {
    peer: () => misbehave(behaviours["closes without a word"]!),
    stderr: /the server has ended the conversation/,
  },
  "closes in mid-answer": {
    peer: () => misbehave(behaviours["closes in mid-answer"]!),
    stderr: /the server has ended the conversation/,
    stdout: /^Yes\n$/,
  },
  "never stops sending": {
    peer: () => misbehave(behaviours["never stops sending"]!),
    stderr: /cannot hear from the server: a line is longer than the limit of 65536 bytes/,
  },
  "sends nonsense": {
    peer: () =>
      misbehave(async (connection) => {
        await connection.write(encode("\x1b]0;owned\x07\x1b[2J\u009b31m\r\n\0\b\u202etxt.exe"));
      }),
    stderr: /the server has ended the conversation/,
    stdout: /^\\x1b\]0;owned\\x07\\x1b\[2J\\u009b31m\n\\0\\x08\\u202etxt\.exe\n$/,
  },
  "resets the connection": {
    peer: () => reset("connection"),
    stderr: /the other side reset the connection/,
  },
  "resets the connection when something is typed": {
    peer: () => reset("data"),
    typed: (client) => client.send(encode("hello\n")),
    stderr: /the other side reset the connection/,
  },
  "never reads": {
    peer: () => misbehave(beSilent),
    typed: much,
    stderr: /cannot send: nothing came within 3 s/,
  },
  "is silent while Ctrl-C is typed": {
    peer: () =>
      misbehave(async (connection) => {
        await connection.write(encode("hello\n"));
        while (await connection.read(new Uint8Array(1)) !== null);
      }),
    typed: async (client) => {
      await client.stdout.line(/hello/);
      client.signal("SIGINT");
    },
    stderr: /^$/,
    stdout: /^hello\n$/,
    code: 0,
  },
};

Deno.test("chat_client.ts ends in time, with one clear error, when", async (test) => {
  const results = await Promise.all(
    Object.entries(CASES).map(async ([name, { peer, typed }]) => {
      await using server = await peer();
      return [name, await chatWith(server, typed).catch((error: Error) => error)] as const;
    }),
  );
  for (const [name, result] of results) {
    await test.step(`the server ${name}`, () => {
      if (result instanceof Error) throw result;
      const { stderr, stdout = /^x*$/, code = 1 } = CASES[name]!;
      assertMatch(result.stderr, stderr);
      assertMatch(result.stdout, stdout);
      assertEquals(result.code, code, result.stderr);
      const errors = result.stderr.split("\n").filter((line) =>
        line.startsWith("chat_client.ts: ")
      );
      assertEquals(errors.length, code);
    });
  }
});

Deno.test("chat_client.ts names the partner to start when nothing listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(listener.addr.port);
  listener.close();
  await using client = startScript("scripts/tcp/chat_client.ts", {
    words: ["--port", port],
    flags: (flag) => flag.replace(/\d+$/, port),
  });
  assertEquals(await within("its end", client.ended, 30_000), 1);
  assertMatch(client.stderr, /Start its partner first.*chat_server\.ts/);
});
