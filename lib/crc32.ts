/**
 * CRC-32, the checksum of Ethernet, gzip and PNG. It notices every change of up to 32 bits in a row, and all
 * but one in four thousand million others, where the 16 bits of TCP's checksum miss one in 65,536. Like that
 * it finds accidents, not attacks.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1952#section-8 RFC 1952, 8}
 * @module
 */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) {
    remainder = remainder & 1 ? 0xedb88320 ^ remainder >>> 1 : remainder >>> 1;
  }
  return remainder;
});

/**
 * Computes the CRC-32 of bytes.
 *
 * @returns a number from 0 to 0xffffffff
 *
 * @example
 * ```ts
 * import { crc32 } from "./crc32.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926); // the usual check value
 * ```
 */
export function crc32(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  // an index costs half of what an iterator does
  for (let at = 0; at < bytes.length; at++) {
    remainder = TABLE[(remainder ^ bytes[at]!) & 0xff]! ^ remainder >>> 8;
  }
  return (remainder ^ 0xffffffff) >>> 0;
}
