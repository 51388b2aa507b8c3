import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import {
  command,
  COMMANDS,
  escaped,
  LimitError,
  negotiation,
  subnegotiation,
  type TelnetEvent,
  TelnetParser,
  TelnetText,
} from "../../lib/telnet.ts";
import { concat, encode, everyCut, everyPairOfCuts } from "./helpers.ts";

const { IAC, SB, SE, DM, WILL, DO, DONT, NOP, AYT } = COMMANDS;

/** The events of a cut stream; data that was only cut is put together again. */
function read(parts: Uint8Array[], options = {}): TelnetEvent[] {
  const parser = new TelnetParser(options);
  const events: TelnetEvent[] = [];
  for (const event of parts.flatMap((part) => parser.push(part))) {
    const last = events.at(-1);
    if (event.type === "data" && last?.type === "data") {
      last.bytes = concat(last.bytes, event.bytes);
    } else events.push({ ...event });
  }
  return events;
}

function data(...bytes: number[]): TelnetEvent {
  return { type: "data", bytes: new Uint8Array(bytes) };
}

const samples: Record<string, [stream: number[], events: TelnetEvent[]]> = {
  "plain text": [[0x68, 0x69, 13, 10], [data(0x68, 0x69, 13, 10)]],
  "a doubled IAC": [[1, IAC, IAC, 2], [data(1, 255, 2)]],
  "two doubled IACs": [[IAC, IAC, IAC, IAC], [data(255, 255)]],
  "CR NUL, which is CR": [[0x61, 13, 0, 0x62], [data(0x61, 13, 0x62)]],
  "CR NUL NUL, of which one NUL is data": [[13, 0, 0], [data(13, 0)]],
  "a NUL without CR": [[0x61, 0, 0x62], [data(0x61, 0, 0x62)]],
  "CR CR NUL": [[13, 13, 0, 10], [data(13, 13, 10)]],
  "a NUL behind CR and IAC IAC": [[13, IAC, IAC, 0], [data(13, 255, 0)]],
  "a command between CR and NUL": [
    [13, IAC, NOP, 0, 0x61],
    [data(13), { type: "command", code: NOP }, data(0x61)],
  ],
  "all four verbs": [
    [IAC, WILL, 1, IAC, 252, 3, IAC, DO, 24, IAC, DONT, 255],
    [
      { type: "negotiation", verb: "WILL", option: 1 },
      { type: "negotiation", verb: "WONT", option: 3 },
      { type: "negotiation", verb: "DO", option: 24 },
      { type: "negotiation", verb: "DONT", option: 255 },
    ],
  ],
  "a subnegotiation with IAC in it": [
    [1, IAC, SB, 31, 0, IAC, IAC, 0, 24, IAC, SE, 2],
    [
      data(1),
      { type: "subnegotiation", option: 31, bytes: Uint8Array.of(0, 255, 0, 24) },
      data(2),
    ],
  ],
  "an empty subnegotiation": [
    [IAC, SB, 24, IAC, SE],
    [{ type: "subnegotiation", option: 24, bytes: new Uint8Array() }],
  ],
  "a subnegotiation without its end, and a command": [
    [IAC, SB, 24, 1, IAC, AYT, 0x61],
    [{ type: "command", code: AYT }, data(0x61)],
  ],
  "a subnegotiation that another one cuts off": [
    [IAC, SB, 24, 1, IAC, SB, 31, 0, IAC, SE],
    [{ type: "subnegotiation", option: 31, bytes: Uint8Array.of(0) }],
  ],
  "an SE of nothing, and an IAC whose command was taken out of the stream": [
    [IAC, SE, IAC, 7],
    [{ type: "command", code: SE }, data(7)],
  ],
  "an IAC at the end": [[0x61, IAC], [data(0x61)]],
};

for (const [name, [stream, events]] of Object.entries(samples)) {
  Deno.test(`TelnetParser reads ${name}, cut anywhere`, () => {
    const bytes = new Uint8Array(stream);
    for (const parts of everyCut(bytes)) assertEquals(read(parts), events);
    for (const parts of everyPairOfCuts(bytes)) assertEquals(read(parts), events);
  });
}

Deno.test("TelnetParser leaves CR NUL as it is when bytes are wanted", () => {
  for (const parts of everyCut(Uint8Array.of(13, 0, 10, IAC, IAC, 13, 0))) {
    assertEquals(read(parts, { bytes: true }), [data(13, 0, 10, 255, 13, 0)]);
  }
});

Deno.test("TelnetParser takes a subnegotiation up to its limit and no byte more, cut anywhere", () => {
  const body = (count: number) => subnegotiation(24, new Uint8Array(count).fill(255));
  for (const parts of everyCut(body(8))) assertEquals(read(parts, { limit: 8 }).length, 1);
  for (const parts of everyCut(body(9))) {
    assertThrows(
      () => read(parts, { limit: 8 }),
      LimitError,
      "a telnet subnegotiation is longer than the limit of 8 bytes",
    );
  }
});

