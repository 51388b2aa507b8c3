import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import {
  ClaimError,
  LARGEST_TEXT,
  mostFrequent,
  mostFrequentIn,
  parseClaim,
  TextError,
  wordsOf,
} from "../../lib/words.ts";

const WORDS: [what: string, text: string, words: string[]][] = [
  ["lower case when letters are capital", "Tea TEA tEa", ["tea", "tea", "tea"]],
  ["none when the text is punctuation", "... -- ''!?\n—", []],
  ["one word when an apostrophe is inside", "don't don’t", ["don't", "don't"]],
  ["bare words when quotes are around", "'tea' ‘tea’ \"tea\"", ["tea", "tea", "tea"]],
  ["one word when a hyphen is inside", "well-known", ["well-known"]],
  ["two words when a dash is between", "tea--milk tea—milk", ["tea", "milk", "tea", "milk"]],
  ["a word without its hyphen when a line ends in it", "well-\nknown", ["well", "known"]],
  ["numbers as words", "5 cups of 5", ["5", "cups", "of", "5"]],
  ["parts when an underscore or a dot is between", "a_b 1.5", ["a", "b", "1", "5"]],
  ["words of any script", "Чай 茶 चाय", ["чай", "茶", "चाय"]],
  ["one word when accents are written apart", "e\u0301te\u0301 \u00e9t\u00e9", ["été", "été"]],
  ["no word when only an emoji's sign is invisible", "I ❤\ufe0f you ❤\ufe0f", ["i", "you"]],
  ["the digit when it is on a key", "1\ufe0f\u20e3 1 1\u20e3", ["1", "1", "1"]],
  ["no word when an emoji is joined of two", "👩\u200d💻 🏴\u{e0067}\u{e007f}", []],
  ["no word when a mark or an invisible letter stands alone", "\u0301 \u3164 \u115f", []],
  ["one word when a soft hyphen is inside", "co\u00adoperate Cooperate", [
    "cooperate",
    "cooperate",
  ]],
  ["one word when a hyphen does not break", "well\u2011known well-known", [
    "well-known",
    "well-known",
  ]],
  ["one word when letters are kept from joining", "می\u200cخواهم", ["میخواهم"]],
  ["one word when a direction is marked", "a\u200eb\u2060c\ufeffd", ["abcd"]],
  ["two words when a space of no width is between", "a\u200bb", ["a", "b"]],
  ["one letter when its accent is behind a joiner", "e\u200d\u0301", ["é"]],
  ["lower case of more than one letter", "İ", ["i̇"]],
];
for (const [what, text, words] of WORDS) {
  Deno.test(`wordsOf gives ${what}`, () => assertEquals(wordsOf(text), words));
}

Deno.test("wordsOf changes nothing when its words are put together again", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    const words = wordsOf(text);
    assertEquals(wordsOf(words.join(" ")), words);
  }));
});

Deno.test("mostFrequent agrees with a count by sorting for any words", () => {
  const word = fc.constantFrom("a", "b", "tea", "don't", "toString", "__proto__", "constructor");
  fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 50 }), (words) => {
    const found = mostFrequent(words.join(" "));
    const all = wordsOf(words.join(" "));
    const count = (one: string) => all.filter((other) => other === one).length;
    const times = Math.max(...all.map(count));
    const best = [...new Set(all)].filter((one) => count(one) === times).sort();
    assertEquals(found, { words: best, times, total: all.length });
  }));
});

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("mostFrequentIn leaves a byte order mark out", () => {
  assertEquals(mostFrequentIn(encode("\ufefftea")).words, ["tea"]);
});

const TEXTS: [what: string, bytes: Uint8Array, message: string][] = [
  ["is empty", new Uint8Array(), "is empty"],
  ["has spaces only", encode(" \n "), "has no words"],
  ["is Latin-1", Uint8Array.of(0x63, 0x61, 0x66, 0xe9), "is not UTF-8 text"],
  ["is cut off in a character", encode("é").slice(0, 1), "is not UTF-8 text"],
  ["is too large", new Uint8Array(LARGEST_TEXT + 1).fill(0x61), "has more than 1048576 bytes"],
];
for (const [what, bytes, message] of TEXTS) {
  Deno.test(`mostFrequentIn says why when a file ${what}`, () => {
    assertThrows(() => mostFrequentIn(bytes), TextError, message);
  });
}

Deno.test("mostFrequentIn counts the largest file", () => {
  assertEquals(mostFrequentIn(new Uint8Array(LARGEST_TEXT).fill(0x61)).total, 1);
});

const CLAIMS: [line: string, file: string, word: string][] = [
  ["ada:tea.txt:the", "tea.txt", "the"],
  [" ada : tea.txt : The ", "tea.txt", "the"],
  ['ada:tea.txt:"the"!', "tea.txt", "the"],
  ["ada:/home/ada/tea.txt:the", "tea.txt", "the"],
  ["ada:../../etc/passwd:root", "passwd", "root"],
  ["ada:C:\\texts\\tea.txt:the", "tea.txt", "the"],
  ["ada:tea:1.txt:don’t", "tea:1.txt", "don't"],
];
for (const [line, file, word] of CLAIMS) {
  Deno.test(`parseClaim takes ${line} apart`, () => {
    assertEquals(parseClaim(line), { user: "ada", file, word });
  });
}

Deno.test("parseClaim takes a name as long as file systems do", () => {
  for (const file of ["x".repeat(255), "漢".repeat(85)]) {
    assertEquals(parseClaim(`ada:${file}:the`).file, file);
  }
});

const WRONG: [line: string, message: string][] = [
  ["", "two colons"],
  ["ada", "two colons"],
  ["ada:tea.txt", "two colons"],
  [":tea.txt:the", "the user"],
  ["ada::the", "the file's name"],
  ["ada:texts/:the", "the file's name"],
  ["ada:..:the", "no file's name"],
  ["ada:../.ssh:the", "no file's name"],
  [`ada:${"x".repeat(256)}:the`, "no file's name"],
  [`ada:${"漢".repeat(86)}:the`, "no file's name"],
  ["ada:tea.txt:❤\ufe0f", "one word"],
  ["ada:tea.txt:\u00ad", "one word"],
  ["ada:tea.txt:", "the word"],
  ["ada:tea.txt:...", "one word"],
  ["ada:tea.txt:the and", "one word"],
  ["ada:tea\x00.txt:the", "control characters"],
  ["ada:tea.txt:\x1b[2J", "control characters"],
  ["ada:tea.txt:caf\ufffd", "control characters"],
];
for (const [line, message] of WRONG) {
  Deno.test(`parseClaim says what is wrong with ${JSON.stringify(line.slice(0, 30))}`, () => {
    assertThrows(() => parseClaim(line), ClaimError, message);
  });
}

Deno.test("parseClaim gives a plain name or a ClaimError for any text", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."a:/\\.\0é ") }), (line) => {
    try {
      assertEquals(/^[^./\\\0][^/\\\0]*$/.test(parseClaim(line).file), true);
    } catch (error) {
      if (!(error instanceof ClaimError)) throw error;
    }
  }));
});
