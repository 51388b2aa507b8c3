/**
 * What clients do to a web server out of malice or bad luck.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { decode, encode } from "../lib/helpers.ts";
import type { Attack, Target } from "./attacks.ts";
import { pause, times, within } from "./waits.ts";

const MOST = 1024 * 1024;

/** Sends bytes, as far as they are taken, and gives what comes back until the server closes, or has answered. */
export async function exchange(
  target: Target,
  request: string | Uint8Array,
  options: { until?: RegExp; end?: boolean } = {},
): Promise<string> {
  using connection = await target.dial();
  const bytes = typeof request === "string" ? encode(request) : request;
  const send = async () => {
    try {
      for (let sent = 0; sent < bytes.length;) {
        sent += await connection.write(bytes.subarray(sent));
      }
      if (options.end) await connection.closeWrite();
    } catch {
      // the server may close before it has taken all
    }
  };
  const receive = async () => {
    const buffer = new Uint8Array(64 * 1024);
    let text = "";
    try {
      for (let count; (count = await connection.read(buffer)) !== null;) {
        text += decode(buffer.subarray(0, count));
        if (options.until?.test(text) || text.length > MOST) break;
      }
    } catch {
      // reset
    }
    return text;
  };
  const sending = send();
  const text = await within("an answer", receive(), 20_000);
  connection.close();
  await sending;
  return text;
}

const HOST = "Host: 127.0.0.1\r\n";
const FORM = "Content-Type: application/x-www-form-urlencoded\r\n";
const post = (headers: string, body: string) =>
  `POST /posts HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;

/** Requests that two readers could take for different ones: none may be answered as if it were good. */
const AMBIGUOUS: Record<string, string> = {
  "both lengths": post(
    "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    `0\r\n\r\n${SMUGGLED}`,
  ),
  "both lengths, the other way round": post(
    "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    `0\r\n\r\n${SMUGGLED}`,
  ),
  "two lengths": post("Content-Length: 0\r\nContent-Length: 40\r\n", SMUGGLED),
  "a list of lengths": post("Content-Length: 0, 40\r\n", SMUGGLED),
  "a signed length": post("Content-Length: +0\r\n", SMUGGLED),
  "a length in hexadecimal": post("Content-Length: 0x0\r\n", SMUGGLED),
  "a negative length": post("Content-Length: -1\r\n", SMUGGLED),
  "a length beyond all numbers": post("Content-Length: 99999999999999999999999\r\n", SMUGGLED),
  "an unknown transfer coding": post("Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${SMUGGLED}`),
  "chunked not last": post("Transfer-Encoding: chunked, identity\r\n", `0\r\n\r\n${SMUGGLED}`),
  "chunked twice": post(
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    `0\r\n\r\n${SMUGGLED}`,
  ),
  "a space before the colon": post("Transfer-Encoding : chunked\r\n", `0\r\n\r\n${SMUGGLED}`),
  "a folded header": post("X: a\r\n Content-Length: 4\r\n", SMUGGLED),
  "a bare CR": post("X: a\rContent-Length: 4\r\n", SMUGGLED),
  "a NUL in a header": post("X: a\0b\r\n", SMUGGLED),
  "two hosts": `GET /posts HTTP/1.1\r\n${HOST}Host: other\r\n\r\n`,
  "no HTTP at all": "hi\r\n\r\n",
  "bytes that are no text": "\0\x01\x02\x80\r\n\r\n",
};

/** Chunked bodies that are broken: the request is not done, and the connection ends. */
const BROKEN_CHUNKS: Record<string, string> = {
  "no number": "zz\r\nabc\r\n0\r\n\r\n",
  "a negative number": "-1\r\nabc\r\n0\r\n\r\n",
  "a number beyond all": "ffffffffffffffffffff\r\nabc",
  "more than was said": "1\r\nabcdef\r\n0\r\n\r\n",
};

/** The statuses of all answers in a text. */
function statuses(text: string): string[] {
  return [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => status!);
}

