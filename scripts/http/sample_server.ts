#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8000
/**
 * A web server with something to fetch
 *
 * Serves a text and a picture from memory: the partner of lessons that download. Deno.serve does the
 * listening and speaks HTTP; the handler gets a request and returns a response.
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
import { run } from "../../lib/cli.ts";
import { attempt } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";

/** A red dot, 1 pixel by 1, as PNG. */
const PICTURE = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC",
);

/** Answers one request. */
export function answer(request: Request): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("only GET and HEAD\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  switch (new URL(request.url).pathname) {
    case "/notes.txt":
      return new Response("Networking: day 4\n");
    case "/dot.png":
      return new Response(PICTURE, { headers: { "content-type": "image/png" } });
    default:
      return new Response("here are /notes.txt and /dot.png\n", { status: 404 });
  }
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  const server = await attempt(
    `listen on ${host} port ${port}`,
    () => Deno.serve({ hostname: host, port, onListen() {} }, answer),
  );
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
