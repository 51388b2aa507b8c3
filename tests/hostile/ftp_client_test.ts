/**
 * The FTP client against servers that lie, stop or say too much.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { accepted } from "../../lib/accept.ts";
import { SocketReader } from "../../lib/reader.ts";
import { chance, encode } from "../lib/helpers.ts";
import { behaviours, misbehave, type Peer, reset } from "./peers.ts";
import { startDeno } from "./script.ts";
import { AT_ONCE, settles, times, within } from "./waits.ts";

const CLIENT = "scripts/remote/ftp_client.ts";
const SEED = 20_240_611;

const FILE = "0123456789".repeat(1_000);

/** How a lying server differs from an honest one. */
interface Lies {
  /** Replies in place of the honest ones, by verb; `undefined` for none at all. */
  replies?: Record<string, string | undefined>;
  /** What comes over the data connection, in place of the file. */
  send?: (data: Deno.Conn, gone: () => boolean) => Promise<unknown>;
  /** What is said when it has been sent; closes the control connection when it is null. */
  last?: string | null;
  /** What PASV names as address; when it is of this machine, somebody listens there. */
  named?: string;
}

/** An FTP server for one client after another, honest but for its lies. */
function lyingServer(lies: Lies): Peer & { commands: string[] } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const commands: string[] = [];
  let gone = false;
  const serveOne = async (control: Deno.Conn) => {
    using _closed = control;
    using data = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = data.addr;
    const trapped = lies.named === "127,0,0,2";
    using trap = trapped ? Deno.listen({ hostname: "127.0.0.2", port }) : undefined;
    trap?.accept().then(() => commands.push("TRAPPED"), () => {});
    const say = (text: string) => control.write(encode(`${text}\r\n`));
    let restart = 0;
    const honest: Record<string, string> = {
      USER: "331 password",
      PASS: "230 welcome",
      TYPE: "200 ok",
      SIZE: `213 ${FILE.length}`,
      EPSV: lies.named ? "500 what" : `229 (|||${port}|)`,
      PASV: `227 (${lies.named},${port >> 8},${port & 255})`,
      REST: "350 ok",
      RETR: "150 here",
      LIST: "150 here",
      QUIT: "221 bye",
    };
    await say(lies.replies?.hello ?? "220 hello");
    for await (const line of new SocketReader(control)) {
      commands.push(line);
      const [verb, argument] = line.split(" ");
      if (verb === "REST") restart = Number(argument);
      const text = lies.replies && verb! in lies.replies ? lies.replies[verb!] : honest[verb!];
      if (text !== undefined) await say(text);
      if (verb === "QUIT") return;
      if ((verb !== "RETR" && verb !== "LIST") || !text?.startsWith("150")) continue;
      {
        using connection = await data.accept();
        const send = lies.send ?? ((data) => data.write(encode(FILE.slice(restart))));
        await send(connection, () => gone).catch(() => {});
      }
      if (lies.last === null) return;
      await say(lies.last ?? "226 done");
    }
  };
  const serving = (async () => {
    for await (const control of accepted(listener)) await serveOne(control).catch(() => {});
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

interface Outcome {
  code?: number;
  stdout?: RegExp;
  stderr?: RegExp;
  /** How many bytes are left for --resume; none unless told. */
  part?: number;
}

interface Case extends Outcome {
  name: string;
  peer(): Peer | Promise<Peer>;
  words?: string[];
  /** What an earlier attempt left. */
  left?: string;
}

const write = (text: string) => (data: Deno.Conn) => data.write(encode(text));
const half = FILE.slice(0, 5_000);

const cases: Case[] = [
  ...Object.entries({
    "is silent": /nothing came within 10 s/,
    "sends a byte every 50 ms": /nothing came within 10 s/,
    "closes without a word": /closed the connection without a reply/,
    "closes in mid-answer": /"Yes" is no FTP reply|reset/,
    "never stops sending": /longer than the limit of 4096 bytes/,
    "sends nonsense": /is no FTP reply/,
  }).map(([name, stderr]) => ({ name, stderr, peer: () => misbehave(behaviours[name]!) })),
  { name: "resets the connection", stderr: /reset/, peer: () => reset("connection") },
  {
    name: "is honest",
    code: 0,
    stdout: /^10000 bytes in /,
    peer: () => lyingServer({}),
  },
  {
    name: "greets without end",
    stderr: /more than 200 lines/,
    peer: () => lyingServer({ replies: { hello: "220-x\r\n".repeat(100_000) } }),
  },
  {
    name: "hides other replies in its greeting",
    code: 0,
    stderr: /^S: 530 Not logged in$/m,
    peer: () => lyingServer({ replies: { hello: "220-hello\r\n530 Not logged in\r\n220 go on" } }),
  },
  {
    name: "names another address",
    code: 0,
    stderr: /the server names 10\.9\.8\.7: not believed/,
    peer: () => lyingServer({ named: "10,9,8,7" }),
  },
  {
    name: "names another address where somebody listens",
    code: 0,
    stderr: /the server names 127\.0\.0\.2: not believed[^]*data connection to 127\.0\.0\.1:/,
    peer: () => lyingServer({ named: "127,0,0,2" }),
  },
  {
    name: "names no port",
    stderr: /no data port stands in/,
    peer: () => lyingServer({ replies: { EPSV: "229 (|||0|)" } }),
  },
  {
    name: "names a port where nothing listens",
    stderr: /cannot open the data connection to 127\.0\.0\.1:1: connection refused/,
    peer: () => lyingServer({ replies: { EPSV: "229 (|||1|)" } }),
  },
  {
    name: "never begins the transfer",
    stderr: /nothing came within 10 s/,
    peer: () => lyingServer({ replies: { RETR: undefined } }),
  },
  {
    name: "sends half of the file and says that it was all",
    stderr: /the file ended after 5000 of 10000 bytes/,
    part: 5_000,
    peer: () => lyingServer({ send: write(half) }),
  },
  {
    name: "sends half of the file and closes both connections",
    stderr: /closed the connection without a reply/,
    part: 5_000,
    peer: () => lyingServer({ send: write(half), last: null }),
  },
  {
    name: "sends half of the file and says what broke",
    stderr: /the server refuses to end RETR file: 451 disk/,
    part: 5_000,
    peer: () => lyingServer({ send: write(half), last: "451 disk" }),
  },
  {
    name: "sends half of the file and falls silent",
    stderr: /cannot receive: nothing came within 10 s/,
    part: 5_000,
    peer: () =>
      lyingServer({
        async send(data, gone) {
          await data.write(encode(half));
          while (!gone()) await settles(new Promise(() => {}), 50);
        },
      }),
  },
  {
    name: "sends all of the file and never says so",
    stderr: /closed the connection without a reply/,
    part: 10_000,
    peer: () => lyingServer({ last: null }),
  },
  {
    name: "sends more than it announced",
    stderr: /more than the 10000 bytes/,
    peer: () => lyingServer({ send: write(FILE + "x") }),
  },
  {
    name: "does not tell the size",
    code: 0,
    stdout: /^10000 bytes in /,
    peer: () => lyingServer({ replies: { SIZE: "500 what" } }),
  },
  {
    name: "says nonsense for a size",
    code: 0,
    stdout: /^10000 bytes in /,
    peer: () => lyingServer({ replies: { SIZE: "213 0x1p99\x1b[2J" } }),
  },
  {
    name: "goes on with a file that was begun",
    code: 0,
    stdout: /^10000 bytes in /,
    stderr: /^C: REST 904$/m,
    words: ["--resume"],
    left: half,
    peer: () => lyingServer({}),
  },
  {
    name: "has another file than the one that was begun",
    stderr: /does not begin with what is in/,
    words: ["--resume"],
    left: half.replaceAll("5", "6"),
    part: 5_000,
    peer: () => lyingServer({}),
  },
  {
    name: "has a shorter file than the one that was begun",
    stderr: /does not begin with what is in/,
    words: ["--resume"],
    left: FILE + "x",
    part: 10_001,
    peer: () => lyingServer({}),
  },
  {
    name: "cannot begin in the middle",
    stderr: /the server refuses REST 904: 502 no/,
    words: ["--resume"],
    left: half,
    part: 5_000,
    peer: () => lyingServer({ replies: { REST: "502 no" } }),
  },
];

async function runCase({ peer: start, words = [], left }: Case, folder: string) {
  await using peer = await start();
  await Deno.mkdir(folder);
  if (left !== undefined) await Deno.writeTextFile(`${folder}/file.part`, left);
  // 127.0.0.2 and 10.9.8.7 are granted: that the client does not go there is its own doing
  const flags = [
    "--allow-net=127.0.0.1,127.0.0.2,10.9.8.7",
    `--allow-read=${folder}`,
    `--allow-write=${folder}`,
  ];
  const output = ["--output", `${folder}/file`];
  await using client = startDeno(flags, CLIENT, {
    words: [`127.0.0.1:${peer.address}`, "get", "file", ...output, ...words],
  });
  try {
    const code = await within("the client's end", client.ended, 40_000);
    if ("commands" in peer) assert(!(peer.commands as string[]).includes("TRAPPED"));
    return { code, stdout: client.stdout, stderr: client.stderr };
  } finally {
    peer.release();
  }
}

const sizeOf = (path: string) => {
  try {
    return Deno.statSync(path).size;
  } catch {
    return undefined;
  }
};

Deno.test(`${CLIENT} ends in time, with the file or one clear error, when`, async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  const results = await times(
    cases.length,
    16,
    (index) => runCase(cases[index]!, `${folder}/${index}`).catch((error: Error) => error),
  );
  for (const [index, { name, code = 1, stdout, stderr, part }] of cases.entries()) {
    await test.step(`the server ${name}`, () => {
      const result = results[index]!;
      if (result instanceof Error) throw result;
      const text = result.stdout + result.stderr;
      assertEquals(/(?!\n)[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.exec(text)?.[0], undefined);
      assertEquals(/^ +at .*|^.*Uncaught.*/m.exec(text)?.[0], undefined);
      assertEquals(result.code, code, text);
      if (stdout) assertMatch(result.stdout, stdout);
      if (stderr) assertMatch(result.stderr, stderr);
      const errors = result.stderr.split("\n").filter((line) => line.startsWith("ftp_client.ts: "));
      assertEquals(errors.length, code, result.stderr);
      assertEquals(sizeOf(`${folder}/${index}/file.part`), part);
      assertEquals(sizeOf(`${folder}/${index}/file`), code === 0 ? FILE.length : undefined);
      if (part !== undefined && !name.startsWith("has ")) {
        assertStringIncludes(result.stderr, `${part} bytes are kept in `);
      }
      if (code === 0) assertEquals(Deno.readTextFileSync(`${folder}/${index}/file`), FILE);
    });
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test(`${CLIENT} shows what a listing hides`, async () => {
  const lines = "-rw 1 \x1b]0;owned\x07 name\r\nsecond\u202etxt\r\n";
  await using peer = lyingServer({ send: write(lines) });
  await using client = startDeno(["--allow-net=127.0.0.1"], CLIENT, {
    words: [`127.0.0.1:${peer.address}`, "ls"],
  });
  assertEquals(await within("its end", client.ended, 40_000), 0);
  assertEquals(client.stdout, "-rw 1 \\x1b]0;owned\\x07 name\nsecond\\u202etxt\n");
});

Deno.test(`${CLIENT} sends no name that would be two commands`, async () => {
  for (const words of [["ls", "a\r\nDELE b"], ["get", "a\nb"], ["ls", "--user", "x\r\ny"]]) {
    await using peer = lyingServer({});
    await using client = startDeno(["--allow-net=127.0.0.1", "--allow-read"], CLIENT, {
      words: [`127.0.0.1:${peer.address}`, ...words],
    });
    assertEquals(await within("its end", client.ended, 40_000), 2);
    assertMatch(client.stderr, /has no line end/);
    assertEquals(peer.commands, []);
  }
});

Deno.test(`${CLIENT} does not begin to fetch what it cannot put at its place`, async () => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  const flags = ["--allow-net=127.0.0.1", "--allow-read", `--allow-write=${folder},${folder}.part`];
  for (const output of [folder, `${folder}/`, `${folder}/.`, `${folder}/new/`, "/dev/null", "."]) {
    await using peer = lyingServer({});
    await using client = startDeno(flags, CLIENT, {
      words: [`127.0.0.1:${peer.address}`, "get", "file", "--output", output],
    });
    assertEquals(await within("its end", client.ended, 40_000), 2, output);
    assertMatch(
      client.stderr,
      /^ftp_client\.ts: --output is a file, and .* is none$/m,
    );
    assertEquals([peer.commands, sizeOf(`${folder}.part`)], [[], undefined]);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test(`${CLIENT} stopped by Ctrl-C says QUIT and leaves what --resume goes on with`, async () => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  const begun = Promise.withResolvers<void>();
  await using peer = lyingServer({
    async send(data) {
      await data.write(encode(half));
      begun.resolve();
      // until the client has gone
      while (await data.read(new Uint8Array(16)) !== null);
    },
    last: "426 you left",
  });
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${folder}`, `--allow-write=${folder}`];
  const words = [`127.0.0.1:${peer.address}`, "get", "file", "--output", `${folder}/file`];
  await using client = startDeno(flags, CLIENT, { words });
  await within("the transfer", begun.promise, 40_000);
  while (sizeOf(`${folder}/file.part`) !== half.length) await settles(new Promise(() => {}), 20);
  assertEquals(await client.stop("SIGINT"), 1);
  assertMatch(client.stderr, /5000 bytes are kept in .*\nC: QUIT\nS: 426 you left\nS: 221 bye\n/);
  assertMatch(client.stderr, /^ftp_client\.ts: stopped$/m);
  assertEquals(peer.commands.at(-1), "QUIT");
  await Deno.remove(folder, { recursive: true });
});

Deno.test(`${CLIENT} has the whole file after any number of interruptions`, async () => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  const random = chance(SEED);
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${folder}`, `--allow-write=${folder}`];
  let runs = 0, kept = 0;
  for (let code = 1; code !== 0; runs++) {
    assert(runs < 20, "it does not get on");
    // more than what is fetched again to compare, so that each attempt gets on
    const from = Math.max(0, kept - 4_096);
    const to = from + 4_097 + random(4_000);
    await using peer = lyingServer({
      send: write(FILE.slice(from, to)),
      last: to < FILE.length ? null : "226 done",
    });
    const words = [`127.0.0.1:${peer.address}`, "get", "file", "--resume"];
    await using client = startDeno(flags, CLIENT, {
      words: [...words, "--output", `${folder}/file`],
    });
    code = await within("its end", client.ended, 40_000);
    if (code === 0) break;
    kept = sizeOf(`${folder}/file.part`)!;
    assertEquals(kept, Math.min(to, FILE.length), client.stderr);
    if (from > 0) assertMatch(client.stderr, new RegExp(`^C: REST ${from}$`, "m"));
  }
  assert(runs > 0, "it was never interrupted");
  assertEquals(Deno.readTextFileSync(`${folder}/file`), FILE);
  await Deno.remove(folder, { recursive: true });
});
