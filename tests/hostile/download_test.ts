/**
 * download against servers that break off, change the file, lie about parts of it, and name it badly.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { chance, encode } from "../lib/helpers.ts";
import { type Talk, type WebPeer, webServer } from "./http_answers.ts";
import { NONSENSE, type Peer, reset } from "./peers.ts";
import { startDeno } from "./script.ts";
import { times, until, within } from "./waits.ts";

const SCRIPT = "scripts/http/download.ts";
const SEED = 20_240_611;
const PATIENT = 40_000;

const FILE = "0123456789".repeat(10_000);
const OTHER = FILE.replaceAll("5", "6");
const SHA256 = new Uint8Array(await crypto.subtle.digest("SHA-256", encode(FILE))).toHex();

/** The head of an answer with all of the file. */
const all = (length = FILE.length, more = 'ETag: "1"\r\n') =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n${more}Connection: close\r\n\r\n`;

/** The head of an answer with a part of the file. */
const part = (first: number, more = 'ETag: "1"\r\n', total: number | string = FILE.length) =>
  `HTTP/1.1 206 Partial Content\r\nContent-Length: ${FILE.length - first}\r\n` +
  `Content-Range: bytes ${first}-${FILE.length - 1}/${total}\r\n${more}Connection: close\r\n\r\n`;

/** Answers as it should, but sends so many bytes at most and closes. */
const honest = (most = Infinity) => ({ header, say }: Talk) => {
  const first = Number(/^bytes=(\d+)-$/.exec(header("range") ?? "")?.[1] ?? 0);
  const same = (header("if-range") ?? '"1"') === '"1"';
  if (first === 0 || !same) return say(all() + FILE.slice(0, most));
  if (first >= FILE.length) {
    return say(`HTTP/1.1 416 No\r\nContent-Range: bytes */${FILE.length}\r\n\r\n`);
  }
  return say(part(first) + FILE.slice(first, first + most));
};

const saying = (text: string | Uint8Array) => ({ say }: Talk) => say(text);
const sayingOn = (text: string | Uint8Array) => async ({ say, stay }: Talk) => {
  await say(text);
  await stay();
};

interface Case {
  name: string;
  answers?: Parameters<typeof webServer>;
  peer?: () => Peer | Promise<Peer>;
  words?: string[];
  /** What an earlier attempt left, and the version that it noted. */
  left?: string;
  version?: string;
  code?: number;
  stderr?: RegExp;
  /** What the file holds in the end; no file unless told. */
  file?: string;
  /** How many bytes are left for a later attempt; none unless told. */
  part?: number;
  /** The ranges that were asked for, in this order. */
  ranges?: (string | undefined)[];
}

const half = FILE.slice(0, 50_000);
const saved = { code: 0, file: FILE };

const cases: Case[] = [
  { name: "is honest", answers: [honest()], ...saved, ranges: [undefined] },
  {
    name: "sends chunks",
    answers: [saying(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${
        FILE.length.toString(16)
      }\r\n${FILE}\r\n0\r\n\r\n`,
    )],
    ...saved,
  },
  {
    name: "breaks off again and again",
    answers: [honest(30_000)],
    ...saved,
    stderr: /^the connection broke after 30000 of 100000 bytes: going on in 0\.1 s$/m,
    ranges: [undefined, "bytes=30000-", "bytes=60000-", "bytes=90000-"],
  },
  {
    name: "breaks off and tells no version",
    answers: [saying(all(FILE.length, "") + half), saying(all(FILE.length, "") + FILE)],
    ...saved,
    ranges: [undefined, undefined],
  },
  {
    name: "breaks off and tells a weak version",
    answers: [saying(all(FILE.length, 'ETag: W/"1"\r\n') + half), honest()],
    ...saved,
    ranges: [undefined, undefined],
  },
  {
    name: "breaks off at the same place each time",
    answers: [honest(50_000), ({ say }) => say(part(50_000))],
    words: ["--retries", "2"],
    part: 50_000,
    stderr: /50000 bytes are kept in .*file\.part: the same command goes on with them/,
    ranges: [undefined, "bytes=50000-", "bytes=50000-"],
  },
  {
    name: "breaks off without a version, and never sends all",
    answers: [saying(all(FILE.length, "") + half)],
    words: ["--retries", "2"],
    stderr: /the connection broke after 50000 of 100000 bytes$/m,
    ranges: [undefined, undefined, undefined],
  },
  {
    name: "has another version when it is asked for the rest",
    answers: [honest(50_000), saying(all(OTHER.length, 'ETag: "2"\r\n') + OTHER)],
    code: 0,
    file: OTHER,
    ranges: [undefined, "bytes=50000-"],
  },
  {
    name: "has another version, and breaks off that one, too",
    answers: [
      honest(50_000),
      saying(all(OTHER.length, 'ETag: "2"\r\n') + OTHER.slice(0, 20_000)),
      saying(part(20_000, 'ETag: "2"\r\n') + OTHER.slice(20_000)),
    ],
    code: 0,
    file: OTHER,
    ranges: [undefined, "bytes=50000-", "bytes=20000-"],
  },
  {
    name: "sends the rest of another version",
    answers: [honest(50_000), saying(part(50_000, 'ETag: "2"\r\n') + OTHER.slice(50_000))],
    words: ["--retries", "1"],
    part: 50_000,
    stderr: /the server sent another part: bytes 50000-99999\/100000/,
  },
  {
    name: "tells how long all is only with the rest",
    answers: [
      saying(
        `HTTP/1.1 200 OK\r\nETag: "1"\r\nTransfer-Encoding: chunked\r\n\r\nc350\r\n${half}\r\n`,
      ),
      saying(part(50_000) + FILE.slice(50_000, 70_000)),
      honest(),
    ],
    ...saved,
    stderr: /^the connection broke after 70000 of 100000 bytes: going on in 0\.2 s$/m,
    ranges: [undefined, "bytes=50000-", "bytes=70000-"],
  },
  {
    name: "does not tell with the rest how long all is",
    answers: [
      honest(50_000),
      saying(part(50_000, 'ETag: "1"\r\n', "*") + FILE.slice(50_000)),
    ],
    ...saved,
  },
  {
    name: "gives less than it was asked for, each time",
    answers: [
      honest(50_000),
      saying(
        'HTTP/1.1 206 Partial Content\r\nContent-Length: 20000\r\nETag: "1"\r\n' +
          `Content-Range: bytes 50000-69999/100000\r\n\r\n${FILE.slice(50_000, 70_000)}`,
      ),
      honest(),
    ],
    words: ["--retries", "1"],
    ...saved,
    stderr: /^going on after 70000 bytes$/m,
    ranges: [undefined, "bytes=50000-", "bytes=70000-"],
  },
  {
    name: "gives one byte of what it was asked for, each time",
    answers: [
      honest(50_000),
      ({ header, say }) => {
        const [, first] = /^bytes=(\d+)-$/.exec(header("range") ?? "")!;
        return say(
          'HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\nETag: "1"\r\n' +
            `Content-Range: bytes ${first}-${first}/100000\r\n\r\n${FILE[Number(first)]}`,
        );
      },
    ],
    words: ["--retries", "2"],
    part: 50_002,
    stderr: /the answer ended after 50002 of 100000 bytes$/m,
    ranges: [undefined, "bytes=50000-", "bytes=50001-"],
  },
  {
    name: "says that all is shorter than it had announced",
    answers: [
      honest(50_000),
      saying("HTTP/1.1 416 No\r\nContent-Range: bytes */50000\r\n\r\n"),
      saying(all(OTHER.length, 'ETag: "2"\r\n') + OTHER),
    ],
    code: 0,
    file: OTHER,
    stderr: /has nothing behind the first 50000 bytes any more: going on in 0\.2 s/,
    ranges: [undefined, "bytes=50000-", undefined],
  },
  {
    name: "sends another part than it was asked for",
    answers: [honest(50_000), saying(part(49_999) + FILE.slice(49_999))],
    words: ["--retries", "1"],
    part: 50_000,
    stderr: /the server sent another part: bytes 49999-/,
  },
  {
    name: "sends a part of something longer",
    answers: [honest(50_000), saying(part(50_000, "", 200_000) + FILE.slice(50_000))],
    words: ["--retries", "1"],
    part: 50_000,
    stderr: /the server sent another part/,
  },
  {
    name: "sends a part that it does not name",
    answers: [honest(50_000), saying(`HTTP/1.1 206 P\r\nContent-Length: 50000\r\n\r\n${half}`)],
    words: ["--retries", "1"],
    part: 50_000,
    stderr: /the server sent another part: it does not say which/,
  },
  {
    name: "sends a part that nobody asked for",
    answers: [saying(part(50_000) + FILE.slice(50_000))],
    stderr: /the server answered 206 Partial Content/,
  },
  {
    name: "is overloaded for a moment in the middle",
    answers: [honest(50_000), saying("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), honest()],
    ...saved,
    stderr: /the server answered 503 Service Unavailable: going on in 0\.2 s/,
  },
  {
    name: "resets in the middle",
    answers: [honest(50_000), () => {}, honest()],
    ...saved,
  },
  {
    name: "falls silent in the middle",
    answers: [sayingOn(all() + half)],
    words: ["--retries", "0"],
    part: 50_000,
    stderr: /nothing came within 10 s after 50000 of 100000 bytes/,
  },
  {
    name: "goes on with what an earlier attempt left",
    answers: [honest()],
    left: half,
    version: '"1"',
    ...saved,
    stderr: /^going on after 50000 bytes$/m,
    ranges: [undefined, "bytes=50000-"],
  },
  {
    name: "has another version than an earlier attempt left",
    answers: [honest()],
    left: OTHER.slice(0, 50_000),
    version: '"0"',
    ...saved,
    ranges: [undefined],
  },
  {
    name: "has less than an earlier attempt left",
    answers: [honest()],
    left: FILE + FILE,
    version: '"1"',
    ...saved,
  },
  {
    name: "has just what an earlier attempt left",
    answers: [honest()],
    left: FILE,
    version: '"1"',
    ...saved,
    ranges: [undefined],
  },
  {
    name: "is honest, and what is left has no version",
    answers: [honest()],
    left: half,
    ...saved,
    ranges: [undefined],
  },
  {
    name: "is honest, and the version of what is left is nonsense",
    answers: [honest()],
    left: half,
    version: '"1"\r\nX: y',
    ...saved,
    ranges: [undefined],
  },
  { name: "announces too much", answers: [honest()], words: ["--limit", "99999"], stderr: /limit/ },
  {
    name: "sends just what the limit permits",
    answers: [honest()],
    words: ["--limit", "100000"],
    ...saved,
  },
  {
    name: "sends without end",
    answers: [async ({ say }) => {
      await say("HTTP/1.1 200 OK\r\n\r\n");
      for (;;) await say(FILE);
    }],
    words: ["--limit", "1000000"],
    stderr: /the file is longer than the limit of 1000000 bytes/,
  },
  {
    name: "sends more than it announced",
    answers: [saying(all() + FILE + "more")],
    ...saved,
  },
  { name: "sends nothing", answers: [saying(all(0))], code: 0, file: "" },
  {
    name: "has the right checksum",
    answers: [honest(60_000)],
    words: ["--sha256", SHA256.toUpperCase()],
    ...saved,
  },
  {
    name: "has another checksum",
    answers: [saying(all() + OTHER)],
    words: ["--sha256", SHA256],
    stderr: /its SHA-256 is [\da-f]{64}: this is not what was wanted, and is removed/,
  },
  {
    name: "redirects for ever",
    answers: [saying("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")],
    stderr: /it was redirected more than 5 times/,
  },
  {
    name: "redirects as often as is permitted",
    answers: [saying("HTTP/1.1 302 Found\r\nLocation: /a\r\nConnection: close\r\n\r\n"), honest()],
    words: ["--redirects", "1"],
    ...saved,
  },
  ...["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "http://a:b@127.0.0.1/", "http://["]
    .map((to): Case => ({
      name: `redirects to ${to}`,
      answers: [saying(`HTTP/1.1 302 Found\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`)],
      stderr: /is neither http: nor https:|carries a user name|it is no URL/,
    })),
  {
    name: "redirects to where no flag leads",
    answers: [saying("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/\r\n\r\n")],
    stderr: /Deno was not given --allow-net=127\.0\.0\.2/,
  },
  {
    name: "has no such file",
    answers: [saying("HTTP/1.1 404 Not Here\r\nContent-Length: 0\r\n\r\n")],
    stderr: /the server answered 404 Not Found$/m,
  },
  {
    name: "sends what it packed although it was asked not to",
    answers: [saying(all(FILE.length, "Content-Encoding: gzip\r\n") + FILE)],
    ...saved,
    stderr: /^the server packed it unasked \(gzip\): it is kept as it comes$/m,
  },
  { name: "sends nonsense", answers: [saying(NONSENSE)], stderr: /cannot fetch/ },
  { name: "says nothing and closes", answers: [() => {}], stderr: /cannot fetch/ },
  {
    name: "is silent",
    answers: [({ stay }) => stay()],
    stderr: /cannot fetch .*: nothing came within 10 s/,
  },
  {
    name: "sends headers without end",
    answers: [async ({ say }) => {
      await say("HTTP/1.1 200 OK\r\n");
      for (;;) await say("X-More: and more\r\n");
    }],
    stderr: /cannot fetch/,
  },
  { name: "resets the connection", peer: () => reset("connection"), stderr: /cannot fetch/ },
  { name: "resets when it is asked", peer: () => reset("data"), stderr: /cannot fetch/ },
];

async function runCase({ answers, peer: start, words = [], left, version }: Case, folder: string) {
  await using peer = start ? await start() : webServer(...answers!);
  await Deno.mkdir(folder);
  const url = `http://127.0.0.1:${peer.address}/file`;
  if (left !== undefined) await Deno.writeTextFile(`${folder}/file.part`, left);
  if (version !== undefined) {
    const text = JSON.stringify({ url, validator: version });
    await Deno.writeTextFile(`${folder}/file.part.version`, text);
  }
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${folder}`, `--allow-write=${folder}`];
  await using client = startDeno(flags, SCRIPT, {
    words: [url, "--output", `${folder}/file`, ...words],
  });
  try {
    const code = await within("the client's end", client.ended, PATIENT);
    return { code, stdout: client.stdout, stderr: client.stderr, requests: requestsOf(peer) };
  } finally {
    peer.release();
  }
}

const requestsOf = (peer: Peer) => "requests" in peer ? (peer as WebPeer).requests : [];

const namesIn = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();

Deno.test(`${SCRIPT} ends in time, with all of the file or one clear error, when`, async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  const results = await times(
    cases.length,
    12,
    (index) => runCase(cases[index]!, `${folder}/${index}`).catch((error: Error) => error),
  );
  for (const [index, one] of cases.entries()) {
    const { name, code = 1, stderr, file, ranges } = one;
    await test.step(`the server ${name}`, () => {
      const result = results[index]!;
      if (result instanceof Error) throw result;
      const text = result.stdout + result.stderr;
      assertEquals(/(?!\n)[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.exec(text)?.[0], undefined);
      assertEquals(/^ +at .*|^.*Uncaught.*/m.exec(text)?.[0], undefined);
      if (stderr) assertMatch(result.stderr, stderr);
      assertEquals(result.code, code, text);
      const errors = result.stderr.split("\n").filter((line) => line.startsWith("download.ts: "));
      assertEquals(errors.length, code, result.stderr);
      const here = `${folder}/${index}`;
      const left = one.part === undefined ? [] : ["file.part", "file.part.version"];
      assertEquals(namesIn(here), file === undefined ? left : ["file"]);
      if (file !== undefined) assert(Deno.readTextFileSync(`${here}/file`) === file, "it differs");
      if (one.part !== undefined) {
        assert(
          Deno.readTextFileSync(`${here}/file.part`) === FILE.slice(0, one.part),
          "it differs",
        );
      }
      if (ranges) {
        const asked = result.requests.map((head) => /^range: (.*)\r$/im.exec(head)?.[1]);
        assertEquals(asked, ranges);
        for (const head of result.requests) {
          assertEquals(/^if-range: /im.test(head), /^range: /im.test(head), head);
        }
      }
    });
  }
  await Deno.remove(folder, { recursive: true });
});

const suggested: [disposition: string, path: string, name: string][] = [
  ["", "/a/b/notes%20day%204.txt?x=/y", "notes day 4.txt"],
  ["", "/", "download"],
  ["", "/..%2f..%2f..%2ftmp%2fevil", "evil"],
  ['attachment; filename="../../../tmp/evil.txt"', "/file", "evil.txt"],
  ["attachment; filename=/etc/cron.d/evil", "/file", "evil"],
  ["attachment; filename=NUL", "/file", "_NUL"],
  ["attachment; filename=.bashrc", "/file", "bashrc"],
  ["attachment; filename=x.part", "/file", "x_part"],
  ["attachment; filename=x.part.version", "/file", "x.part_version"],
  ["attachment; filename*=UTF-8''%1b%5b2J%e2%80%aegnp.exe", "/file", "_[2J_gnp.exe"],
  [`attachment; filename=${"x".repeat(300)}.tar.gz`, "/file", `${"x".repeat(193)}.tar.gz`],
];

Deno.test(`${SCRIPT} puts into its folder, whatever the server calls it,`, async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  const flags = ["--allow-net=127.0.0.1", "--allow-read=.", "--allow-write=."];
  const results = await times(suggested.length, 6, async (index) => {
    const [disposition, path] = suggested[index]!;
    const cwd = `${folder}/${index}`;
    await Deno.mkdir(cwd);
    const header = disposition ? `Content-Disposition: ${disposition}\r\n` : "";
    await using peer = webServer(saying(all(2, header) + "hi"));
    const words = [`http://127.0.0.1:${peer.address}${path}`];
    await using client = startDeno(flags, SCRIPT, { words, cwd });
    await within("the client's end", client.ended, PATIENT);
    return client.stderr;
  });
  for (const [index, [, , name]] of suggested.entries()) {
    await test.step(name.slice(0, 40), () => {
      assertEquals(results[index], "");
      assertEquals(namesIn(`${folder}/${index}`), ["downloads"]);
      assertEquals(namesIn(`${folder}/${index}/downloads`), [name]);
    });
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test(`${SCRIPT} does no harm when another writes the same file`, async () => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${folder}`, `--allow-write=${folder}`];
  for (const version of ["", 'ETag: "1"\r\n']) {
    const { promise: enough, resolve: goOn } = Promise.withResolvers<void>();
    await using slow = webServer(async ({ say }) => {
      await say(all(FILE.length, version) + half);
      await enough;
      await say(FILE.slice(half.length));
    });
    await using fast = webServer(saying(all() + OTHER));
    const output = ["--output", `${folder}/file`];
    await using first = startDeno(flags, SCRIPT, {
      words: [`http://127.0.0.1:${slow.address}/file`, ...output],
    });
    const size = () => Deno.statSync(`${folder}/file.part`).size;
    await until(() => first.stderr, () => namesIn(folder).includes("file.part") && size() > 0);
    await using second = startDeno(flags, SCRIPT, {
      words: [`http://127.0.0.1:${fast.address}/file`, ...output],
    });
    assertEquals(await within("the second's end", second.ended, PATIENT), 1);
    assertMatch(second.stderr, /file\.part is being written by another program: wait for it, or/);
    goOn();
    assertEquals(await within("the first's end", first.ended, PATIENT), 0, first.stderr);
    assert(Deno.readTextFileSync(`${folder}/file`) === FILE, "it differs");
    assertEquals(namesIn(folder), ["file"]);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test(`${SCRIPT} asks for nothing when --output is a folder, and names a folder that is not there`, async () => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${folder}`, `--allow-write=${folder}`];
  await using peer = webServer(saying(all() + FILE));
  const url = `http://127.0.0.1:${peer.address}/file`;
  const made = await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
  assert(made.success);
  await Deno.symlink("/dev/null", `${folder}/link`);
  const outcomes: [output: string, code: number, stderr: RegExp][] = [
    [`${folder}/`, 2, /--output is a file, and .* is none/],
    [`${folder}/link`, 2, /--output is a file, and .* is none/],
    [`${folder}/pipe`, 2, /--output is a file, and .* is none/],
    [`${folder}/none/file`, 1, /the folder of .*\/none\/file\.part is not there: make it first/],
  ];
  for (const [output, code, stderr] of outcomes) {
    await using client = startDeno(flags, SCRIPT, { words: [url, "--output", output] });
    assertEquals(await within("the client's end", client.ended, PATIENT), code);
    assertMatch(client.stderr, stderr);
    assertEquals(namesIn(folder), ["link", "pipe"]);
  }
  assertEquals(requestsOf(peer).length, 1);
  await Deno.remove(folder, { recursive: true });
});

