import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  decodeMessage,
  DnsFormatError,
  type DnsRecord,
  encodeMessage,
  type Message,
  MOST_UDP_BYTES,
  questionFor,
} from "../../lib/dns_message.ts";
import { typeCode, typeName } from "../../lib/dns_data.ts";
import { labelsOf, readName } from "../../lib/dns_name.ts";
import { chance, concat, encode } from "./helpers.ts";

const SEED = 1_035;
const INPUTS = 100_000;

function record(name: string, type: string, data: string): DnsRecord {
  return { name, type, class: 1, ttl: 3_600, data };
}

function replyOf(...answers: DnsRecord[]): Message {
  return { ...questionFor("example.com", "ANY", { id: 7 }), response: true, answers };
}

const EVERY_TYPE = [
  record("example.com.", "A", "192.0.2.1"),
  record("example.com.", "AAAA", "2001:db8::25"),
  record("www.example.com.", "CNAME", "example.com."),
  record("example.com.", "NS", "ns.example.com."),
  record("example.com.", "MX", "10 mail.example.com."),
  record("example.com.", "TXT", '"v=spf1 mx -all" "a \\"quote\\", \\\\ and \\255"'),
  record("example.com.", "SOA", "ns.example.com. teacher.example.com. 1 2 3 4 4294967295"),
  record("_mqtt._tcp.example.com.", "SRV", "0 5 1883 broker.example.com."),
  record("example.com.", "CAA", '0 issue "letsencrypt.org; validationmethods=dns-01"'),
  record("8.1.168.192.in-addr.arpa.", "PTR", "homer.hellfly.net."),
  record("a\\.b\\032\\000.example.com.", "TYPE65", "\\# 3 c0a801"),
  record(".", "NS", "."),
];

const SAMPLES: Message[] = [
  questionFor("uw.edu", "A", { id: 1 }),
  questionFor(".", "NS", { id: 65_535, edns: { size: 1_232, version: 0 } }),
  replyOf(...EVERY_TYPE),
  {
    ...replyOf(...EVERY_TYPE.slice(0, 2)),
    authority: EVERY_TYPE.slice(6, 7),
    additional: EVERY_TYPE.slice(1, 5),
    edns: { size: 4_096, version: 1 },
    code: 16,
    authoritative: true,
    recursionAvailable: true,
    opcode: 5,
  },
];

Deno.test("a message is the same after it was encoded and decoded", () => {
  for (const sample of SAMPLES) assertEquals(decodeMessage(encodeMessage(sample)), sample);
});

Deno.test("encodeMessage gives the bytes of RFC 1035 when it asks for uw.edu", () => {
  const bytes = encodeMessage(questionFor("uw.edu", "A", { id: 0x1234 }));
  assertEquals(
    bytes,
    concat(
      Uint8Array.of(0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0),
      encode("\x02uw\x03edu\0"),
      Uint8Array.of(0, 1, 0, 1),
    ),
  );
});

Deno.test("encodeMessage replaces a name by a pointer, but not in SRV data", () => {
  const mx = encodeMessage(replyOf(record("example.com.", "MX", "10 example.com.")));
  assertEquals(mx.slice(-6), Uint8Array.of(0, 4, 0, 10, 0xc0, 12));
  const srv = encodeMessage(replyOf(record("example.com.", "SRV", "1 2 3 example.com.")));
  assertEquals(srv.slice(-13), encode("\x07example\x03com\0"));
});

Deno.test("encodeMessage leaves out whole records and marks that, when they do not fit", () => {
  const text = record("example.com.", "TXT", `"${"x".repeat(200)}"`);
  const message = { ...replyOf(text, text, text), edns: { size: 512, version: 0 } };
  const bytes = encodeMessage(message, MOST_UDP_BYTES);
  assert(bytes.length <= MOST_UDP_BYTES);
  const { answers, truncated, edns } = decodeMessage(bytes);
  assertEquals([answers.length, truncated, edns], [2, true, message.edns]);
  assertEquals(decodeMessage(encodeMessage(message)).truncated, false);
});

