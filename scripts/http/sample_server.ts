#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8000
/**
 * A web server with something to fetch
 *
 * Serves texts and a picture from memory: the partner of lessons that download. Deno.serve does the
 * listening and speaks HTTP; the handler gets a request and returns a response.
 *
 * numbers.txt comes in pieces, as it is made, so that nobody knows its length before. numbers.bin has a
 * version (ETag) and can be had in parts (Range); dropping.bin is the same, but each time the connection
 * breaks after 100,000 bytes at the latest.
 *
 * @lecture 000 Download a file from a URL
 * @python  http.server → Deno.serve
 * @run     deno run --allow-net=127.0.0.1:8000 scripts/http/sample_server.ts
 * @expect  listening on 127.0.0.1:8000
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 8000)
 * @see     https://docs.deno.com/api/deno/~/Deno.serve
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { rangeOf } from "../../lib/byte_range.ts";
import { run } from "../../lib/cli.ts";
import { NO_HOST, urlOf } from "../../lib/http_host.ts";
import { keepServing } from "../../lib/keep_serving.ts";
import { pause } from "../../lib/pause.ts";
import { onInterrupt } from "../../lib/shutdown.ts";

/** A red dot, 1 pixel by 1, as PNG. */
const PICTURE = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC",
);

/** The numbers from 0 to 65,535, in four bytes each. */
const NUMBERS = new Uint8Array(Uint32Array.from({ length: 65_536 }, (_, number) => number).buffer);
const BREAK = 100_000;

/** The numbers from 1 to 20,000, in lines, with some pauses, as if they had to be worked out. */
async function* lines(): AsyncGenerator<Uint8Array> {
  for (let first = 1; first <= 20_000; first += 500) {
    if (first % 5_000 === 501) await pause(20);
    const some = Array.from({ length: 500 }, (_, index) => `${first + index}\n`);
    yield new TextEncoder().encode(some.join(""));
  }
}

/** Numbers as bytes, all or the part that is asked for: of this version only, when If-Range names one. */
function part(request: Request, most = Infinity): Response {
  const version = '"numbers-1"';
  const sameVersion = (request.headers.get("if-range") ?? version) === version;
  const asked = sameVersion ? request.headers.get("range") : null;
  const range = rangeOf(asked, NUMBERS.length);
  const headers = new Headers({ "accept-ranges": "bytes", etag: version });
  if (range === null) {
    headers.set("content-range", `bytes */${NUMBERS.length}`);
    return new Response("it has no such part\n", { status: 416, headers });
  }
  const [first, last] = range ?? [0, NUMBERS.length - 1];
  if (range) headers.set("content-range", `bytes ${first}-${last}/${NUMBERS.length}`);
  headers.set("content-length", String(last + 1 - first));
  // a body that is shorter than announced: Deno.serve can only break the connection
  const body = NUMBERS.slice(first, Math.min(last + 1, first + most));
  return new Response(ReadableStream.from([body]), { status: range ? 206 : 200, headers });
}

const PAGES: Record<string, (request: Request) => Response> = {
  "/notes.txt": () => new Response("Networking: day 4\n"),
  "/dot.png": () => new Response(PICTURE, { headers: { "content-type": "image/png" } }),
  "/moved": () =>
    new Response("see /notes.txt\n", { status: 302, headers: { location: "/notes.txt" } }),
  "/numbers.txt": () => new Response(ReadableStream.from(lines())),
  "/numbers.bin": (request) => part(request),
  "/dropping.bin": (request) => part(request, BREAK),
};

/** Answers one request. */
export function answer(request: Request): Response {
  const url = urlOf(request);
  if (!url) return new Response(`${NO_HOST}\n`, { status: 400 });
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("only GET and HEAD\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  const page = PAGES[url.pathname];
  if (page) return page(request);
  return new Response(`here are ${Object.keys(PAGES).join(", ")}\n`, { status: 404 });
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  const place = { hostname: host, port };
  const server = await keepServing(place, (place) => Deno.serve(place, answer));
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
