/**
 * A web server that says exactly what a test wants it to say, one request per connection.
 *
 * @module
 */

import { accepted } from "../../lib/accept.ts";
import { encode } from "../lib/helpers.ts";
import type { Peer } from "./peers.ts";
import { AT_ONCE, pause, settles } from "./waits.ts";

/** What is done on one connection. */
export interface Talk {
  /** The request's head as text. */
  request: string;
  /** A header of it, or `undefined`. */
  header(name: string): string | undefined;
  /** Writes all of a text or of bytes. */
  say(text: string | Uint8Array): Promise<void>;
  /** Waits until the client has gone. */
  stay(): Promise<void>;
}

/** Such a server, and the requests that it has heard. */
export interface WebPeer extends Peer {
  requests: string[];
}

/** Answers the first request by the first of the answers, and so on; the last of them all that follow. */
export function webServer(...answers: ((talk: Talk) => Promise<unknown> | unknown)[]): WebPeer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: string[] = [];
  let gone = false;
  const serveOne = async (connection: Deno.Conn) => {
    using closed = connection;
    const buffer = new Uint8Array(8_192);
    let request = "";
    for (let length = 0; !request.includes("\r\n\r\n");) {
      const count = await closed.read(buffer.subarray(length));
      if (count === null) return;
      length += count;
      request = new TextDecoder().decode(buffer.subarray(0, length));
    }
    const answer = answers[Math.min(requests.push(request), answers.length) - 1]!;
    await answer({
      request,
      header: (name) => new RegExp(`^${name}: (.*)\r$`, "im").exec(request)?.[1],
      async say(text) {
        const bytes = typeof text === "string" ? encode(text) : text;
        for (let sent = 0; sent < bytes.length;) {
          sent += await closed.write(bytes.subarray(sent));
        }
      },
      async stay() {
        // the client says nothing more: this ends when it closes, or is reset
        const ended = closed.read(new Uint8Array(1)).catch(() => null);
        while (!gone && !await settles(ended, 50));
      },
    });
  };
  const conversations = new Set<Promise<void>>();
  const serving = (async () => {
    for await (const connection of accepted(listener)) {
      const one = serveOne(connection).catch(() => {}).finally(() => conversations.delete(one));
      conversations.add(one);
    }
  })().catch(() => {});
  return {
    requests,
    address: String(listener.addr.port),
    release: () => gone = true,
    async [Symbol.asyncDispose]() {
      gone = true;
      listener.close();
      await settles(Promise.all([serving, ...conversations]), AT_ONCE);
      await pause(0);
    },
  };
}