Deno.test("decodeMessage refuses a message when it is cut at any place", () => {
  for (const sample of SAMPLES) {
    const bytes = encodeMessage(sample);
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(() => decodeMessage(bytes.subarray(0, length)), DnsFormatError);
    }
    assertThrows(() => decodeMessage(concat(bytes, Uint8Array.of(0))), DnsFormatError, "1 bytes");
  }
});

for (
  const [name, bytes, at] of [
    ["itself", [0xc0, 0], 0],
    ["what points back to it", [0xc0, 2, 0xc0, 0], 2],
    ["the name that it ends", [1, 0x61, 0xc0, 0], 0],
    ["the middle of the name that it ends", [1, 0x61, 1, 0x62, 0xc0, 2], 0],
    ["what comes after it", [0xc0, 2, 0], 0],
    ["beyond the end", [0xff, 0xff], 0],
  ] as const
) {
  Deno.test(`readName refuses a pointer when it leads to ${name}`, () => {
    assertThrows(() => readName(Uint8Array.from(bytes), at), DnsFormatError, "not back");
  });
}

Deno.test("readName follows a chain of pointers that lead back, to 255 bytes and no more", () => {
  const labels = Array(63).fill([3, 0x61, 0x62, 0x63]).flat();
  const name = readName(Uint8Array.from([...labels, 1, 0x61, 0]), 0).name;
  assertEquals(labelsOf(name).length, 64);
  assertThrows(() => readName(Uint8Array.from([...labels, 2, 0x61, 0x61, 0]), 0), DnsFormatError);
});

for (const name of ["", "a..b", ".a", "é.com", "a b", "x".repeat(64), "\\256.a", "a\\", "\n"]) {
  Deno.test(`labelsOf refuses ${JSON.stringify(name)}`, () => {
    assertThrows(() => labelsOf(name), DnsFormatError);
  });
}

Deno.test("labelsOf takes a final dot as the end, unless it is escaped", () => {
  const texts = (name: string) => labelsOf(name).map((label) => String.fromCharCode(...label));
  assertEquals(texts("a.b."), ["a", "b"]);
  assertEquals(texts("a.b\\."), ["a", "b."]);
  assertEquals(texts("a.b\\\\."), ["a", "b\\"]);
  assertEquals(texts("."), []);
});

Deno.test("types have a name and a number, the unknown ones as well", () => {
  assertEquals([typeCode("caa"), typeCode("TYPE65"), typeName(65)], [257, 65, "TYPE65"]);
  assertThrows(() => typeCode("constructor"), DnsFormatError, "there is no record type");
  assertThrows(() => typeCode("TYPE65536"), DnsFormatError);
});

for (
  const [type, data] of [
    ["A", "1.2.3"],
    ["A", "1.2.3.256"],
    ["A", "1.2.3.4 5"],
    ["AAAA", "::1]/x["],
    ["AAAA", "1::2::3"],
    ["MX", "65536 a."],
    ["MX", "10"],
    ["TXT", ""],
    ["TXT", '"open'],
    ["TXT", "x".repeat(256)],
    ["CAA", "0 a-b x"],
    ["TYPE65", "\\# 2 00"],
  ] as const
) {
  Deno.test(`encodeMessage refuses ${type} data when it is ${data.slice(0, 20)}`, () => {
    assertThrows(() => encodeMessage(replyOf(record("a.", type, data))), DnsFormatError);
  });
}

Deno.test(`decodeMessage reads or refuses whatever comes (seed ${SEED})`, () => {
  const next = chance(SEED);
  const samples = SAMPLES.map((sample) => encodeMessage(sample));
  let read = 0;
  for (let input = 0; input < INPUTS; input++) {
    const bytes = input % 4 === 0
      ? Uint8Array.from({ length: next(64) }, () => next(4) ? next(256) : 0xc0)
      : samples[next(samples.length)]!.slice();
    for (let changes = next(4); changes-- > 0;) {
      if (bytes.length > 0) bytes[next(bytes.length)] = next(3) ? next(256) : 0xc0;
    }
    let message: Message;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      assert(error instanceof DnsFormatError, `seed ${SEED}, input ${input}: ${error}`);
      continue;
    }
    read++;
    const again = decodeMessage(encodeMessage(message));
    assertEquals(again, message, `seed ${SEED}, input ${input}`);
  }
  assert(read > INPUTS / 10, `seed ${SEED}: only ${read} were read`);
});