Deno.test(`${SCRIPT} writes over no file that it chose the name of, and through no link`, async () => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  await Deno.mkdir(`${folder}/downloads`);
  await Deno.writeTextFile(`${folder}/downloads/file`, "mine");
  await Deno.writeTextFile(`${folder}/other`, "not for you");
  await Deno.symlink(`${folder}/other`, `${folder}/downloads/new.part`);
  await Deno.symlink(`${folder}/other`, `${folder}/downloads/new.part.version`);
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${folder}`, `--allow-write=${folder}`];
  await using peer = webServer(honest());
  const url = `http://127.0.0.1:${peer.address}`;
  await using refused = startDeno(flags, SCRIPT, { words: [`${url}/file`], cwd: folder });
  assertEquals(await within("its end", refused.ended, PATIENT), 1);
  assertMatch(refused.stderr, /downloads\/file is there already: remove it, or write --output/);
  await using good = startDeno(flags, SCRIPT, { words: [`${url}/new`], cwd: folder });
  assertEquals(await within("its end", good.ended, PATIENT), 0, good.stderr);
  assertEquals(Deno.readTextFileSync(`${folder}/downloads/file`), "mine");
  assertEquals(Deno.readTextFileSync(`${folder}/other`), "not for you");
  assertEquals(namesIn(`${folder}/downloads`), ["file", "new"]);
  await Deno.remove(folder, { recursive: true });
});

