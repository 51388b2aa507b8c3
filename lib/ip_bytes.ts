/**
 * IP and MAC addresses as the bytes that stand in a header, and back to text.
 *
 * @module
 */

import { formatAddress, parseAddress } from "./ip_address.ts";

/**
 * The bytes of an IP address: 4 for IPv4, 16 for IPv6.
 *
 * @throws {SyntaxError} for what is no IP address; a zone (`%eth0`) is not part of one
 *
 * @example
 * ```ts
 * import { ipBytes } from "./ip_bytes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...ipBytes("192.168.1.1")], [192, 168, 1, 1]);
 * assertEquals(ipBytes("2001:db8::1").length, 16);
 * ```
 */
export function ipBytes(text: string): Uint8Array<ArrayBuffer> {
  const { bytes, zone } = parseAddress(text);
  if (zone === undefined) return new Uint8Array(bytes);
  throw new SyntaxError(`"${text}" has the zone %${zone}, which is sent nowhere: leave it out`);
}

/**
 * An IP address as text, IPv6 in its shortest form.
 *
 * @throws {RangeError} unless there are 4 or 16 bytes
 *
 * @example
 * ```ts
 * import { ipBytes, ipText } from "./ip_bytes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(ipText(ipBytes("2001:0DB8:0:0::1")), "2001:db8::1");
 * ```
 */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new RangeError(`an IP address has 4 or 16 bytes, not ${bytes.length}`);
  }
  return formatAddress({ version: bytes.length === 4 ? 4 : 6, bytes });
}

/**
 * The six bytes of a MAC address, the name of a network card on its own wire.
 *
 * @throws {SyntaxError} for what is no MAC address
 *
 * @example
 * ```ts
 * import { macBytes, macText } from "./ip_bytes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(macText(macBytes("02:00:00:00:00:0A")), "02:00:00:00:00:0a");
 * ```
 */
export function macBytes(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new SyntaxError(`"${text}" is no MAC address: write one such as 02:00:00:00:00:01`);
  }
  return Uint8Array.from(text.split(":"), (pair) => parseInt(pair, 16));
}

/** A MAC address as text: two hexadecimal digits for each byte, colons between them. */
export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/**
 * Refuses a number that does not fit its field of a header, which would else be cut without a word.
 *
 * @param name of the field, for the message
 * @throws {RangeError} unless the value is a whole number from 0 to `most`
 */
export function checkField(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new RangeError(`the ${name} is a whole number from 0 to ${most}, not ${value}`);
  }
}
