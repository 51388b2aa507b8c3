import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Allowance } from "../../lib/allowance.ts";
import { explain } from "../../lib/errors.ts";
import { fromTimestamp, millisecondsBetween, toTimestamp } from "../../lib/ntp_timestamp.ts";
import { Mode, packSntp, parseSntp, SntpFormatError, type SntpMessage } from "../../lib/sntp.ts";
import {
  checkReply,
  faultOf,
  KissError,
  referenceName,
  UnsynchronisedError,
} from "../../lib/sntp_reply.ts";
import { sampleFrom } from "../../scripts/time/sntp_client.ts";
import { answerTo, questionIn } from "../../scripts/time/sntp_server.ts";
import { chance, encode } from "./helpers.ts";

const NOW = Date.UTC(2026, 10, 25, 9);
const GENERATED = 100_000;

/** An answer of a server of stratum 2, as it stands in a capture of one. */
const CAPTURED = Uint8Array.fromHex(
  "240206e8" + "0000018f" + "00000b2c" + "c0a80001" +
    "ecd0e7a0" + "1d2c3b4a" + // reference
    "0123456789abcdef" + // originate
    "ecd0e7f1" + "80000000" + // receive
    "ecd0e7f1" + "80010000", // transmit
);

const GOOD: Partial<SntpMessage> = {
  version: 4,
  mode: Mode.server,
  stratum: 2,
  originate: 42n,
  receive: toTimestamp(NOW),
  transmit: toTimestamp(NOW),
};
const message = (changes: Partial<SntpMessage> = {}) =>
  parseSntp(packSntp({ ...GOOD, ...changes }));

Deno.test("parseSntp reads each field from its place", () => {
  const read = parseSntp(CAPTURED);
  assertEquals(read, {
    leap: 0,
    version: 4,
    mode: 4,
    stratum: 2,
    poll: 6,
    precision: -24,
    rootDelay: 0x18f * 1000 / 65_536,
    rootDispersion: 0xb2c * 1000 / 65_536,
    referenceId: Uint8Array.of(192, 168, 0, 1),
    reference: 0xecd0e7a01d2c3b4an,
    originate: 0x0123456789abcdefn,
    receive: 0xecd0e7f180000000n,
    transmit: 0xecd0e7f180010000n,
  });
  assertEquals(referenceName(read), "192.168.0.1");
  assertEquals(millisecondsBetween(read.receive, read.transmit), 1000 / 65_536);
});

Deno.test("packSntp writes what parseSntp has read, to the bit", () => {
  assertEquals(packSntp(parseSntp(CAPTURED)), CAPTURED);
  const next = chance(4330);
  for (let count = 0; count < GENERATED; count++) {
    const bytes = Uint8Array.from({ length: 48 }, () => next(256));
    // -2^31 has no positive counterpart, and 2^31 and more of dispersion nobody has
    bytes[4]! &= 0x7f;
    bytes[8]! &= 0x7f;
    const parsed = parseSntp(bytes);
    assertEquals(packSntp(parsed).join(), bytes.join());
    assert(Number.isFinite(parsed.rootDelay + parsed.rootDispersion));
  }
});

Deno.test("parseSntp refuses every cut, and passes over what follows", () => {
  for (let length = 0; length < 48; length++) {
    assertThrows(() => parseSntp(CAPTURED.subarray(0, length)), SntpFormatError, `${length} bytes`);
  }
  const longer = new Uint8Array([...CAPTURED, ...Array(20).fill(255)]);
  assertEquals(parseSntp(longer), parseSntp(CAPTURED));
  // a view into a larger buffer has an offset
  assertEquals(parseSntp(longer.slice(0).subarray(0, 48)), parseSntp(CAPTURED));
  assertEquals(parseSntp(new Uint8Array([9, ...CAPTURED]).subarray(1)), parseSntp(CAPTURED));
});

Deno.test("packSntp refuses numbers that have no room", () => {
  const cases: Partial<SntpMessage>[] = [
    { leap: 4 },
    { version: 8 },
    { mode: -1 },
    { stratum: 256 },
    { poll: 128 },
    { precision: 0.5 },
    { rootDelay: 40_000_000 },
    { rootDelay: NaN },
    { transmit: -1n },
    { receive: 1n << 64n },
    { referenceId: Uint8Array.of(1, 2, 3) },
  ];
  for (const fields of cases) assertThrows(() => packSntp(fields), RangeError);
});

