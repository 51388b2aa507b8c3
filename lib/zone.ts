/**
 * The master file of a zone: the text in which the records of a domain are kept, one to a line.
 *
 *     $ORIGIN example.com.
 *     $TTL 3600
 *     @     IN SOA ns root 1 7200 3600 1209600 300
 *     www   IN A 192.0.2.1
 *           IN A 192.0.2.2      ; the same name again
 *     ftp   CNAME www
 *
 * A name without a final dot is below the origin, `@` is the origin itself; round brackets let a record go
 * over several lines; a semicolon begins a comment. `$INCLUDE` is not taken: it would open files.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1035#section-5 RFC 1035, 5}; `$TTL`: RFC 2308, 4
 * @module
 */

import { nameBytes, TYPES, writeData } from "./dns_data.ts";
import { DnsFormatError, sameName } from "./dns_name.ts";
import type { DnsRecord } from "./dns_message.ts";

/** A zone file that cannot be read: the line, and why. */
export class ZoneError extends Error {
  override name = "ZoneError";
}

/** The most bytes of a zone file. */
const MOST = 1024 * 1024;
const LONGEST_TTL = 0x7fff_ffff; // RFC 2181, 8

interface Entry {
  line: number;
  /** The record is of the same name as the one before it. */
  continued: boolean;
  words: string[];
}

/**
 * Reads a zone file; the records come in the order of their lines, names absolute.
 *
 * @throws {ZoneError} with the number of the line that is not understood
 *
 * @example
 * ```ts
 * import { parseZone } from "./zone.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const [record] = parseZone("$ORIGIN uw.edu.\n@ 60 IN MX 10 mail ; the mail server\n");
 * assertEquals(record, { name: "uw.edu.", type: "MX", class: 1, ttl: 60, data: "10 mail.uw.edu." });
 * ```
 */
export function parseZone(text: string): DnsRecord[] {
  if (text.length > MOST) throw new ZoneError(`a zone file has at most ${MOST} characters`);
  const records: DnsRecord[] = [];
  let origin = ".", owner: string | undefined, ttl: number | undefined;
  const absolute = (name: string) => {
    const whole = name === "@"
      ? origin
      : /(?<!\\)(?:\\\\)*\.$/.test(name)
      ? name
      : origin === "."
      ? `${name}.`
      : `${name}.${origin}`;
    nameBytes(whole);
    return whole;
  };
  for (const { line, continued, words } of entriesOf(text)) {
    try {
      if (words[0]!.startsWith("$")) {
        const [directive, value = "", surplus] = words;
        if (directive === "$ORIGIN" && value && !surplus) origin = absolute(value);
        else if (directive === "$TTL" && !surplus) ttl = seconds(value);
        else throw new DnsFormatError(`${words.join(" ")} is not known: only $ORIGIN and $TTL are`);
        continue;
      }
      if (!continued) owner = absolute(words.shift()!);
      if (owner === undefined) throw new DnsFormatError("no name stands before this record");
      let own = ttl;
      // the class and the time to live may be left out, and stand in any order
      for (let word; /^(\d+|IN)$/i.test(word = words[0] ?? "");) {
        if (/^\d/.test(word)) own = seconds(word);
        words.shift();
      }
      const type = words.shift()?.toUpperCase() ?? "";
      const fields = Object.hasOwn(TYPES, type) ? TYPES[type]!.fields : undefined;
      if (!fields) throw new DnsFormatError(`the type "${type}" is none of ${Object.keys(TYPES)}`);
      if (own === undefined) throw new DnsFormatError("no time to live is given: begin with $TTL");
      const data = words.map((word, at) =>
        fields[at] === "name" || fields[at] === "target" ? absolute(word) : word
      ).join(" ");
      let length = 0;
      writeData(data, type, {
        bytes: (bytes) => length += Array.from(bytes).length,
        name: (name) => length += nameBytes(name).length,
      });
      if (length > 0xffff) throw new DnsFormatError("a record's data has at most 65,535 bytes");
      records.push({ name: owner, type, class: 1, ttl: own, data });
    } catch (error) {
      if (!(error instanceof DnsFormatError)) throw error;
      throw new ZoneError(`line ${line}: ${error.message}`);
    }
  }
  refuseCrowdedAliases(records);
  return records;
}

function seconds(word: string): number {
  const value = /^\d{1,10}$/.test(word) ? Number(word) : Infinity;
  if (value <= LONGEST_TTL) return value;
  throw new DnsFormatError(`"${word}" is no number of seconds up to ${LONGEST_TTL}`);
}

/** The records and directives of a file, in words; what is quoted is one word, with its quotes. */
function* entriesOf(text: string): Generator<Entry> {
  const TOKEN = /;[^\n]*|\n|[^\S\n]+|[()]|"(?:[^"\\\n]|\\[^\n])*"|(?:[^\s;()"\\]|\\[^\n])+|[^]/g;
  let line = 1, depth = 0;
  let entry: Entry | undefined, fresh = true, indented = false;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "\n") {
      line++;
      if (depth > 0) continue;
      if (entry) yield entry;
      entry = undefined;
      fresh = true;
      indented = false;
    } else if (/^\s/.test(token)) {
      if (fresh) indented = true;
    } else if (token === "(") {
      depth++;
    } else if (token === ")") {
      if (--depth < 0) throw new ZoneError(`line ${line}: a bracket closes that was never opened`);
    } else if (token === '"' || token === "\\") {
      throw new ZoneError(`line ${line}: a quote is not closed`);
    } else if (!token.startsWith(";")) {
      entry ??= { line, continued: indented, words: [] };
      entry.words.push(token);
    }
    if (token !== "\n") fresh = false;
  }
  if (depth > 0) throw new ZoneError(`line ${line}: a bracket is not closed`);
  if (entry) yield entry;
}

/** An alias has no records but its CNAME (RFC 1034, 3.6.2). */
function refuseCrowdedAliases(records: DnsRecord[]): void {
  const counts = new Map<string, number>();
  for (const { name } of records) {
    counts.set(name.toLowerCase(), (counts.get(name.toLowerCase()) ?? 0) + 1);
  }
  const crowded = records.find(({ name, type }) =>
    type === "CNAME" && counts.get(name.toLowerCase())! > 1
  );
  if (crowded) throw new ZoneError(`${crowded.name} is an alias and can have no other records`);
}

/** Whether a name is another one or below it: `www.uw.edu.` is within `uw.edu.`, and all are within `.`. */
export function isWithin(name: string, domain: string): boolean {
  return domain === "." || sameName(name, domain) ||
    name.toLowerCase().endsWith(`.${domain.toLowerCase()}`);
}
