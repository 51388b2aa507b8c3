import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { type TelnetEvent, TelnetParser, type Verb } from "../../lib/telnet.ts";
import * as telnet from "../../lib/telnet.ts";
import {
  asksTerminalType,
  askTerminalType,
  optionName,
  OPTIONS,
  readTerminalType,
  readWindowSize,
  type Side,
  TelnetOptions,
  terminalType,
  windowSize,
} from "../../lib/telnet_options.ts";
import { encode } from "./helpers.ts";

const { ECHO, SGA, NAWS } = OPTIONS;
const VERBS: Verb[] = ["WILL", "WONT", "DO", "DONT"];

/** What some bytes say, as words. */
function said(bytes: Uint8Array | undefined): string {
  const events: TelnetEvent[] = bytes ? new TelnetParser().push(bytes) : [];
  return events.map((event) => event.type === "negotiation" ? `${event.verb} ${event.option}` : "?")
    .join();
}

Deno.test("TelnetOptions agrees to what is allowed, refuses all else, and answers nothing twice", () => {
  const options = new TelnetOptions({ local: [NAWS], remote: [ECHO] });
  const hear = (verb: Verb, option: number) => said(options.receive(verb, option).reply);
  assertEquals(hear("WILL", ECHO), "DO 1");
  assertEquals(hear("WILL", ECHO), "");
  assertEquals(hear("DO", NAWS), "WILL 31");
  assertEquals(hear("DO", NAWS), "");
  assertEquals(hear("DO", ECHO), "WONT 1", "what the other side may do is not for us");
  assertEquals(hear("WILL", NAWS), "DONT 31");
  assertEquals(hear("WONT", SGA), "", "it was off");
  assertEquals(hear("DONT", SGA), "", "it was off");
  assertEquals(hear("WONT", ECHO), "DONT 1");
  assertEquals(hear("WONT", ECHO), "");
  assertEquals([options.all("local"), options.all("remote")], [[NAWS], []]);
});

Deno.test("TelnetOptions refuses each of the 256 options that is not allowed", () => {
  const options = new TelnetOptions({});
  for (let option = 0; option < 256; option++) {
    assertEquals(said(options.receive("WILL", option).reply), `DONT ${option}`);
    assertEquals(said(options.receive("DO", option).reply), `WONT ${option}`);
    assert(!options.on("local", option) && !options.on("remote", option));
  }
});

Deno.test("TelnetOptions.receive tells what has changed", () => {
  const options = new TelnetOptions({ remote: [ECHO] });
  const change = (on: boolean) => ({ side: "remote" as const, option: ECHO, on });
  assertEquals(options.receive("WILL", ECHO).changed, change(true));
  assertEquals(options.receive("WILL", ECHO).changed, undefined);
  assertEquals(options.receive("WONT", ECHO).changed, change(false));
});

/** The cases of RFC 1143, 7, for a side's own wishes: what was done, what is sent, whether it is on. */
const requests: [name: string, steps: (string | boolean)[], sent: string[], on: boolean][] = [
  ["is answered with yes", [true, "DO"], ["WILL", ""], true],
  ["is answered with no", [true, "DONT"], ["WILL", ""], false],
  ["is made twice", [true, true, "DO"], ["WILL", "", ""], true],
  ["is taken back before the answer", [true, false, "DO", "DONT"], ["WILL", "", "WONT", ""], false],
  ["is taken back and refused", [true, false, "DONT"], ["WILL", "", ""], false],
  ["is taken back and made again", [true, false, true, "DO"], ["WILL", "", "", ""], true],
  ["is to switch off", [true, "DO", false, "DONT"], ["WILL", "", "WONT", ""], false],
  ["is to switch off and on", [true, "DO", false, true, "DONT", "DO"], [
    "WILL",
    "",
    "WONT",
    "",
    "WILL",
    "",
  ], true],
  [
    "to switch off is answered with yes",
    [true, "DO", false, "DO"],
    ["WILL", "", "WONT", ""],
    false,
  ],
  ["to switch off and on is answered with yes", [true, "DO", false, true, "DO"], [
    "WILL",
    "",
    "WONT",
    "",
    "",
  ], true],
];

for (const [name, steps, sent, on] of requests) {
  Deno.test(`TelnetOptions keeps to RFC 1143 when a request ${name}`, () => {
    for (const side of ["local", "remote"] as const) {
      const turned: Record<string, Verb> = { DO: "WILL", DONT: "WONT", WILL: "DO", WONT: "DONT" };
      const own = (verb: string) => side === "local" ? verb as Verb : turned[verb]!;
      const options = new TelnetOptions({});
      const got = steps.map((step) =>
        typeof step === "boolean"
          ? said(options.request(side, SGA, step))
          : said(options.receive(own(step), SGA).reply)
      );
      assertEquals(got, sent.map((verb) => verb && `${own(verb)} ${SGA}`));
      assertEquals(options.on(side, SGA), on);
    }
  });
}

