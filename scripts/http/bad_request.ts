#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8000
/**
 * "hi" to a web server
 *
 * What telnet shows in the lecture: anybody can connect to port 80, but the server there speaks HTTP, and
 * "hi" is no request. It says so with the status 400 Bad Request and closes. This types a line, shows what
 * comes back, and tells what it lacks. A request gets another answer: since HTTP/1.1 it has two lines at
 * least, the second of which names the host.
 *
 * @lecture 004 Ports
 * @python  telnetlib.Telnet → Deno.connect, Telnet.write → writeAll, Telnet.read_all → connection.read
 * @partner scripts/http/sample_server.ts
 * @run     deno run --allow-net=127.0.0.1:8000 scripts/http/bad_request.ts
 * @log     connected to 127.0.0.1:8000
 * @log     typing "hi"
 * @log     a request line has three words, METHOD TARGET VERSION: "hi" has 1
 * @expect  HTTP/1.1 400 Bad Request
 * @run     deno run --allow-net=127.0.0.1:8000 scripts/http/bad_request.ts "GET /notes.txt HTTP/1.1" "Host: 127.0.0.1:8000" "Connection: close"
 * @log     typing "GET /notes.txt HTTP/1.1"
 * @log     200 OK: the server understood
 * @expect  HTTP/1.1 200 OK
 * @expect  Networking: day 4
 * @argument [TEXT...]   the lines to type; hi unless told
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 8000)
 * @see     https://www.rfc-editor.org/rfc/rfc9112#section-3
 * @see     https://www.rfc-editor.org/rfc/rfc9110#section-15.5.1
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { DeadlineError } from "../../lib/deadline.ts";
import { quoted, visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { parseStatusLine } from "../../lib/http_reply.ts";
import { UsageError } from "../../lib/usage.ts";
import { writeAll } from "../../lib/write_all.ts";

const LONGEST = 64 * 1024;

const hasHost = (lines: string[]) => lines.some((line) => /^host:/i.test(line));

/** What lines lack to be the head of a request; `undefined` when they lack nothing. */
export function whatIsWrong([line = "", ...headers]: string[]): string | undefined {
  const words = line.split(" ");
  const [method, target, version] = words;
  if (words.length !== 3) {
    return `a request line has three words, METHOD TARGET VERSION: ${
      quoted(line)
    } has ${words.length}`;
  }
  // methods are told apart by case, and all that are registered have capitals only
  if (!/^[A-Z-]+$/.test(method!)) return `${quoted(method!)} is no method such as GET`;
  if (method === "CONNECT") {
    const where = "HOST:PORT, where a proxy is to connect to";
    if (!/^[^/?#@]+:\d+$/.test(target!)) {
      return `${quoted(target!)} is no target of CONNECT: ${where}`;
    }
  } else if (!/^(\/|https?:\/\/|\*$)/.test(target!)) {
    return `${quoted(target!)} is no target: a path, which begins with /`;
  }
  if (/^HTTP\/[23](\.0)?$/.test(version!)) {
    return "since HTTP/2 a request is no text: it is not typed";
  }
  if (!/^HTTP\/1\.[01]$/.test(version!)) {
    return `${quoted(version!)} is no version such as HTTP/1.1`;
  }
  if (version === "HTTP/1.1" && !hasHost(headers)) {
    return "since HTTP/1.1 a request has a Host header, and this has none";
  }
}

/** Types lines and Enter once more, as at a telnet, and gives all that comes back. */
export async function type(host: string, port: number, lines: string[]): Promise<Uint8Array> {
  const place = formatEndpoint({ hostname: host, port });
  using connection = await attempt(
    `connect to ${place}`,
    () => Deno.connect({ hostname: host, port }),
  );
  console.error(`connected to ${place}`);
  for (const line of lines) console.error(`typing ${quoted(line)}`);
  // the last Enter is the empty line that ends a request: without it some would wait for headers
  await writeAll(connection, [...lines, "", ""].join("\r\n"));
  // a server closes after a bad request: where the next one would begin, nobody knows
  const answer = new Uint8Array(LONGEST);
  let length = 0;
  while (length < LONGEST) {
    const reading = connection.read(answer.subarray(length));
    const count = await attempt("read the answer", reading, { timeout: length > 0 ? 2_000 : 5_000 })
      .catch((error) => {
        // after a good one it waits for the next; http_by_hand.ts knows where an answer ends
        if (length > 0 && error.cause instanceof DeadlineError) return undefined;
        throw error;
      });
    if (count === undefined) console.error("the server waits for another request");
    if (!count) break;
    length += count;
  }
  return answer.subarray(0, length);
}

export async function main(options: { text: string[]; host: string; port: number }): Promise<void> {
  const { text, host, port } = options;
  const lines = text.length > 0 ? text : ["hi"];
  if (lines.some((line) => /[\r\n\0]/.test(line))) {
    throw new UsageError("each TEXT is one line, without its end");
  }
  const answer = new TextDecoder().decode(await type(host, port, lines));
  if (answer === "") throw new Error("the server closed the connection without a word");
  for (const line of answer.trimEnd().split(/\r?\n/)) console.log(visible(line));

  const wrong = whatIsWrong(lines);
  try {
    const { status, reason } = parseStatusLine(answer.split(/\r?\n/, 1)[0]!);
    const anyhow = status < 400 ? "; this server does not mind" : "";
    if (wrong) console.error(wrong + anyhow);
    else if (status === 400 && !hasHost(lines)) {
      console.error("HTTP/1.0 knows no Host header, but servers of many sites want one even so");
    }
    console.error(explanation(status, reason));
  } catch {
    if (wrong) console.error(wrong);
    // to a line without a version some answer as the first web servers did, with nothing but a page
    console.error("there is no status line: it is answered as HTTP/0.9, or is no web server");
  }
}

function explanation(status: number, reason: string): string {
  const what = `${status} ${visible(reason)}`;
  if (status === 400) return `${what}: the server could not understand the request`;
  if (status >= 500) return `${what}: the server could not do what was asked`;
  if (status >= 400) return `${what}: the server understood, and refuses`;
  return `${what}: the server understood`;
}

if (import.meta.main) await run(main);
