/**
 * How an HTTP connection becomes a WebSocket.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-4 RFC 6455, section 4}
 * @module
 */

import { Problem } from "./http_problem.ts";
import type { RequestHead } from "./http_request.ts";

/** Every WebSocket server of the world appends this, so the answer shows that it is one. */
const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * The answer to a client's key, for `Sec-WebSocket-Accept`. It is no secret and protects nothing: it shows that the
 * server has understood that a WebSocket is wanted, and is not a web server that answers anything.
 *
 * @example
 * ```ts
 * import { acceptKey } from "./websocket_handshake.ts";
 * import { assertEquals } from "@std/assert";
 *
 * // the example of RFC 6455, section 1.3
 * assertEquals(await acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
 * ```
 */
export async function acceptKey(key: string): Promise<string> {
  const bytes = new TextEncoder().encode(key + MAGIC);
  return new Uint8Array(await crypto.subtle.digest("SHA-1", bytes)).toBase64();
}

/** Whether a header's list has a word, in upper or lower case. */
export function hasToken(headers: Headers, name: string, token: string): boolean {
  const words = (headers.get(name) ?? "").split(",").map((word) => word.trim().toLowerCase());
  return words.includes(token);
}

/**
 * Looks at a request for a WebSocket, and gives its key.
 *
 * @throws {Problem} 400 what is missing or wrong, 403 a page of another site, 426 another version
 *
 * @example
 * ```ts
 * import { checkUpgrade } from "./websocket_handshake.ts";
 * import { assertThrows } from "@std/assert";
 *
 * const headers = new Headers({ connection: "Upgrade", "sec-websocket-version": "8" });
 * const request = { method: "GET", target: "/", headers };
 * assertThrows(() => checkUpgrade(request), Error, "the version here is 13");
 * ```
 */
export function checkUpgrade({ method, headers }: RequestHead): string {
  if (method !== "GET") throw new Problem(400, "a WebSocket begins with GET");
  if (!hasToken(headers, "connection", "upgrade")) {
    throw new Problem(400, "Connection: Upgrade is missing");
  }
  if (headers.get("sec-websocket-version") !== "13") {
    const headers = { "upgrade": "websocket", "sec-websocket-version": "13" };
    throw new Problem(426, "the version here is 13", { headers });
  }
  const key = headers.get("sec-websocket-key") ?? "";
  if (!/^[A-Za-z\d+/]{22}==$/.test(key)) {
    throw new Problem(400, "Sec-WebSocket-Key is not 16 bytes as base64");
  }
  // browsers let any page connect anywhere, and say by this whose page it is
  const origin = headers.get("origin");
  if (origin !== null && origin !== `http://${headers.get("host")}`) {
    throw new Problem(403, "a page of another site may not connect here");
  }
  return key;
}
