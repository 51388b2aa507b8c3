/**
 * The names that a certificate can be for.
 *
 * @module
 */

import { visible } from "./display.ts";
import { canonicalAddress } from "./hosts_file.ts";
import { UsageError } from "./usage.ts";

/**
 * A host name or an IP address as it stands in a certificate: in ASCII and small letters. `*.` before a host
 * name stands for any one label. Underscores, which no host name should have, are let through: those of containers
 * do.
 *
 * @throws {UsageError} when it is neither
 * @see {@link https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6 RFC 5280, section 4.2.1.6}
 *
 * @example
 * ```ts
 * import { certificateName } from "./certificate_name.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(certificateName("*.München.de"), "*.xn--mnchen-3ya.de");
 * assertEquals(certificateName("2001:DB8:0::1"), "2001:db8::1");
 * ```
 */
export function certificateName(text: string): string {
  const address = canonicalAddress(text);
  // some programs read a leading zero as octal, and an interface has no meaning elsewhere
  if (address !== undefined && !/%|(^|\.)0\d/.test(text)) return address;
  const [, star = "", name = ""] = /^(\*\.)?([\p{L}\p{M}\p{N}._-]+?)\.?$/u.exec(text) ?? [];
  const host = URL.parse(`http://${name}/`)?.hostname ?? "";
  const labels = host.split(".");
  const sound = host.length <= 253 - star.length && !/^\d+$/.test(labels.at(-1)!) &&
    labels.every((label) => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(label));
  if (sound) return star + host;
  throw new UsageError(
    `"${visible(text)}" is neither a host name nor an IP address: write one such as ` +
      "mail.example.org, *.example.org or 10.0.0.7",
  );
}
