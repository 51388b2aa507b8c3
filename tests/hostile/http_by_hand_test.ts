/**
 * http_by_hand and bad_request against servers that are slow, cut short, or lie about where a reply ends.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { accepted } from "../../lib/accept.ts";
import { whatIsWrong } from "../../scripts/http/bad_request.ts";
import { concat, encode } from "../lib/helpers.ts";
import { behaviours, misbehave, NONSENSE, type Peer, reset } from "./peers.ts";
import { startDeno } from "./script.ts";
import { pause, times, within } from "./waits.ts";

const BY_HAND = "scripts/http/http_by_hand.ts";
const BAD_REQUEST = "scripts/http/bad_request.ts";
const FLAGS = ["--allow-net=127.0.0.1"];

type Answer = (connection: Deno.Conn, gone: () => boolean) => Promise<unknown>;

/** Hears a request out, and answers it as it is told. */
function answering(answer: Answer): Peer {
  return misbehave(async (connection, gone) => {
    const request = new Uint8Array(4_096);
    for (let length = 0; !new TextDecoder().decode(request).includes("\r\n\r\n");) {
      const count = await connection.read(request.subarray(length));
      if (count === null) return;
      length += count;
    }
    await answer(connection, gone);
  });
}

const stay = async (gone: () => boolean) => {
  while (!gone()) await pause(20);
};

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

/** Says something, and leaves the connection open: a client that waits for its end waits in vain. */
const saying = (reply: string | Uint8Array): Answer => async (connection, gone) => {
  await writeAll(connection, typeof reply === "string" ? encode(reply) : reply);
  await stay(gone);
};

/** Says something and closes. */
const closing = (reply: string): Answer => (connection) => writeAll(connection, encode(reply));

/** Says something again and again until the client has gone. */
const repeating = (first: string, again: string, wait = 0): Answer => async (connection, gone) => {
  await writeAll(connection, encode(first));
  while (!gone()) {
    await writeAll(connection, encode(again));
    if (wait > 0) await pause(wait);
  }
};

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const MUCH = "x".repeat(8_192);

interface Case {
  name: string;
  answer?: Answer;
  peer?: () => Peer | Promise<Peer>;
  words?: string[];
  code?: number;
  stdout?: string | RegExp;
  stderr: RegExp;
}