Deno.test("timestamps go through the eras, there and back", () => {
  const next = chance(2036);
  for (let count = 0; count < 10_000; count++) {
    const time = Date.UTC(1900) + next(2 ** 32) * 2_000;
    const near = time + (next(2_000) - 1_000) * 86_400_000 * 20;
    const back = fromTimestamp(toTimestamp(time), near);
    assert(Math.abs(back - time) < 0.01, `${new Date(time).toISOString()} as ${back}`);
  }
  // the last moment of era 0
  const last = Date.UTC(2036, 1, 7, 6, 28, 15, 999);
  assertEquals(toTimestamp(last) >> 32n, 0xffffffffn);
  assert(Math.abs(millisecondsBetween(toTimestamp(last), toTimestamp(last + 1)) - 1) < 1e-6);
  assertThrows(() => toTimestamp(NaN), RangeError);
  assertThrows(() => toTimestamp(Infinity), RangeError);
});

Deno.test("faultOf tells an answer to the question from all others", () => {
  assertEquals(faultOf(message(), 42n), undefined);
  assertEquals(faultOf(message(), 43n), "it answers another question");
  for (const mode of [0, 1, 2, 3, 5, 6, 7]) {
    assertEquals(faultOf(message({ mode }), 42n), `its mode is ${mode}, not 4`);
  }
  for (const version of [0, 5, 6, 7]) {
    assertEquals(faultOf(message({ version }), 42n), `its version is ${version}`);
  }
});

Deno.test("checkReply believes a server that is set, and no other", () => {
  checkReply(message(), "a");
  for (const leap of [1, 2]) checkReply(message({ leap }), "a");
  checkReply(message({ transmit: 7n, reference: 7n }), "a");
  checkReply(message({ transmit: 7n, reference: 0xffffffffn << 32n }), "a"); // in the last era
  const cases: Partial<SntpMessage>[] = [
    { leap: 3 },
    { stratum: 0 },
    { stratum: 0, leap: 3 },
    { stratum: 16 },
    { stratum: 255 },
    { transmit: 0n },
    { receive: 0n },
    { rootDispersion: 16_001 },
    { rootDelay: 33_000 },
    { rootDelay: -5_000 },
    { rootDelay: -1 },
    { transmit: 7n << 32n, reference: (7n << 32n) + 1n },
    { transmit: 0xffffffffn << 32n, reference: 1n }, // in the next era
  ];
  for (const changes of cases) {
    assertThrows(() => checkReply(message(changes), "a"), UnsynchronisedError, "a does not know");
  }
});

Deno.test("checkReply tells a kiss-o'-death by its code, escaped", () => {
  const kiss = (code: string) => {
    const referenceId = encode(code.padEnd(4, "\0"));
    const error = assertThrows(
      () => checkReply(message({ stratum: 0, leap: 3, referenceId }), "a"),
      KissError,
    );
    return { code: error.code, ...explain(error) };
  };
  assertEquals(
    kiss("RATE").reason,
    "a answers RATE: it is asked too often: wait longer between questions",
  );
  assertEquals(kiss("DENY").next, "Do not ask it again: ask another server.");
  assertEquals(kiss("INIT").next, "Ask again later, or ask another server.");
  assertEquals(kiss("X\x1b[").code, "X\\x1b[");
});

Deno.test("referenceName writes a name or an address, as the stratum tells", () => {
  const name = (stratum: number, text: string) =>
    referenceName(message({ stratum, referenceId: encode(text) }));
  assertEquals(name(1, "GPS\0"), "GPS");
  assertEquals(name(1, "\0\0\0\0"), "");
  assertEquals(name(2, "GPS\0"), "71.80.83.0");
  assertEquals(name(10, "LOCL"), "LOCL");
});

Deno.test("what a client makes of 100,000 generated answers is a sample or a reason", () => {
  const next = chance(5905);
  const sent = Date.UTC(2036, 1, 7, 6, 28, 15, 900); // and its answer comes in the next era
  const near = toTimestamp(sent);
  const ends = {
    sample: 0,
    fault: 0,
    KissError: 0,
    UnsynchronisedError: 0,
    ImpossibleTimesError: 0,
  };
  for (let count = 0; count < GENERATED; count++) {
    const bytes = Uint8Array.from({ length: 48 }, () => next(256));
    // half of them answer the question, in time or nearly so, from a good stratum
    if (count % 2) {
      bytes[0] = bytes[0]! & 0xc0 | 0x24;
      bytes[1] = next(20);
      bytes.fill(0, 4, 12);
      const view = new DataView(bytes.buffer);
      view.setBigUint64(24, 42n);
      view.setBigUint64(32, BigInt.asUintN(64, near + BigInt(next(2 ** 31))));
      view.setBigUint64(40, BigInt.asUintN(64, near + BigInt(next(2 ** 31))));
    }
    const answer = parseSntp(bytes);
    if (faultOf(answer, 42n) !== undefined) {
      ends.fault++;
      continue;
    }
    try {
      checkReply(answer, "a");
      const arrived = sent + next(1_000);
      const { offset, delay } = sampleFrom({ answer, sent, arrived });
      // the server's times are within half a second from then on
      assert(Math.abs(offset) <= 1_000 && delay >= 0 && delay <= 1_500, `${offset} ${delay}`);
      ends.sample++;
    } catch (error) {
      const { name } = error as Error;
      if (!(name in ends)) throw error;
      ends[name as keyof typeof ends]++;
    }
  }
  // every kind of end comes
  for (const [end, count] of Object.entries(ends)) assert(count > 100, `${end}: ${count}`);
});

