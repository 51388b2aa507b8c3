import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import {
  DotReader,
  DotStuffer,
  joined,
  LineEnds,
  type LineFaults,
  stuffed,
  withLineEnds,
} from "../../lib/mail_lines.ts";
import { decode, encode, everyCut } from "./helpers.ts";

/** What a reader makes of pieces: the text, and what came behind its end. */
function unstuffed(
  pieces: Uint8Array[],
): { text: string; rest: string; faults: LineFaults } | null {
  const reader = new DotReader();
  const text: Uint8Array[] = [];
  for (let at = 0; at < pieces.length; at++) {
    const result = reader.push(pieces[at]!);
    text.push(result.text);
    if (!result.ended) {
      assertEquals(result.used, pieces[at]!.length);
      continue;
    }
    const rest = joined([pieces[at]!.subarray(result.used), ...pieces.slice(at + 1)]);
    return { text: decode(joined(text)), rest: decode(rest), faults: { ...reader.faults } };
  }
  return null;
}

/** Texts of what matters here: dots and line ends above all. */
const texts = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(13, 10, 46) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
  ),
  { maxLength: 40 },
).map((bytes) => new Uint8Array(bytes));

Deno.test("LineEnds gives CR LF for every kind of line end, cut anywhere", () => {
  for (const pieces of everyCut(encode("a\nb\r\n\r\rc\n\r\n"))) {
    const ends = new LineEnds();
    const all = joined([...pieces.map((piece) => ends.push(piece)), ends.end()]);
    assertEquals(decode(all), "a\r\nb\r\n\r\n\r\nc\r\n\r\n");
  }
});

Deno.test("withLineEnds leaves no bare CR or LF, and is not changed by itself", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const lines = withLineEnds(text);
      assert(!/\r(?!\n)|(?<!\r)\n/.test(decode(lines)));
      assertEquals(withLineEnds(lines), lines);
      // nothing but line ends is changed
      const rest = (bytes: Uint8Array) => bytes.filter((byte) => byte !== 13 && byte !== 10);
      assertEquals(rest(lines), rest(text));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("withLineEnds gives nothing for nothing, and ends the last line", () => {
  assertEquals(decode(withLineEnds(encode(""))), "");
  assertEquals(decode(withLineEnds(encode("last"))), "last\r\n");
  assertEquals(decode(withLineEnds(encode("last\r"))), "last\r\n");
});

Deno.test("DotReader gives what DotStuffer took, cut anywhere, when lines end in CR LF", () => {
  fc.assert(
    fc.property(texts, fc.nat(), (bytes, place) => {
      const text = withLineEnds(bytes);
      const stuffer = new DotStuffer();
      const cut = place % (text.length + 1);
      const wire = joined([
        stuffer.push(text.subarray(0, cut)),
        stuffer.push(text.subarray(cut)),
        stuffer.end(),
      ]);
      assertEquals(wire, stuffed(text));
      const after = joined([wire, encode("QUIT\r\n")]);
      const half = place % after.length;
      const read = unstuffed([after.subarray(0, half), after.subarray(half)])!;
      assertEquals([read.text, read.rest], [decode(text), "QUIT\r\n"]);
      assertEquals([read.faults.bareCr, read.faults.bareLf], [0, 0]);
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("DotReader finds only CR LF . CR LF the end, whatever bare CR and LF stand there", () => {
  fc.assert(
    fc.property(texts, (bytes) => {
      const latin = (all: Uint8Array) => String.fromCharCode(...all);
      const wire = `\r\n${latin(bytes)}`;
      const end = wire.indexOf("\r\n.\r\n");
      const read = unstuffed([bytes]);
      if (end < 0) return assertEquals(read, null);
      const whole = latin(bytes).slice(0, end).replace(/(^|\r\n)\./g, "$1");
      assertEquals(read!.text, decode(Uint8Array.from(whole, (each) => each.charCodeAt(0))));
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("DotReader is not ended by what other receivers took for the end (smuggling)", () => {
  const ends = [
    "\n.\n",
    "\n.\r\n",
    "\r\n.\n",
    "\r.\r\n",
    "\r\n.\r",
    "\r.\r",
    "\r\n.\0\r\n",
    "\r\n.\r\r\n",
  ];
  for (const end of ends) {
    const smuggled = encode(`one${end}MAIL FROM:<a@example.org>\r\n.\r\nQUIT\r\n`);
    for (const pieces of everyCut(smuggled)) {
      const read = unstuffed(pieces)!;
      assertEquals(read.rest, "QUIT\r\n");
      assert(read.text.includes("MAIL FROM"), end);
    }
  }
});

Deno.test("DotReader counts bare CR and LF, NULs, and the longest line", () => {
  const { faults } = unstuffed([encode("a\nb\rc\r\n..12\0\0\r\n\r\r\n.\r\n")])!;
  assertEquals(faults, { bareCr: 2, bareLf: 1, nul: 2, longest: 7 });
});

Deno.test("DotReader tells the length of a line that has no end", () => {
  const reader = new DotReader();
  for (let piece = 0; piece < 10; piece++) reader.push(new Uint8Array(1_000).fill(120));
  assertEquals(reader.faults.longest, 10_000);
});
