/**
 * IP addresses as text and as bytes, read strictly: what some programs take in one way and some in another,
 * such as the leading zeros of `010.0.0.1`, is refused.
 *
 * @module
 */

/** An IPv4 address of 4 bytes or an IPv6 address of 16. */
export interface IpAddress {
  version: 4 | 6;
  bytes: Uint8Array;
  /** The interface that a link-local IPv6 address is meant for: `eth0` in `fe80::1%eth0`. */
  zone?: string;
}

/**
 * Reads an address: four decimal numbers for IPv4, the forms of
 * {@link https://www.rfc-editor.org/rfc/rfc4291#section-2.2 RFC 4291, 2.2} for IPv6, with the zone of
 * {@link https://www.rfc-editor.org/rfc/rfc4007#section-11 RFC 4007, 11}.
 *
 * @throws {SyntaxError} that shows what was given and how an address is written
 *
 * @example
 * ```ts
 * import { formatAddress, parseAddress } from "./ip_address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...parseAddress("192.168.2.100").bytes], [192, 168, 2, 100]);
 * assertEquals(formatAddress(parseAddress("2001:0DB8::0:1")), "2001:db8::1");
 * ```
 */
export function parseAddress(text: string): IpAddress {
  const four = parseFour(text);
  if (four) return { version: 4, bytes: new Uint8Array(four) };
  const [, address, zone] = /^([^%]*)(?:%([^%/\s]+))?$/.exec(text) ?? [];
  const six = parseSix(address ?? "");
  if (!six) {
    throw new SyntaxError(
      `"${text}" is no IP address: write four numbers from 0 to 255, as in 192.168.2.100, ` +
        "or up to eight groups of hexadecimal digits, as in 2001:db8::1",
    );
  }
  const bytes = new Uint8Array(six.flatMap((group) => [group >> 8, group & 0xff]));
  return { version: 6, bytes, ...(zone !== undefined && { zone }) };
}

function parseFour(text: string): number[] | undefined {
  const parts = text.split(".");
  const sound = parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return sound ? parts.map(Number) : undefined;
}

/** The eight groups of 16 bits. */
function parseSix(text: string): number[] | undefined {
  // the last 32 bits may be written as an IPv4 address
  const colon = text.lastIndexOf(":");
  const tail = text.slice(colon + 1);
  if (colon >= 0 && tail.includes(".")) {
    const [a, b, c, d] = parseFour(tail) ?? [];
    if (d === undefined) return undefined;
    const groups = [a! << 8 | b!, c! << 8 | d].map((group) => group.toString(16));
    return parseSix(text.slice(0, colon + 1) + groups.join(":"));
  }
  const halves = text.split("::");
  const [left = [], right = []] = halves.map((half) => half === "" ? [] : half.split(":"));
  const count = left.length + right.length;
  // :: stands once, for at least one group
  if (halves.length > 2 || (halves.length === 2 ? count > 7 : count !== 8)) return undefined;
  if (![...left, ...right].every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const zeros = Array<string>(8 - count).fill("0");
  return [...left, ...zeros, ...right].map((group) => parseInt(group, 16));
}

/**
 * Writes an address in its one short form, that of
 * {@link https://www.rfc-editor.org/rfc/rfc5952#section-4 RFC 5952}: small letters, no leading zeros, `::` for
 * the longest run of two or more zero groups (the first of equals), and an IPv4-mapped address with the IPv4
 * address as it is known.
 *
 * @param options.long all eight groups of IPv6 with four digits each
 */
export function formatAddress(address: IpAddress, options: { long?: boolean } = {}): string {
  const { version, bytes, zone } = address;
  if (version === 4) return bytes.join(".");
  const end = zone === undefined ? "" : `%${zone}`;
  const groups = Array.from({ length: 8 }, (_, at) => bytes[2 * at]! << 8 | bytes[2 * at + 1]!)
    .map((group) => group.toString(16));
  if (options.long) return groups.map((group) => group.padStart(4, "0")).join(":") + end;
  const mapped = mappedAddress(address);
  if (mapped) return `::ffff:${formatAddress(mapped)}${end}`;

  let [start, length] = [0, 1]; // of the longest run
  for (let at = 0; at < 8; at++) {
    let to = at;
    while (groups[to] === "0") to++;
    if (to - at > length) [start, length] = [at, to - at];
  }
  if (length === 1) return groups.join(":") + end;
  const [before, after] = [groups.slice(0, start), groups.slice(start + length)];
  return `${before.join(":")}::${after.join(":")}${end}`;
}

/** The IPv4 address within `::ffff:a.b.c.d`, as which a socket for both versions sees an IPv4 peer. */
export function mappedAddress({ version, bytes }: IpAddress): IpAddress | undefined {
  const mapped = version === 6 && bytes.subarray(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
  return mapped ? { version: 4, bytes: bytes.slice(12) } : undefined;
}