const sizeOf = (path: string) => {
  try {
    return Deno.statSync(path).size;
  } catch {
    return undefined;
  }
};

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${SCRIPT} says how to go on when ${signal} comes, and the same command does`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "hostile-" });
    const flags = ["--allow-net=127.0.0.1", `--allow-read=${folder}`, `--allow-write=${folder}`];
    await using peer = webServer(sayingOn(all() + half), honest());
    const words = [`http://127.0.0.1:${peer.address}/`, "--output", `${folder}/file`];
    await using stopped = startDeno(flags, SCRIPT, { words });
    await until(() => stopped.stderr, () => sizeOf(`${folder}/file.part`) === 50_000, PATIENT);
    assertEquals(await stopped.stop(signal), 1);
    assertMatch(
      stopped.stderr,
      /^50000 bytes are kept in .*: the same command goes on with them$/m,
    );
    assertMatch(stopped.stderr, /^download\.ts: stopped$/m);
    await using second = startDeno(flags, SCRIPT, { words });
    assertEquals(await within("its end", second.ended, PATIENT), 0);
    assertMatch(second.stderr, /^going on after 50000 bytes$/m);
    assert(Deno.readTextFileSync(`${folder}/file`) === FILE, "it differs");
    assertEquals(namesIn(folder), ["file"]);
    await Deno.remove(folder, { recursive: true });
  });
}

