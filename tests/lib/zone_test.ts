import { assert, assertEquals, assertThrows } from "@std/assert";
import { isWithin, parseZone, ZoneError } from "../../lib/zone.ts";
import { chance } from "./helpers.ts";

const SEED = 1_034;
const INPUTS = 100_000;
const LECTURES = Deno.readTextFileSync(
  new URL("../../scripts/hosts/lectures.zone", import.meta.url),
);

const EXAMPLE = `$ORIGIN example.com.
$TTL 3600 ; an hour
@   IN SOA ns root ( 1 7200
       3600 ; a comment ) in brackets
       1209600 300 )
    60 IN NS ns
    IN 61 NS ns.other.
www A 192.0.2.1
    TXT "a ; b" "c \\"d\\"" e
sub.www 0 MX 10 @
`;

Deno.test("parseZone reads names, times and data that go over several lines", () => {
  const all = parseZone(EXAMPLE).map(({ name, ttl, type, data }) => [name, ttl, type, data]);
  assertEquals(all, [
    ["example.com.", 3600, "SOA", "ns.example.com. root.example.com. 1 7200 3600 1209600 300"],
    ["example.com.", 60, "NS", "ns.example.com."],
    ["example.com.", 61, "NS", "ns.other."],
    ["www.example.com.", 3600, "A", "192.0.2.1"],
    ["www.example.com.", 3600, "TXT", '"a ; b" "c \\"d\\"" e'],
    ["sub.www.example.com.", 0, "MX", "10 example.com."],
  ]);
});

for (
  const [fault, text] of [
    ["line 1: no name stands before", " 60 A 192.0.2.1"],
    ["line 1: no time to live", "a A 192.0.2.1"],
    ["line 2: 192.0.2 is no IPv4 address", "$TTL 1\na A 192.0.2"],
    ['line 1: the type "HINFO"', "a 1 HINFO x y"],
    ['line 1: the type ""', "a 1 IN"],
    ['line 1: the type "CONSTRUCTOR"', "a 1 IN constructor x"],
    ["line 1: a quote is not closed", 'a 1 TXT "open\n"'],
    ["line 2: a bracket is not closed", "a 1 TXT ( x\n"],
    ["line 1: a bracket closes", "a 1 TXT x )"],
    ["line 1: $INCLUDE /etc/passwd is not known", "$INCLUDE /etc/passwd"],
    ["no number of seconds", "$TTL 2147483648"],
    ["an alias and can have no other", "$TTL 1\na CNAME b\nA TXT x"],
    ["is not in ASCII", "é 1 A 192.0.2.1"],
    ["has an empty label", "a..b 1 A 192.0.2.1"],
    ["has too much", "a 1 MX 10 b c"],
    ["is over 255 bytes long", `$ORIGIN ${"a.".repeat(120)}\n${"b.".repeat(10)}c 1 A 192.0.2.1`],
  ] as const
) {
  Deno.test(`parseZone tells the fault: ${fault}`, () => {
    assertThrows(() => parseZone(text), ZoneError, fault);
  });
}

Deno.test("parseZone reads or refuses a zone that is cut at any place", () => {
  for (let length = 0; length <= EXAMPLE.length; length++) {
    try {
      assert(parseZone(EXAMPLE.slice(0, length)).length <= 6);
    } catch (error) {
      assert(error instanceof ZoneError, `cut at ${length}: ${error}`);
    }
  }
});

Deno.test(`parseZone reads or refuses whatever comes, and reads what it read again (seed ${SEED})`, () => {
  const next = chance(SEED);
  const parts =
    ' \n|\t|a|@|.|\\|\\.|"|(|)|;|$ORIGIN |$TTL |60 |IN |A 192.0.2.1|AAAA ::1|MX 10 |TXT |b\n'
      .split("|").concat(
        "TXT x\n",
        "CNAME ",
        "a 1 A 192.0.2.1\n",
        "é",
        "SRV 1 2 3 ",
        'CAA 0 issue "x"',
      );
  let read = 0;
  for (let input = 0; input < INPUTS; input++) {
    const begin = next(2) ? "$TTL 5\nx A 192.0.2.9\n" : "";
    const text = begin + Array.from({ length: next(12) }, () => parts[next(parts.length)]).join("");
    const note = `seed ${SEED}, input ${input}: ${JSON.stringify(text)}`;
    try {
      const records = parseZone(text);
      read += records.length;
      const written = records.map(({ name, ttl, type, data }) =>
        `${name} ${ttl} IN ${type} ${data}`
      );
      assertEquals(parseZone(written.join("\n")), records, note);
    } catch (error) {
      assert(error instanceof ZoneError, `${note}: ${error}`);
    }
  }
  assert(read > INPUTS / 20, `seed ${SEED}: only ${read} records were read`);
});

Deno.test("the lectures' zone has every type and every name of the lectures", () => {
  const records = parseZone(LECTURES);
  const types = "A AAAA CNAME MX NS TXT SOA SRV CAA PTR".split(" ");
  assertEquals(types.filter((type) => !records.some((record) => record.type === type)), []);
  for (
    const [name, data] of [["uw.edu.", "128.95.155.135"], ["www.usfca.edu.", "104.239.221.147"]]
  ) {
    assertEquals(records.find((record) => record.name === name)?.data, data);
  }
});

Deno.test("isWithin compares whole labels, without regard to case", () => {
  assert(isWithin("WWW.uw.edu.", "uw.EDU."));
  assert(isWithin("uw.edu.", "."));
  assert(!isWithin("xuw.edu.", "uw.edu."));
});
