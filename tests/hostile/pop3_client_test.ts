/**
 * The POP3 client against servers that lie, stop or say too much.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { accepted } from "../../lib/accept.ts";
import { SocketReader } from "../../lib/reader.ts";
import { encode } from "../lib/helpers.ts";
import { behaviours, misbehave, NONSENSE, type Peer, reset } from "./peers.ts";
import { ENVIRONMENT, readNothing, startDeno } from "./script.ts";
import { AT_ONCE, pause, settles, times, within } from "./waits.ts";

const CLIENT = "scripts/mail/pop3_client.ts";
const PASSWORD = "correct horse";
ENVIRONMENT.POP3_PASSWORD = PASSWORD;

const MAIL = "Subject: a\r\n\r\n..\r\n+OK\r\n-ERR no\r\n";
const TEXT = "Subject: a\r\n\r\n.\r\n+OK\r\n-ERR no\r\n";

/** What a lying server says in place of the honest answer; `null` closes the connection. */
type Lie = string | null | ((connection: Deno.Conn, gone: () => boolean) => Promise<unknown>);

/** A POP3 server with two mails, honest but for its lies, by verb; `hello` is its greeting. */
function lyingServer(lies: Record<string, Lie>): Peer & { commands: string[] } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const commands: string[] = [];
  let gone = false;
  const size = TEXT.length;
  const honest: Record<string, string> = {
    hello: "+OK hello\r\n",
    CAPA: "+OK\r\nUIDL\r\nTOP\r\n.\r\n",
    LIST: `+OK\r\n1 ${size}\r\n2 ${size}\r\n.\r\n`,
    UIDL: "+OK\r\n1 first\r\n2 second\r\n.\r\n",
    RETR: `+OK\r\n${MAIL}.\r\n`,
  };
  const serveOne = async (connection: Deno.Conn) => {
    using _closed = connection;
    const answer = async (verb: string) => {
      const lie = verb in lies ? lies[verb]! : honest[verb] ?? "+OK\r\n";
      if (typeof lie === "function") await lie(connection, () => gone);
      else if (lie !== null) await connection.write(encode(lie));
      return lie !== null && verb !== "QUIT";
    };
    let goesOn = await answer("hello");
    const reader = new SocketReader(connection);
    for (let line; goesOn && (line = await reader.readLine()) !== null;) {
      commands.push(line);
      goesOn = await answer(line.split(" ")[0]!);
    }
  };
  const serving = (async () => {
    for await (const connection of accepted(listener)) await serveOne(connection).catch(() => {});
  })().catch(() => {});
  return {
    commands,
    address: String(listener.addr.port),
    release: () => gone = true,
    async [Symbol.asyncDispose]() {
      gone = true;
      listener.close();
      await settles(serving, AT_ONCE);
    },
  };
}

interface Case {
  name: string;
  peer(): Peer | Promise<Peer>;
  code?: number;
  stderr?: RegExp;
  /** The files that are there in the end; none unless told. */
  files?: string[];
  /** What is in each of them. */
  text?: string | Uint8Array;
  words?: string[];
  /** Without names, the two mails, which are the same, make one file. */
  one?: boolean;
}

const lies = (lies: Record<string, Lie>) => () => lyingServer(lies);
const both = ["mail-first.eml", "mail-second.eml"];