const cases: Case[] = [
  {
    name: "is silent",
    answer: saying(""),
    words: ["--timeout", "2"],
    stderr: /cannot read the reply: it was not complete after 2 s/,
  },
  {
    name: "sends its headers a byte at a time",
    answer: repeating(OK, "x", 50),
    words: ["--timeout", "2"],
    stderr: /cannot read the reply: it was not complete after 2 s/,
  },
  {
    name: "sends its body a byte at a time",
    answer: repeating(`${OK}\r\n`, "x", 50),
    words: ["--timeout", "2"],
    stdout: /^x+$/,
    stderr: /read the body: it was not complete after 2 s/,
  },
  {
    name: "sends header lines without end",
    answer: repeating(OK, "X-More: and more\r\n"),
    stderr: /its head has more than 200 lines/,
  },
  {
    name: "sends a header line without end",
    answer: repeating(`${OK}X: `, MUCH),
    stderr: /the head is longer than the limit of 65536 bytes/,
  },
  {
    name: "sends hints with an escape, and a coding with empty elements",
    answer: saying(
      "HTTP/1.1 103 Early\x1b[2J\r\nLink: </a>\r\n\r\n" +
        `${OK}Transfer-Encoding: ,chunked,\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    ),
    code: 0,
    stdout: "hi",
    stderr: /^< HTTP\/1\.1 103 Early\\x1b\[2J\n< Link: <\/a>\n< HTTP\/1\.1 200 OK\n/m,
  },
  {
    name: "sends 10,000 bytes of headers",
    answer: saying(`${OK}X: ${"x".repeat(9_950)}\r\nContent-Length: 2\r\n\r\nhi`),
    code: 0,
    stdout: "hi",
    stderr: /^2 bytes of body/m,
  },
  {
    name: "sends interim replies without end",
    answer: repeating("", "HTTP/1.1 102 Processing\r\n\r\n"),
    stderr: /more than 16 interim replies/,
  },
  {
    name: "sends a body without end",
    answer: repeating(`${OK}\r\n`, MUCH),
    words: ["--limit", "100000"],
    stdout: /^x+$/,
    stderr: /the body is longer than the limit of 100000 bytes/,
  },
  {
    name: "sends chunks without end",
    answer: repeating(CHUNKED, `2000\r\n${MUCH}\r\n`),
    words: ["--limit", "100000"],
    stdout: /^x+$/,
    stderr: /the body is longer than the limit of 100000 bytes/,
  },
  {
    name: "sends trailers without end",
    answer: repeating(`${CHUNKED}0\r\n`, "X: y\r\n"),
    stderr: /more than 200 lines/,
  },
  {
    name: "sends a chunk extension without end",
    answer: repeating(`${CHUNKED}1;`, MUCH),
    stderr: /the line before a chunk is longer than the limit/,
  },
  ...[["-1", "sign"], ["0x2", "prefix"], ["", "nothing"], ["1g", "letter"], ["1 2", "gap"]].map(
    ([size, what]): Case => ({
      name: `has a ${what} for the size of a chunk`,
      answer: saying(`${CHUNKED}${size}\r\nhi\r\n0\r\n\r\n`),
      stderr: /is no size of a chunk/,
    }),
  ),
  {
    name: "announces a chunk of 16 exabytes",
    answer: saying(`${CHUNKED}ffffffffffffffff\r\nhi`),
    stderr: /"ffffffffffffffff" is no size of a chunk/,
  },
  {
    name: "sends a chunk longer than its size",
    answer: saying(`${CHUNKED}1\r\nhi\r\n0\r\n\r\n`),
    stdout: "h",
    stderr: /a chunk of 1 bytes does not end where it should/,
  },
  {
    name: "hides a second reply behind the first",
    answer: saying(`${OK}Content-Length: 2\r\n\r\nhi${OK}Content-Length: 4\r\n\r\nevil`),
    code: 0,
    stdout: "hi",
    stderr: /^42 bytes more that nobody asked for$/m,
  },
  {
    name: "frames a reply in two ways",
    answer: saying(`${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    stderr: /both Content-Length and Transfer-Encoding/,
  },
  {
    name: "announces two lengths",
    answer: saying(`${OK}Content-Length: 2\r\nContent-Length: 20\r\n\r\nhi`),
    stderr: /"2, 20", no single number/,
  },
  {
    name: "hides a length behind a space before the colon",
    answer: saying(`${OK}Content-Length : 2\r\n\r\nhi`),
    stderr: /"Content-Length : 2" is no header/,
  },
  {
    name: "hides a length behind a bare CR",
    answer: saying(`${OK}A: b\rContent-Length: 2\r\n\r\nhi`),
    stderr: /a bare CR or a NUL/,
  },
  {
    name: "disguises chunked",
    answer: saying(`${OK}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`),
    stderr: /Transfer-Encoding is "\\x0bchunked", not chunked/,
  },
  {
    name: "answers as HTTP/0.9",
    answer: closing("<html>hi</html>"),
    stderr: /ended in the middle of its head/,
  },
  {
    name: "speaks SMTP",
    answer: closing("220 mail ready\r\n\r\n"),
    stderr: /"220 mail ready" is no status line of HTTP\/1/,
  },
  {
    name: "closes without a word",
    answer: () => Promise.resolve(),
    stderr: /closed the connection without a reply/,
  },
  {
    name: "closes in its headers",
    answer: closing(`${OK}Content-Le`),
    stderr: /ended in the middle of its head/,
  },
  {
    name: "closes in its body",
    answer: closing(`${OK}Content-Length: 10\r\n\r\nhello`),
    stdout: "hello",
    stderr: /it ended after 5 of 10 bytes of its body/,
  },
  {
    name: "closes before the last chunk",
    answer: closing(`${CHUNKED}5\r\nhello\r\n`),
    stdout: "hello",
    stderr: /it ended before its last chunk/,
  },
  {
    name: "sends a list of codings with nothing in it",
    answer: saying(`${OK}Content-Encoding: ,\r\nContent-Length: 2\r\n\r\nhi`),
    code: 0,
    stdout: "hi",
    stderr: /2 bytes of body, as many as announced/,
  },
  {
    name: "sends gzip that nobody asked for",
    answer: saying(`${OK}Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi`),
    stderr: /sends the body as "gzip", but was asked not to/,
  },
  {
    name: "sends nonsense",
    answer: async (connection, gone) => {
      await writeAll(connection, NONSENSE);
      await connection.closeWrite();
      await stay(gone);
    },
    stderr: /is no status line|ended in the middle|bare CR/,
  },
  {
    name: "sends control characters in its headers",
    answer: saying(`HTTP/1.1 200 \x1b[2J\r\nX: \x9b31m\x07\r\nContent-Length: 0\r\n\r\n`),
    code: 0,
    stderr: /^< HTTP\/1\.1 200 \\x1b\[2J$/m,
  },
  {
    name: "never stops sending before it is asked",
    peer: () => misbehave(behaviours["never stops sending"]!),
    stderr: /the head is longer than the limit/,
  },
  { name: "resets the connection", peer: () => reset("connection"), stderr: /reset/ },
  { name: "resets when it is asked", peer: () => reset("data"), stderr: /reset|without a reply/ },
  {
    name: "sends a reply that fills the buffer of the lecture's loop",
    answer: saying(concat(encode(`${OK}Content-Length: 4057\r\n\r\n`), new Uint8Array(4_057))),
    words: ["--read-size", "4096"],
    code: 0,
    stdout: /^\0{4057}$/,
    stderr: /^4057 bytes of body, as many as announced$/m,
  },
  {
    name: "is asked a byte at a time",
    answer: saying(`${CHUNKED}5\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 6\r\n\r\n`),
    words: ["--read-size", "1"],
    code: 0,
    stdout: "hello!",
    stderr: /^< x-sum: 6\n6 bytes of body, up to the last chunk$/m,
  },
  {
    name: "plain text where TLS is wanted",
    answer: closing("HTTP/1.1 400 Bad Request\r\n\r\n"),
    peer: () => misbehave((connection) => connection.write(encode("HTTP/1.1 400 Bad\r\n\r\n"))),
    words: ["https"],
    stderr: /the other side does not speak TLS/,
  },
];

async function runCase({ answer, peer, words = [] }: Case) {
  await using server = peer ? await peer() : answering(answer!);
  const [scheme] = words[0] === "https" ? words : ["http"];
  const url = `${scheme}://127.0.0.1:${server.address}/`;
  const options = words.filter((word) => word !== "https");
  await using client = startDeno(FLAGS, BY_HAND, { words: [...options, url] });
  try {
    const code = await within("the client's end", client.ended, 40_000);
    return { code, stdout: client.stdout, stderr: client.stderr };
  } finally {
    server.release();
  }
}

Deno.test(`${BY_HAND} ends in time, with the reply or one clear error, when`, async (test) => {
  const results = await times(
    cases.length,
    12,
    (index) => runCase(cases[index]!).catch((error: Error) => error),
  );
  for (const [index, { name, code = 1, stdout = "", stderr }] of cases.entries()) {
    await test.step(`the server ${name}`, () => {
      const result = results[index]!;
      if (result instanceof Error) throw result;
      assertEquals(/(?!\n)\p{Cc}/u.exec(result.stderr)?.[0], undefined);
      assertEquals(/^ +at .*|^.*Uncaught.*/m.exec(result.stderr)?.[0], undefined);
      assertMatch(result.stderr, stderr);
      assertEquals(result.code, code, result.stderr);
      if (typeof stdout === "string") assertEquals(result.stdout, stdout);
      else assertMatch(result.stdout, stdout);
      const errors = result.stderr.split("\n").filter((line) => line.startsWith("http_by_hand.ts"));
      assertEquals(errors.length, code, result.stderr);
    });
  }
});

/** Answers two clients: the lecture's loop, and the one that keeps to the rules. */
async function naively(answer: Answer, size: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let gone = false;
  const serving = (async () => {
    for await (const connection of accepted(listener)) {
      using closed = connection;
      await closed.read(new Uint8Array(1_024));
      // the loop closes before it has all
      await answer(closed, () => gone).catch(() => {});
    }
  })();
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  await using client = startDeno(FLAGS, BY_HAND, {
    words: ["--naive", "--read-size", `${size}`, url],
  });
  const code = await within("the client's end", client.ended, 40_000);
  gone = true;
  listener.close();
  await serving;
  assertEquals(code, 0, client.stderr);
  return client.stdout;
}

Deno.test(`${BY_HAND} --naive loses what comes later, and what fills the buffer holds it up`, async () => {
  const head = `${OK}Content-Length: 5\r\n\r\n`;
  const whole = head.length + 5;
  const inTwo: Answer = async (connection) => {
    await connection.write(encode(head));
    await pause(100);
    await connection.write(encode("hello"));
  };
  assertEquals(
    await naively(inTwo, 4_096),
    `the lecture's loop: ${head.length} bytes in 1 read, the last one shorter than 4096\n` +
      `by the rules: ${whole} bytes\nthe loop has cut off 5 bytes\n`,
  );
  const slowly: Answer = async (connection) => {
    await connection.write(encode(head + "hello"));
    // until the client closes
    while (await connection.read(new Uint8Array(16)) !== null);
  };
  assertEquals(
    await naively(slowly, 4_096),
    `the lecture's loop: ${whole} bytes in 1 read, the last one shorter than 4096\n` +
      `by the rules: ${whole} bytes\nthe loop was lucky this time\n`,
  );
  assertEquals(
    await naively(slowly, whole),
    `the lecture's loop: ${whole} bytes in 1 read, all of them full: it waits on\n` +
      `by the rules: ${whole} bytes\nthe loop never ends\n`,
  );
});

const wrongWords: [name: string, words: string[], stderr: RegExp][] = [
  ["no URL", ["nonsense"], /"nonsense" is no URL/],
  ["another scheme", ["ftp://127.0.0.1/"], /is no URL that begins with http/],
  ["a password", ["http://a:b@127.0.0.1/"], /a URL here holds no user and password/],
  ["a loop and no body", ["--naive", "--head"], /--naive compares whole replies: leave out --head/],
  ["no bytes at a time", ["--read-size", "0"], /--read-size is at least 1/],
];

for (const [name, words, stderr] of wrongWords) {
  Deno.test(`${BY_HAND} ends with 2 when it is given ${name}`, async () => {
    await using client = startDeno(FLAGS, BY_HAND, { words });
    assertEquals(await within("its end", client.ended, 40_000), 2);
    assertMatch(client.stderr, stderr);
  });
}

Deno.test(`${BY_HAND} sends one request however the URL is written`, async () => {
  let heard = "";
  await using peer = misbehave(async (connection) => {
    const buffer = new Uint8Array(4_096);
    const count = await connection.read(buffer);
    heard = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    await connection.write(encode("HTTP/1.1 204 No Content\r\n\r\n"));
  });
  const url = `http://127.0.0.1:${peer.address}/a b\r\nX: y\0?q=ä\r\n\r\nGET /#f`;
  // a command line holds no NUL
  await using client = startDeno(FLAGS, BY_HAND, { words: [url.replace("\0", "%00")] });
  assertEquals(await within("its end", client.ended, 40_000), 0);
  assertEquals(
    heard,
    `GET /a%20bX:%20y%00?q=%C3%A4GET%20/ HTTP/1.1\r\nHost: 127.0.0.1:${peer.address}\r\n` +
      "Accept-Encoding: identity\r\n\r\n",
  );
});

Deno.test("whatIsWrong wants a target as it belongs to the method when a line is typed", () => {
  const wrong = (line: string) => whatIsWrong([line, "Host: example.org"]);
  for (const target of ["/", "/a?b", "http://example.org/"]) {
    assertEquals(wrong(`GET ${target} HTTP/1.1`), undefined, target);
    assertMatch(wrong(`CONNECT ${target} HTTP/1.1`) ?? "", /is no target of CONNECT: HOST:PORT/);
  }
  for (const target of ["example.org:443", "[::1]:443", "127.0.0.1:80"]) {
    assertEquals(wrong(`CONNECT ${target} HTTP/1.1`), undefined, target);
    assertMatch(wrong(`GET ${target} HTTP/1.1`) ?? "", /is no target: a path/);
  }
});

const badAnswers: [name: string, peer: () => Peer | Promise<Peer>, code: number, text: RegExp][] = [
  ["is silent", () => misbehave(behaviours["is silent"]!), 1, /nothing came within 5 s/],
  ["closes without a word", () => answering(() => Promise.resolve()), 1, /without a word|reset/],
  ["resets", () => reset("data"), 1, /reset/],
  ["sends nonsense", () => answering((c) => c.write(NONSENSE)), 0, /there is no status line/],
  ["never stops", () => answering(repeating("", MUCH)), 0, /there is no status line/],
  [
    "keeps the connection open",
    () => answering(saying("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")),
    0,
    /the server waits for another request[^]*400 No: the server could not understand/,
  ],
];

Deno.test(`${BAD_REQUEST} ends in time, with the answer or one clear error, when`, async (test) => {
  const results = await Promise.all(badAnswers.map(async ([, peer]) => {
    await using server = await peer();
    await using client = startDeno(FLAGS, BAD_REQUEST, { words: ["--port", server.address] });
    const code = await within("its end", client.ended, 40_000);
    server.release();
    return { code, text: client.stdout + client.stderr };
  }));
  for (const [index, [name, , code, text]] of badAnswers.entries()) {
    await test.step(`the server ${name}`, () => {
      const result = results[index]!;
      assertEquals(result.code, code, result.text);
      assertMatch(result.text, text);
      assert(!/(?!\n)\p{Cc}/u.test(result.text), "a control character is shown as it is");
    });
  }
});