Deno.test("TelnetParser keeps no more than the limit of a subnegotiation without end", () => {
  const parser = new TelnetParser();
  parser.push(Uint8Array.of(IAC, SB, 24));
  parser.push(new Uint8Array(1024));
  assertThrows(() => parser.push(Uint8Array.of(0)), LimitError, "1024 bytes");
});

const byteArray = fc.uint8Array({ maxLength: 60 });
// IAC, the commands, CR, LF and NUL more often than by chance
const likely = fc.array(
  fc.oneof(fc.constantFrom(255, 250, 240, 251, 252, 253, 254, 13, 10, 0), fc.nat(255)),
  { maxLength: 60 },
).map((bytes) => new Uint8Array(bytes));
const cuts = fc.array(fc.nat(60), { maxLength: 6 });

function cutAt(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const sorted = [0, ...places.toSorted((one, other) => one - other), bytes.length];
  return sorted.slice(1).map((place, index) => bytes.slice(sorted[index], place));
}

Deno.test("TelnetParser reads any bytes the same, however they are cut", () => {
  fc.assert(fc.property(likely, cuts, (bytes, places) => {
    assertEquals(read(cutAt(bytes, places)), read([bytes]));
  }));
});

Deno.test("TelnetParser takes a DM without its IAC for a command at the begin of a piece when it is expected", () => {
  const mark: TelnetEvent = { type: "command", code: DM };
  const parser = new TelnetParser();
  assertEquals(parser.push(Uint8Array.of(DM, 1)), [data(DM, 1)]);
  parser.markExpected = true;
  assertEquals(parser.push(Uint8Array.of(1, DM)), [data(1, DM)]);
  assertEquals(parser.push(Uint8Array.of(DM, 2)), [mark, data(2)]);
  // one for each interrupt
  assertEquals(parser.push(Uint8Array.of(DM)), [data(DM)]);
  parser.markExpected = true;
  assertEquals(parser.push(Uint8Array.of(IAC)), []);
  assertEquals(parser.push(Uint8Array.of(DM)), [mark]);
  assertEquals(parser.push(Uint8Array.of(DM)), [data(DM)]);
});

Deno.test("TelnetParser gives back any bytes that were escaped, between any commands", () => {
  const words = fc.constantFrom(
    command(NOP),
    negotiation("WILL", 1),
    subnegotiation(31, Uint8Array.of(255, 240)),
  );
  fc.assert(fc.property(fc.array(fc.tuple(byteArray, words)), cuts, (pieces, places) => {
    const stream = concat(...pieces.flatMap(([bytes, word]) => [escaped(bytes), word]));
    const events = read(cutAt(stream, places), { bytes: true });
    const got = events.filter((event) => event.type === "data").map(({ bytes }) => bytes);
    assertEquals(concat(...got), concat(...pieces.map(([bytes]) => bytes)));
    assertEquals(events.filter((event) => event.type !== "data").length, pieces.length);
  }));
});

Deno.test("TelnetText ends lines with CR LF, however they ended, cut anywhere", () => {
  const given = encode("a\nb\r\nc\rd\n\n\r\r\n\xff".slice(0, -1));
  for (
    const [crNul, wanted] of [[false, "a\r\nb\r\nc\rd\r\n\r\n\r\r\n"], [
      true,
      "a\r\nb\r\nc\r\0d\r\n\r\n\r\0\r\n",
    ]] as const
  ) {
    for (const parts of [...everyCut(given), ...everyPairOfCuts(given)]) {
      const text = new TelnetText();
      text.crNul = crNul;
      assertEquals(concat(...parts.map((part) => text.encode(part)), text.end()), encode(wanted));
    }
  }
});

Deno.test("TelnetText owes a last CR its NUL, once, and only to who speaks telnet", () => {
  const text = new TelnetText();
  text.encode(encode("a\r"));
  assertEquals(text.end().length, 0);
  text.crNul = true;
  text.encode(encode("a\r"));
  assertEquals([...text.end()], [0]);
  assertEquals([...text.end()], []);
});

Deno.test("TelnetParser reads what TelnetText wrote, line ends as CR LF", () => {
  fc.assert(fc.property(likely, cuts, (bytes, places) => {
    const text = new TelnetText();
    text.crNul = true;
    const sent = concat(...cutAt(bytes, places).map((part) => text.encode(part)), text.end());
    const wanted: number[] = [];
    bytes.forEach((byte, at) =>
      wanted.push(...(byte === 10 && bytes[at - 1] !== 13 ? [13, 10] : [byte]))
    );
    assertEquals(read([sent]), wanted.length > 0 ? [data(...wanted)] : []);
  }));
});
