/**
 * 100,000 generated inputs for each of the lessons that read what strangers write: the DNS server, the DNS
 * client by hand, and the address arithmetic. A failure prints its seed, which `fc.assert` takes again.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { DnsFormatError } from "../../lib/dns_name.ts";
import { formatAddress, parseAddress } from "../../lib/ip_address.ts";
import { contains, parseSubnet } from "../../lib/subnet.ts";
import { parseZone } from "../../lib/zone.ts";
import { questionBytes, readReply } from "../../scripts/hosts/dns_by_hand.ts";
import { reply } from "../../scripts/hosts/dns_server.ts";
import lectures from "../../scripts/hosts/lectures.zone" with { type: "text" };

const RUNS = { numRuns: 100_000, seed: 20_261_121 };

const records = parseZone(lectures);
const NAMES = ["www.rad.washington.edu", "google.com", "no.such.example", "."];
const questions = NAMES.flatMap((name) =>
  [1, 16, 255].map((type) => questionBytes(4_711, name, type))
);

/** Runs quietly: the server tells of each question on stderr. */
function quietly(work: () => void): void {
  const { error } = console;
  console.error = () => {};
  try {
    work();
  } finally {
    console.error = error;
  }
}

/** Bytes that nobody chose, or a message with some of its bytes changed and perhaps its end cut off. */
function damaged(messages: Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 5 });
  const changed = fc.tuple(fc.constantFrom(...messages), changes, fc.nat(600)).map(
    ([message, list, cut]) => {
      const bytes = message.slice(0, cut < message.length / 2 ? undefined : cut);
      for (const [at, value] of list) if (at < bytes.length) bytes[at] = value;
      return bytes;
    },
  );
  return fc.oneof({ weight: 1, arbitrary: fc.uint8Array({ maxLength: 600 }) }, {
    weight: 4,
    arbitrary: changed,
  });
}

Deno.test("dns_server answers or keeps silent when a question is damaged", () => {
  quietly(() =>
    fc.assert(
      fc.property(damaged(questions), fc.constantFrom("UDP", "TCP"), (bytes, transport) => {
        const answered = reply(bytes, records, transport);
        if (!answered) return;
        // what it says is sound, and an answer to this question
        assertEquals(answered.slice(0, 2), bytes.slice(0, 2));
        readReply(answered);
      }),
      RUNS,
    )
  );
});

Deno.test("dns_by_hand reads or refuses when a reply is damaged", () => {
  const replies: Uint8Array[] = [];
  quietly(() => {
    for (const question of questions) replies.push(reply(question, records, "TCP")!);
  });
  fc.assert(
    fc.property(damaged(replies), (bytes) => {
      try {
        const { lines } = readReply(bytes);
        assertEquals(lines.some((line) => /\p{Cc}/u.test(line)), false);
      } catch (error) {
        if (!(error instanceof DnsFormatError)) throw error;
      }
    }),
    RUNS,
  );
});

Deno.test("subnet reads or refuses when an address and its prefix are generated", () => {
  const part = fc.oneof(
    fc.constantFrom("", ":", "::", ".", "/", "%eth0", "0", "00", "ffff", "256", "1.2.3.4", "/33"),
    fc.nat(300).map(String),
    fc.nat(0xffff).map((word) => word.toString(16)),
  );
  const texts = fc.oneof(
    fc.array(part, { maxLength: 12 }).map((parts) => parts.join("")),
    fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(140)).map((both) => both.join("/")),
    fc.string({ maxLength: 40 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const subnet = parseSubnet(text);
        // what it understood it writes so that it understands it again
        const written = formatAddress(subnet.address);
        assertEquals(formatAddress(parseAddress(written)), written);
        assertEquals(contains(subnet, subnet.address), true);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    }),
    RUNS,
  );
});