/** All of it against a web server that takes forms at /posts. */
export const httpAttacks: Record<string, Attack> = {
  "clients send requests that can be read in two ways": async (target) => {
    for (const [name, request] of Object.entries(AMBIGUOUS)) {
      const answer = await exchange(target, request, { end: true });
      assert(
        !/^HTTP\/1\.1 [23]/m.test(answer) && statuses(answer).length <= 1,
        `${name}: ${answer}`,
      );
      assert(!answer.includes("smuggled"), `${name}: ${answer}`);
    }
  },

  "clients send broken chunks": async (target) => {
    for (const [name, body] of Object.entries(BROKEN_CHUNKS)) {
      const request = post(`${FORM}Transfer-Encoding: chunked\r\n`, body);
      const answer = await exchange(target, request, { end: true });
      assert(!/^HTTP\/1\.1 [23]/m.test(answer), `${name}: ${answer}`);
    }
  },

  "clients send their headers byte by byte": async (target, meanwhile) => {
    const slow = await times(50, 10, () => target.dial());
    try {
      for (const byte of encode("GET /posts HT")) {
        await Promise.all(slow.map((connection) => connection.write(Uint8Array.of(byte))));
        await pause(20);
      }
      await meanwhile();
    } finally {
      for (const connection of slow) connection.close();
    }
  },

  "a client's headers never end": async (target) => {
    const line = encode(`X-Filler: ${"x".repeat(80)}\r\n`);
    const endless = new Uint8Array(8 * MOST);
    endless.set(encode(`GET /posts HTTP/1.1\r\n${HOST}`));
    for (let at = 64; at + line.length < endless.length; at += line.length) endless.set(line, at);
    assert(!/^HTTP\/1\.1 [23]/m.test(await exchange(target, endless)));
  },

  "a client's header has 10,000 bytes, and another's 10 million": async (target) => {
    const get = (length: number) => `GET /none HTTP/1.1\r\n${HOST}X: ${"x".repeat(length)}\r\n\r\n`;
    assertMatch(await exchange(target, get(10_000), { until: /\r\n\r\n/ }), /^HTTP\/1\.1 404 /);
    assertMatch(await exchange(target, get(10_000_000)), /^(HTTP\/1\.1 4\d\d |$)/);
  },

  "a client's URL has 10 million characters": async (target) => {
    const request = `GET /${"x".repeat(10_000_000)} HTTP/1.1\r\n${HOST}\r\n`;
    assertMatch(await exchange(target, request), /^(HTTP\/1\.1 4\d\d |$)/);
  },

  "clients announce more than may come, and send it": async (target) => {
    const declared = post(`${FORM}Content-Length: 20000000\r\n`, "x".repeat(2 * MOST));
    assertMatch(await exchange(target, declared, { until: /\r\n\r\n/ }), /^HTTP\/1\.1 413 /);
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    const endless = post(`${FORM}Transfer-Encoding: chunked\r\n`, chunk.repeat(100));
    assertMatch(await exchange(target, endless, { until: /\r\n\r\n/ }), /^HTTP\/1\.1 413 /);
  },

  "clients go in the middle of a body": async (target) => {
    await times(50, 10, async () => {
      const cut = encode(post(`${FORM}Content-Length: 100\r\n`, "post_text=half"));
      await target.reset(cut, "sent");
      using connection = await target.dial();
      await connection.write(cut);
    });
  },

  "clients go before the answer": async (target) => {
    await times(50, 10, () => target.reset(encode(`GET /posts HTTP/1.1\r\n${HOST}\r\n`), "sent"));
    await times(20, 10, () => target.reset(encode(`GET /delay/1 HTTP/1.1\r\n${HOST}\r\n`), "sent"));
  },

  "a client asks 500 times at once, and reads late": async (target) => {
    const one = `GET /none HTTP/1.1\r\n${HOST}\r\n`;
    const last = `GET /none HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
    const answers = statuses(await exchange(target, one.repeat(499) + last));
    assertEquals(answers, Array(500).fill("404"));
  },

  "clients name hosts and paths that are none": async (target) => {
    const until = /\r\n\r\n/;
    for (
      const [request, status] of [
        [`GET /posts HTTP/1.1\r\nHost: a b<>"\r\n\r\n`, 400],
        [`GET /posts HTTP/1.1\r\nHost: [::1\r\n\r\n`, 400],
        ["GET /posts HTTP/1.1\r\n\r\n", 400],
        ["GET /posts HTTP/1.1\r\nHost:\r\n\r\n", 400],
        ["GET / HTTP/1.1\r\nHost: 127.0.0.1/posts?\r\n\r\n", 400],
        ["GET /posts HTTP/1.1\r\nHost: user@127.0.0.1\r\n\r\n", 400],
        ["GET /posts HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421],
        [`GET http://evil.example/posts HTTP/1.1\r\n${HOST}\r\n`, 421],
        ["GET http://127.0.0.1/none HTTP/1.1\r\nHost: evil.example\r\n\r\n", 404],
        [`OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 404],
        [`GET //posts/../..//etc/passwd HTTP/1.1\r\n${HOST}\r\n`, 404],
        [`GET /posts/%2e%2e/%00 HTTP/1.1\r\n${HOST}\r\n`, 404],
        [`GET /posts/999999999999 HTTP/1.1\r\n${HOST}\r\n`, 404],
        [`\u001b[2J /posts HTTP/1.1\r\n${HOST}\r\n`, 400],
        [`CONNECT 127.0.0.1:80 HTTP/1.1\r\n${HOST}\r\n`, 405],
        [`CONNECT example.org:80 HTTP/1.1\r\n${HOST}\r\n`, 421],
        [`TRACE /posts HTTP/1.1\r\n${HOST}\r\n`, 405],
      ] as const
    ) {
      assertMatch(await exchange(target, request, { until }), new RegExp(`^HTTP/1.1 ${status} `));
    }
  },
};