const cases: Case[] = [
  ...Object.entries({
    "is silent": /nothing came within 10 s/,
    "sends a byte every 50 ms": /nothing came within 10 s/,
    "closes without a word": /the server closed the connection without one/,
    "closes in mid-answer": /the stream ended after 3 bytes|reset/,
    "never stops sending": /longer than the limit of 4096 bytes/,
    "sends nonsense": /is no POP3 reply/,
  }).map(([name, stderr]) => ({ name, stderr, peer: () => misbehave(behaviours[name]!) })),
  { name: "resets the connection", stderr: /reset|closed/, peer: () => reset("connection") },
  { name: "is honest", code: 0, files: both, peer: lies({}) },
  {
    name: "does not want to talk",
    stderr: /refused the connection: busy/,
    peer: lies({ hello: "-ERR busy\r\n" }),
  },
  {
    name: "greets as SMTP does",
    stderr: /is no POP3 reply/,
    peer: lies({ hello: "220 hello\r\n" }),
  },
  {
    name: "knows neither CAPA nor UIDL",
    code: 0,
    peer: lies({ CAPA: "-ERR what\r\n", UIDL: "-ERR what\r\n" }),
    files: ["mail-*.eml"],
    one: true,
  },
  {
    name: "can do endlessly many things",
    stderr: /the text is longer than the limit of 8388608 bytes/,
    peer: lies({
      CAPA: async (connection, gone) => {
        await connection.write(encode("+OK\r\n"));
        const lines = encode("CAPABILITY\r\n".repeat(5_000));
        while (!gone()) await connection.write(lines);
      },
    }),
  },
  {
    name: "does not accept the password, and repeats it",
    stderr: /S: -ERR no: \*\*\*$/m,
    peer: lies({ PASS: `-ERR no: ${PASSWORD}\r\n` }),
  },
  {
    name: "offers STLS and refuses it",
    stderr: /refused STLS: not now/,
    peer: lies({ CAPA: "+OK\r\nSTLS\r\n.\r\n", STLS: "-ERR not now\r\n" }),
  },
  {
    name: "offers STLS and speaks none",
    stderr: /does not speak TLS/,
    peer: lies({
      CAPA: "+OK\r\nSTLS\r\n.\r\n",
      STLS: async (connection) => {
        await connection.write(encode("+OK\r\n"));
        await connection.read(new Uint8Array(2_000));
        await connection.write(encode("+OK here I am\r\n"));
      },
    }),
  },
  {
    name: "says something behind its yes to STLS",
    stderr: /more than it was asked for|does not speak TLS/,
    peer: lies({ CAPA: "+OK\r\nSTLS\r\n.\r\n", STLS: "+OK\r\n+OK logged in\r\n" }),
  },
  {
    name: "closes in the middle of a list",
    stderr: /the stream ended after 7 bytes/,
    peer: lies({
      LIST: async (connection) => {
        await connection.write(encode("+OK\r\n1 5\r\n2 "));
        connection.close();
      },
    }),
  },
  {
    name: "lists a mail twice",
    stderr: /"1 6" does not belong into a LIST/,
    peer: lies({ LIST: "+OK\r\n1 5\r\n1 6\r\n.\r\n" }),
  },
  {
    name: "lists nonsense",
    stderr: /does not belong into a LIST/,
    peer: lies({ LIST: "+OK\r\n\x1b[2J\r\n.\r\n" }),
  },
  {
    name: "gives two mails that are the same one name",
    code: 0,
    files: ["mail-a.eml"],
    peer: lies({ UIDL: "+OK\r\n1 a\r\n2 a\r\n.\r\n" }),
    one: true,
  },
  {
    name: "gives two mails that differ one name",
    stderr: /another file of that name is there already/,
    files: ["mail-a.eml"],
    peer() {
      let mails = 0;
      return lyingServer({
        UIDL: "+OK\r\n1 a\r\n2 a\r\n.\r\n",
        RETR: (connection) =>
          connection.write(encode(`+OK\r\n${mails++ === 0 ? MAIL : "other\r\n"}.\r\n`)),
      });
    },
  },
  {
    name: "gives names that lead out of the folder",
    code: 0,
    files: ["mail-..%2F..%2Fout.eml", "mail-%2Ftmp%2Fout.eml"],
    peer: lies({ UIDL: "+OK\r\n1 ../../out\r\n2 /tmp/out\r\n.\r\n" }),
  },
  {
    name: "announces more than comes, and less",
    code: 0,
    files: both,
    stderr:
      /mail 1 was announced with 4294967296 bytes, and has 31\nC: DELE 1\n[^]*mail 2 was announced with 1 bytes, and has 31\n/,
    peer: lies({ LIST: "+OK\r\n1 4294967296\r\n2 1\r\n.\r\n" }),
  },
  {
    name: "closes in the middle of a mail",
    stderr: /the stream ended after 14 bytes, before the line with a dot/,
    peer: lies({
      RETR: async (connection) => {
        await connection.write(encode("+OK\r\nSubject: a\r\n\r\n"));
        connection.close();
      },
    }),
  },
  {
    name: "falls silent in the middle of a mail",
    stderr: /nothing came within 10 s/,
    peer: lies({ RETR: "+OK\r\nSubject: a\r\n" }),
  },
  {
    name: "sends a mail byte by byte for ever",
    stderr: /it sends less than 1024 bytes a second|nothing came within 10 s/,
    peer: lies({
      RETR: async (connection, gone) => {
        await connection.write(encode("+OK\r\n"));
        for (; !gone(); await pause(50)) await connection.write(encode("x"));
      },
    }),
  },
  {
    name: "never ends a mail",
    stderr: /the text is longer than the limit of 67108864 bytes/,
    peer: lies({
      RETR: async (connection, gone) => {
        await connection.write(encode("+OK\r\n"));
        const line = encode(`${"x".repeat(1_000)}\r\n`.repeat(60));
        while (!gone()) await connection.write(line);
      },
    }),
  },
  {
    name: "ends a mail in ways that are no end",
    code: 0,
    files: both,
    text: "a\n.\nb\n.\r\nc\r.\rd\r\n",
    peer: lies({ RETR: "+OK\r\na\n.\nb\n.\r\nc\r.\rd\r\n.\r\n" }),
  },
  {
    name: "sends every byte there is",
    code: 0,
    files: both,
    text: NONSENSE,
    peer: lies({
      RETR: async (connection) => {
        await connection.write(encode("+OK\r\n"));
        await connection.write(NONSENSE);
        await connection.write(encode("\r\n.\r\n"));
      },
    }),
  },
  {
    name: "goes on behind the end of a mail",
    stderr: /goes on behind the end of its text|more than it was asked for/,
    peer: lies({ RETR: `+OK\r\n${MAIL}.\r\n+OK\r\n+OK\r\n` }),
  },
  {
    name: "has lost the second mail",
    files: ["mail-first.eml"],
    stderr: /refused RETR: gone\nWithout a number/,
    peer: () => {
      let times = 0;
      return lyingServer({
        RETR: (connection) =>
          connection.write(encode(++times === 2 ? "-ERR gone\r\n" : `+OK\r\n${MAIL}.\r\n`)),
      });
    },
  },
  {
    name: "refuses to delete",
    files: ["mail-first.eml"],
    stderr: /refused DELE: no\b/,
    peer: lies({ DELE: "-ERR no\r\n" }),
  },
  {
    name: "could not delete",
    files: both,
    stderr: /refused QUIT: disk\nSome of the mails may not/,
    peer: lies({ QUIT: "-ERR disk\r\n" }),
  },
  {
    name: "closes at QUIT without an answer",
    files: both,
    stderr: /cannot get the server's reply: the server closed/,
    peer: lies({ QUIT: null }),
  },
];