/** Two sides that talk: all words that are under way. */
class Pair {
  readonly sides: TelnetOptions[];
  readonly underWay: [Verb, number][][] = [[], []];
  words = 0;

  constructor(agreed: { local: number[]; remote: number[] }[]) {
    this.sides = agreed.map((each) => new TelnetOptions(each));
  }

  post(from: number, bytes: Uint8Array | undefined): void {
    for (const event of bytes ? new TelnetParser().push(bytes) : []) {
      if (event.type === "negotiation") this.underWay[from]!.push([event.verb, event.option]);
    }
  }

  /** Delivers one word of a side; false when none is under way. */
  deliver(from: number): boolean {
    const word = this.underWay[from]!.shift();
    if (!word) return false;
    this.words++;
    this.post(1 - from, this.sides[1 - from]!.receive(...word).reply);
    return true;
  }
}

Deno.test("TelnetOptions on both sides come to rest, and agree, whatever they ask for at the same time", () => {
  const some = fc.subarray([0, 1, 2]);
  const agreed = fc.record({ local: some, remote: some });
  const step = fc.record({
    who: fc.nat(1),
    side: fc.constantFrom<Side>("local", "remote"),
    option: fc.nat(2),
    on: fc.boolean(),
    deliver: fc.boolean(),
  });
  fc.assert(fc.property(agreed, agreed, fc.array(step, { maxLength: 30 }), (one, other, steps) => {
    const pair = new Pair([one, other]);
    for (const { who, side, option, on, deliver } of steps) {
      if (deliver) pair.deliver(who);
      else pair.post(who, pair.sides[who]!.request(side, option, on));
    }
    while (pair.deliver(0) || pair.deliver(1)) {
      assert(pair.words <= 4 * steps.length + 4, "they go on and on");
    }
    for (const option of [0, 1, 2]) {
      const [first, second] = pair.sides as [TelnetOptions, TelnetOptions];
      assertEquals(first.on("local", option), second.on("remote", option));
      assertEquals(first.on("remote", option), second.on("local", option));
    }
  }));
});

Deno.test("TelnetOptions never says more than it hears, and nothing to what it knows", () => {
  const word = fc.tuple(fc.constantFrom(...VERBS), fc.nat(255));
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 200 }),
      fc.subarray([0, 1, 3, 24, 31]),
      (words, list) => {
        const options = new TelnetOptions({ local: list, remote: list });
        for (const [verb, option] of words) {
          const { reply } = options.receive(verb, option);
          assert((reply?.length ?? 0) <= 3);
          // once more: only a refusal is repeated
          const again = said(options.receive(verb, option).reply);
          assert(again === "" || /^(DON|WON)T/.test(again) && !list.includes(option), again);
        }
      },
    ),
  );
});

Deno.test("readTerminalType reads what terminalType tells, and nothing unsafe", () => {
  assertEquals(readTerminalType(terminalType("xterm-256color")), "xterm-256color");
  assertEquals(readTerminalType(terminalType("\x1b[2J a\r\nb")), "[2Jab");
  assertEquals(terminalType("x".repeat(1_000)).length, 41);
  for (const bad of ["", "\0", "\0a b", "\0\x1b[2J", "\0é", "\x01xterm", "\0" + "x".repeat(41)]) {
    assertEquals(readTerminalType(encode(bad)), undefined);
  }
  assert(asksTerminalType(askTerminalType));
  assert(!asksTerminalType(terminalType("x")));
});

Deno.test("readWindowSize reads what windowSize tells, up to 65,535", () => {
  for (
    const size of [{ columns: 80, rows: 24 }, { columns: 65_535, rows: 255 }, {
      columns: 0,
      rows: 0,
    }]
  ) {
    assertEquals(readWindowSize(windowSize(size)), size);
  }
  assertEquals(readWindowSize(new Uint8Array(3)), undefined);
  assertEquals(readWindowSize(new Uint8Array(5)), undefined);
  // 255 within is doubled on its way
  const [event] = new TelnetParser().push(
    telnet.subnegotiation(NAWS, windowSize({ columns: 255, rows: 511 })),
  );
  assert(event?.type === "subnegotiation");
  assertEquals(readWindowSize(event.bytes), { columns: 255, rows: 511 });
});

Deno.test("optionName gives a name, or the number", () => {
  assertEquals([optionName(31), optionName(200)], ["NAWS", "200"]);
});
