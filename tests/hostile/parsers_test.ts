import { assert, assertEquals } from "@std/assert";
import { formatEndpoint, parseEndpoint } from "../../lib/address.ts";
import { help, readCommandLine, usage } from "../../lib/cli.ts";
import { hexdump, quoted, visible } from "../../lib/display.ts";
import { parseHeader } from "../../lib/header.ts";
import { parseRun } from "../../lib/run_line.ts";
import { UsageError } from "../../lib/usage.ts";
import { chance } from "../lib/helpers.ts";

const SEED = 271_828;
const INPUTS = 100_000;
/** A hang, or time that grows with the square of the length, takes minutes for such an input. */
const LONG = 100_000;
const LONG_ENOUGH = 30_000;

/** The first character that a terminal might obey. */
function unsafe(shown: string): string | undefined {
  return /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.exec(shown)?.[0];
}

interface Subject {
  name: string;
  /** What inputs are made of, besides any character. */
  fragments: string[];
  /** Takes one input, and throws when what comes of it is not as it should be. */
  take(text: string): void;
  /** The errors that a caller is told to expect. */
  errors: (new (...rest: never[]) => Error)[];
}

const HEADER = ["/**\n", "\n", " * ", "*/", "@", "@run ", "@option ", "@argument ", "--port PORT "];
const OPTIONS = [
  "--x",
  "--x-y ",
  "[NAME]",
  "NAME...",
  "[NAME...]",
  "COUNT",
  "PORT",
  " (default: 7)",
];

const subjects: Subject[] = [
  {
    name: "parseEndpoint",
    fragments: [
      "unix:",
      "[",
      "]",
      "::1",
      "fe80::1%eth0",
      ":",
      "80",
      "65536",
      "127.0.0.1",
      "a.b",
      "/",
    ],
    take(text) {
      const endpoint = parseEndpoint(text);
      assertEquals(parseEndpoint(formatEndpoint(endpoint)), endpoint);
    },
    errors: [SyntaxError],
  },
  {
    name: "parseRun",
    fragments: [
      "deno run ",
      "--allow-net=",
      "-A",
      "a.ts ",
      '"',
      "'",
      "\\",
      "X=",
      "$",
      "`",
      "scripts/",
    ],
    take(text) {
      const { line, script, words } = parseRun(text);
      assertEquals(line, text);
      assert(script.endsWith(".ts"));
      assert(words.join("").length <= text.length);
    },
    errors: [SyntaxError],
  },
  {
    name: "parseRun of a whole line",
    fragments: ["x ", '"', "'", "\\", "\\\\", " ", "=", "a.ts "],
    take: (text) => void parseRun(`A=b deno run --allow-net=x ${text} scripts/a.ts ${text}`),
    errors: [SyntaxError],
  },
  {
    name: "parseHeader",
    fragments: ["#!", "\r\n", "\\\n", "*", ...HEADER],
    take(text) {
      const { tags, title } = parseHeader(text);
      const lines = text.split("\n").length;
      assert(tags.every(({ line }) => line >= 1 && line <= lines));
      assert(text.includes(title));
    },
    errors: [],
  },
  {
    name: "usage and help of a header",
    fragments: [...HEADER, ...OPTIONS],
    take(text) {
      const header = parseHeader(`/**\n * Title\n * ${text}\n */`);
      assert(help(header).includes(usage(header)));
    },
    errors: [SyntaxError],
  },
  {
    name: "a command line",
    fragments: [
      " --port ",
      "--port=",
      "80",
      " --json ",
      " -- ",
      " -",
      " --names ",
      "=",
      "65536",
      " ",
    ],
    take(text) {
      const header = parseHeader(
        "/**\n * T\n * @argument FIRST\n * @argument [REST...]\n * @option --port PORT a (default: 1)\n" +
          " * @option --json b\n * @option --names NAME... c\n */",
      );
      const result = readCommandLine(text.split(" "), header);
      assertEquals(typeof result.first, "string");
      assertEquals(typeof result.port, "number");
      assertEquals(typeof result.json, "boolean");
      assert(Array.isArray(result.names));
    },
    errors: [UsageError],
  },
  {
    name: "visible",
    fragments: ["\x1b[2J", "\u202e", "\u2028", "\ud800", "\udc00", "\u061c", "\\n", "\n", "\x9b"],
    take: (text) => assertEquals(unsafe(visible(text)), undefined),
    errors: [],
  },
  {
    name: "quoted of text",
    fragments: ["\x1b[2J", "\u202e", "\u2028", "\u061c", '"', "\\", "\\x1b", "\x9b", "\\x9b"],
    take: (text) => assertEquals(unsafe(quoted(text, { limit: Infinity })), undefined),
    errors: [],
  },
];