interface Result {
  code: number;
  stdout: string;
  stderr: string;
  commands: string[];
}

async function runCase({ peer: start, words = [] }: Case, folder: string): Promise<Result> {
  await using peer = await start();
  const flags = [
    "--allow-env=POP3_PASSWORD",
    `--allow-net=127.0.0.1:${peer.address}`,
    `--allow-read=${folder}`,
    `--allow-write=${folder}`,
  ];
  await using client = startDeno(flags, CLIENT, {
    words: ["--port", peer.address, "--output", folder, "--delete", ...words],
  });
  try {
    const code = await within("the client's end", client.ended, 60_000);
    const commands = "commands" in peer ? peer.commands as string[] : [];
    return { code, stdout: client.stdout, stderr: client.stderr, commands: [...commands] };
  } finally {
    peer.release();
  }
}

function filesIn(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  } catch {
    return [];
  }
}

Deno.test(`${CLIENT} ends in time, and has deleted only what it has saved, when`, async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  const results = await times(
    cases.length,
    cases.length,
    (index) => runCase(cases[index]!, `${folder}/${index}/in`).catch((error: Error) => error),
  );
  for (const [index, { name, code = 1, stderr, files = [], text = TEXT, one }] of cases.entries()) {
    await test.step(`the server ${name}`, () => {
      const result = results[index]!;
      if (result instanceof Error) throw result;
      const said = result.stdout + result.stderr;
      assertEquals(/(?!\n)[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.exec(said)?.[0], undefined);
      assertEquals(/^ +at .*|^.*Uncaught.*/m.exec(said)?.[0], undefined);
      assert(!said.includes(PASSWORD));
      assertEquals(result.code, code, said);
      if (stderr) assertMatch(result.stderr, stderr);
      const errors = result.stderr.split("\n").filter((line) =>
        line.startsWith("pop3_client.ts: ")
      );
      assertEquals(errors.length, code, result.stderr);

      const there = filesIn(`${folder}/${index}/in`);
      const wanted = files.map((file) =>
        new RegExp(`^${file.replace(/[.+]/g, "\\$&").replace("*", "[0-9a-f]{64}")}$`)
      );
      assertEquals(there.length, files.length, there.join());
      for (const file of there) assert(wanted.some((each) => each.test(file)), file);
      const ending = typeof text === "string" ? encode(text) : new Uint8Array([...text, 13, 10]);
      for (const file of there) {
        assertEquals(Deno.readFileSync(`${folder}/${index}/in/${file}`), ending);
      }
      if (there.length > 0) assertEquals(filesIn(`${folder}/${index}`), ["in"]);

      // whoever marks and says QUIT deletes: only when all is saved
      const { commands } = result;
      const marked = commands.lastIndexOf("RSET") < 0
        ? commands.filter((each) => each.startsWith("DELE"))
        : [];
      if (commands.includes("QUIT") && !one) assert(marked.length <= there.length, commands.join());
      if (commands.includes("QUIT") && code !== 0) {
        assert(commands.includes("RSET") || marked.length === there.length, commands.join());
      }
    });
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test(`${CLIENT} says what is wrong, and with what exit code`, async () => {
  await using peer = lyingServer({});
  const words: [words: string[], code: number, stderr: RegExp][] = [
    [["0"], 2, /NUMBER is that of a mail, 1 for the first, not "0"/],
    [["one"], 2, /NUMBER is that of a mail/],
    [["--delete"], 2, /--delete needs --output/],
    [["--delete", "--output", "/tmp/x", "--lines", "0"], 2, /would lose the rest of the mails/],
    [["--user", "a\r\nDELE 1"], 2, /has no line end and no control character/],
    [["--ca", "/nowhere"], 1, /Deno was not given --allow-read=/],
    [["--port", "1"], 1, /Deno was not given --allow-net=127\.0\.0\.1:1\b/],
    [["--json"], 0, /C: UIDL/],
  ];
  const flags = ["--allow-env=POP3_PASSWORD", `--allow-net=127.0.0.1:${peer.address}`];
  for (const [more, code, stderr] of words) {
    await using client = startDeno(flags, CLIENT, { words: ["--port", peer.address, ...more] });
    assertEquals(await within("its end", client.ended, 40_000), code, client.stderr);
    assertMatch(client.stderr, stderr);
    if (code === 0) {
      assertEquals(JSON.parse(client.stdout)[0], { number: 1, size: TEXT.length, unique: "first" });
    }
  }
  assert(!peer.commands.some((command) => command.startsWith("DELE")));
});

Deno.test(`${CLIENT} does not blame the server when nobody reads its output any more`, async () => {
  await using peer = lyingServer({ RETR: `+OK\r\n${"a line\r\n".repeat(200_000)}.\r\n` });
  const flags = ["--allow-env=POP3_PASSWORD", `--allow-net=127.0.0.1:${peer.address}`];
  const { code, stderr } = await readNothing([
    ...["run", "--no-prompt", ...flags, new URL(`../../${CLIENT}`, import.meta.url).pathname],
    ...["--port", peer.address, "1"],
  ]);
  assertEquals(code, 1, stderr);
  assertMatch(stderr, /\npop3_client\.ts: nobody reads its output any more\n$/);
  assertEquals(peer.commands.at(-1), "QUIT");
});
