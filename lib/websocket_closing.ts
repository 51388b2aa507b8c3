/**
 * How a WebSocket conversation ends: a close frame with a code and a reason, in each direction.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-7 RFC 6455, section 7}
 * @module
 */

import { WebSocketError } from "./websocket_frame.ts";

/** Why a conversation was closed. */
export interface Closing {
  /** 1000 all is done, 1001 going away, 1002 to 1015 troubles, 3000 to 4999 for programs; 1005 none was given. */
  code: number;
  reason: string;
}

/** Whether a code may stand in a close frame. */
export function mayBeSent(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
    (code >= 3000 && code <= 4999);
}

/**
 * The payload of a close frame.
 *
 * @throws {RangeError} for a code that may not be sent, or a reason of more than 123 bytes
 */
export function encodeClosing({ code, reason }: Closing): Uint8Array<ArrayBuffer> {
  if (code === 1005) return new Uint8Array();
  const bytes = new TextEncoder().encode(reason);
  if (!mayBeSent(code)) throw new RangeError(`a close frame may not have the code ${code}`);
  if (bytes.length > 123) throw new RangeError("the reason of a close frame has at most 123 bytes");
  return Uint8Array.of(code >> 8, code & 0xff, ...bytes);
}

/**
 * Reads the payload of a close frame.
 *
 * @throws {WebSocketError} for half a code, one that may not be sent, or a reason that is not UTF-8
 *
 * @example
 * ```ts
 * import { decodeClosing, encodeClosing } from "./websocket_closing.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const payload = encodeClosing({ code: 1000, reason: "done" });
 * assertEquals(decodeClosing(payload), { code: 1000, reason: "done" });
 * ```
 */
export function decodeClosing(payload: Uint8Array): Closing {
  if (payload.length === 0) return { code: 1005, reason: "" };
  if (payload.length === 1) throw new WebSocketError(1002, "a close frame has half a code");
  const code = payload[0]! << 8 | payload[1]!;
  if (!mayBeSent(code)) {
    throw new WebSocketError(1002, `a close frame has the code ${code}, which may not be sent`);
  }
  return { code, reason: decodeText(payload.subarray(2)) };
}

/** @throws {WebSocketError} when the bytes are not UTF-8 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new WebSocketError(1007, "a text is not UTF-8");
  }
}