/** Texts of fragments and any characters, in any order. */
function* texts(fragments: string[], seed: number): Generator<string> {
  const random = chance(seed);
  for (let count = 0; count < INPUTS; count++) {
    let text = "";
    for (let parts = random(12); parts >= 0; parts--) {
      const kind = random(10);
      if (kind < 7) text += fragments[random(fragments.length)];
      else text += String.fromCharCode(random(kind === 9 ? 0x1_0000 : 0x100));
    }
    yield text;
  }
}

function takeOne({ take, errors }: Subject, text: string): void {
  try {
    take(text);
  } catch (error) {
    if (errors.some((kind) => error instanceof kind)) return;
    throw new Error(`with ${JSON.stringify(text.slice(0, 200))}`, { cause: error });
  }
}

for (const subject of subjects) {
  Deno.test(`${subject.name} fails as documented when ${INPUTS} inputs come (seed ${SEED})`, () => {
    for (const text of texts(subject.fragments, SEED)) takeOne(subject, text);
  });

  Deno.test(`${subject.name} ends when a part is repeated ${LONG} times`, () => {
    for (const part of [...subject.fragments, " ", "a", "\t", "\u2028"]) {
      for (const end of ["", "\u2028", "x\u2028", '"']) {
        const began = performance.now();
        takeOne(subject, part.repeat(LONG / part.length) + end);
        const took = performance.now() - began;
        assert(
          took < LONG_ENOUGH,
          `${JSON.stringify(part)} and ${JSON.stringify(end)}: ${took} ms`,
        );
      }
    }
  });
}

function* bytes(): Generator<Uint8Array> {
  const random = chance(SEED);
  const interesting = [
    0xc2,
    0x80,
    0x9b,
    0xe2,
    0x80,
    0xa8,
    0xf0,
    0x9f,
    0x1b,
    0x22,
    0x5c,
    0x78,
    0x39,
  ];
  for (let count = 0; count < INPUTS; count++) {
    yield Uint8Array.from(
      { length: random(24) },
      () => random(2) ? random(256) : interesting[random(interesting.length)]!,
    );
  }
}

Deno.test(`quoted shows no two inputs alike when ${INPUTS} inputs come (seed ${SEED})`, () => {
  const seen = new Map<string, string>();
  for (const input of bytes()) {
    const shown = quoted(input);
    assertEquals(unsafe(shown), undefined);
    assertEquals(seen.get(shown) ?? input.join(), input.join(), shown);
    seen.set(shown, input.join());
  }
});

Deno.test(`hexdump shows all bytes and no control character when ${INPUTS} inputs come (seed ${SEED})`, () => {
  for (const input of bytes()) {
    const lines = hexdump(input).split("\n");
    assertEquals(lines.map(unsafe).find((found) => found !== undefined), undefined);
    const cells = lines.flatMap((line) => line.slice(10, 58).match(/[0-9a-f]{2}/g) ?? []);
    assertEquals(cells.map((cell) => parseInt(cell, 16)).join(), input.join());
  }
});