Deno.test(`${SCRIPT} has the whole file after any number of kills`, async () => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  const random = chance(SEED);
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${folder}`, `--allow-write=${folder}`];
  let kept = 0, most = 0, kills = 0;
  await using peer = webServer(async (talk) => {
    // a later attempt asks for all of it first, and then for the rest
    const begins = kept > 0 && !talk.header("range");
    await honest(begins ? Infinity : most)(talk);
    if (!begins && kept + most < FILE.length) await talk.stay();
  });
  const words = [`http://127.0.0.1:${peer.address}/`, "--output", `${folder}/file`];
  for (;; kept += most, kills++) {
    most = 10_000 + random(20_000);
    await using client = startDeno(flags, SCRIPT, { words });
    if (kept + most >= FILE.length) {
      assertEquals(await within("its end", client.ended, PATIENT), 0);
      break;
    }
    await until(() => client.stderr, () => sizeOf(`${folder}/file.part`) === kept + most, PATIENT);
    await client.stop("SIGKILL");
  }
  assert(kills > 2, "it was hardly ever killed");
  assert(Deno.readTextFileSync(`${folder}/file`) === FILE, "it differs");
  await Deno.remove(folder, { recursive: true });
});

Deno.test(`${SCRIPT} ends with 2 when what it is told is no good`, async () => {
  const wrong: [words: string[], stderr: RegExp][] = [
    [["nonsense"], /"nonsense" is not fetched: it is no URL/],
    [["file:///etc/passwd"], /file: is neither http: nor https:/],
    [["http://a:b@127.0.0.1/"], /it carries a user name or password/],
    [["--sha256", "abc"], /--sha256 is 64 hexadecimal digits/],
  ];
  for (const [words, stderr] of wrong) {
    await using client = startDeno([], SCRIPT, { words });
    assertEquals(await within("its end", client.ended, PATIENT), 2);
    assertMatch(client.stderr, stderr);
  }
});