Deno.test("sntp_server answers questions only, and in as many bytes", () => {
  const next = chance(123);
  let answered = 0;
  for (let count = 0; count < GENERATED; count++) {
    const bytes = Uint8Array.from({ length: next(4) ? 48 : next(100) }, () => next(256));
    const question = questionIn(bytes, 50_000);
    if (!question) continue;
    answered++;
    const asked = `version ${question.version} mode ${question.mode}`;
    assertMatch(asked, /^version ([1-4] mode [13]|1 mode 0)$/);
    assert(bytes.length >= 48);
    const bytesBack = answerTo(question, 7n, { now: () => 9n, kiss: false });
    assertEquals(bytesBack.length, 48);
    const answer = parseSntp(bytesBack);
    assertEquals(
      [answer.originate, answer.receive, answer.transmit, answer.version, answer.poll],
      [question.transmit, 7n, 9n, question.version, question.poll],
    );
    // what it says is no question: two servers do not talk to each other
    assertEquals(answer.mode, question.mode === 1 ? 2 : 4);
    assertEquals(questionIn(bytesBack, 123), undefined);
    assertEquals(questionIn(bytesBack, 50_000), undefined);
  }
  assert(answered > GENERATED / 50, `${answered} of them were questions`);
  for (let length = 0; length < 48; length++) {
    assertEquals(questionIn(new Uint8Array(length).fill(0x23), 1), undefined);
  }
});

Deno.test("sntp_server takes version 1 without a mode for a question, but not from a server's port", () => {
  const bytes = packSntp({ version: 1, mode: 0 });
  assertEquals([questionIn(bytes, 123), questionIn(bytes, 124)?.version], [undefined, 1]);
  assertEquals(questionIn(packSntp({ version: 2, mode: 0 }), 124), undefined);
  assertEquals(questionIn(packSntp({ version: 3, mode: 1 }), 123)?.mode, 1);
});

Deno.test("sntp_server's kiss-o'-death is believed by nobody as a time", () => {
  const question = parseSntp(packSntp({ version: 3, mode: Mode.client, transmit: 42n }));
  const answer = parseSntp(answerTo(question, 7n, { now: () => 9n, kiss: true }));
  assertEquals(faultOf(answer, 42n), undefined);
  const error = assertThrows(() => checkReply(answer, "a"), KissError);
  assertEquals([error.code, answer.version, answer.leap], ["RATE", 3, 3]);
});

Deno.test("Allowance refuses once, ignores then, and answers again after a wait", () => {
  const allowance = new Allowance({ perSecond: 2, burst: 3 });
  const take = (now: number) => allowance.take("a", now);
  assertEquals([0, 0, 0, 0, 0, 0].map(take), [
    "answer",
    "answer",
    "answer",
    "refuse",
    "ignore",
    "ignore",
  ]);
  assertEquals([499, 500, 501, 502].map(take), ["ignore", "answer", "refuse", "ignore"]);
  assertEquals(allowance.take("b", 502), "answer");
  // a bucket never holds more than the burst
  assertEquals([1e9, 1e9, 1e9, 1e9].map(take), ["answer", "answer", "answer", "refuse"]);
});

Deno.test("Allowance remembers a bounded number of clients, the last ones", () => {
  const allowance = new Allowance({ perSecond: 1, burst: 1, most: 100 });
  for (let client = 0; client < GENERATED; client++) allowance.take(`client ${client}`, 0);
  assertEquals(allowance.clients, 100);
  assertEquals(allowance.take(`client ${GENERATED - 1}`, 0), "refuse");
  assertEquals(allowance.take("client 0", 0), "answer");
});
