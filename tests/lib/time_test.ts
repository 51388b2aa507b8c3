import { assert, assertEquals, assertThrows } from "@std/assert";
import { bestOf, ImpossibleTimesError, sampleOf } from "../../lib/clock_offset.ts";
import { dateCommand } from "../../lib/date_command.ts";
import {
  formatAnswer,
  formatShort,
  paddedQuestion,
  parseAnswer,
  QUESTION_BYTES,
  questionId,
  SMALL_ANSWER_BYTES,
} from "../../lib/reqtime.ts";
import { type TimeSources, wallClock } from "../../lib/wall_clock.ts";
import { answerTo } from "../../scripts/time/time_server.ts";
import { chance, decode, encode } from "./helpers.ts";

const NOW = Date.UTC(2026, 10, 22, 1, 24, 25, 297);

Deno.test("sampleOf finds the offset to within half of the delay whatever each way takes", () => {
  const next = chance(5905);
  for (let count = 0; count < 10_000; count++) {
    const offset = next(2_000_000) - 1_000_000;
    const [there, atServer, back] = [next(500), next(100), next(500)];
    const sent = NOW + next(1_000);
    const received = sent + there + offset;
    const answered = received + atServer;
    const arrived = answered + back - offset;
    const sample = sampleOf({ sent, received, answered, arrived });
    assertEquals(sample.delay, there + back);
    assert(Math.abs(sample.offset - offset) <= sample.delay / 2);
    if (there === back) assertEquals(sample.offset, offset);
  }
});

Deno.test("sampleOf refuses times that cannot be", () => {
  const good = { sent: 1000, received: 1005, answered: 1006, arrived: 1011 };
  assertEquals(sampleOf(good), { offset: 0, delay: 10 });
  const cases = [
    { ...good, answered: 1003 }, // before the question came
    { ...good, answered: 1018 }, // 13 ms at the server, of 11 in all
    { ...good, received: NaN },
    { ...good, received: Infinity, answered: Infinity },
  ];
  for (const times of cases) assertThrows(() => sampleOf(times), ImpossibleTimesError);
});

Deno.test("sampleOf makes no negative delay of what a clock's step hides", () => {
  const times = { sent: 1000, received: 1000, answered: 1000.5, arrived: 1000 };
  assertEquals(sampleOf(times).delay, 0);
});

Deno.test("bestOf takes the least delay, and the first of equals", () => {
  const samples = [{ offset: 1, delay: 3 }, { offset: 2, delay: 1 }, { offset: 3, delay: 1 }];
  assertEquals(bestOf(samples).offset, 2);
  assertThrows(() => bestOf([]), RangeError);
});

/** A clock whose parts the test moves; the coarse one may be moved between two looks. */
function clockParts(origin: number) {
  const parts = { fine: 0, coarse: [] as number[] };
  const sources: TimeSources = {
    coarse: () => parts.coarse.length > 1 ? parts.coarse.shift()! : parts.coarse[0]!,
    fine: () => parts.fine,
    origin,
  };
  return { parts, now: wallClock(sources) };
}

Deno.test("wallClock has the fraction of the fine clock within the coarse one's millisecond", () => {
  const { parts, now } = clockParts(NOW - 0.75);
  for (const fine of [10, 10.25, 10.5, 99.125]) {
    parts.fine = fine;
    parts.coarse = [Math.floor(NOW - 0.75 + fine)];
    assertEquals(now(), NOW - 0.75 + fine);
  }
});

Deno.test("wallClock follows when the clock is set, back, on, or between two looks", () => {
  const { parts, now } = clockParts(NOW);
  const isWithin = (milliseconds: number) => {
    const time = now();
    assert(time >= milliseconds && time <= milliseconds + 1, `${time}, not ${milliseconds}`);
  };
  parts.coarse = [NOW];
  isWithin(NOW);
  parts.coarse = [NOW - 3_600_000];
  isWithin(NOW - 3_600_000);
  parts.coarse = [NOW + 3_600_000];
  isWithin(NOW + 3_600_000);
  parts.coarse = [NOW + 3_600_000, NOW];
  isWithin(NOW);
  // held up between the two looks: any time between them may be right
  parts.coarse = [NOW, NOW + 5_000];
  const time = now();
  assert(time >= NOW && time <= NOW + 5_001);
});

Deno.test("dateCommand makes a command that this system's date understands", async () => {
  // with -d for -s it says what it would set; elsewhere than on Linux nothing can be tried without setting
  if (Deno.build.os !== "linux") return assertEquals(dateCommand(NOW)[1], "-u");
  const [program, set, time] = dateCommand(NOW);
  assertEquals([program, set], ["date", "-s"]);
  const { stdout } = await new Deno.Command("date", { args: ["-u", "-d", time!, "+%s%3N"] })
    .output();
  assertEquals(decode(stdout).trim(), String(NOW));
});

Deno.test("dateCommand carries where rounding to a second ends the year", () => {
  const end = Date.UTC(2026, 11, 31, 23, 59, 59, 700);
  assertEquals(dateCommand(end, "darwin"), ["date", "-u", "010100002027.00"]);
  assertEquals(dateCommand(end, "netbsd"), ["date", "-u", "202701010000.00"]);
  assertThrows(() => dateCommand(end, "windows"), Error, "Set-Date");
});

Deno.test("questionId takes the word alone, with an id and padded, and nothing else", () => {
  const cases: [string, string | undefined][] = [
    ["reqtime", ""],
    ["reqtime\r\n", ""],
    [paddedQuestion("0123456789abcdef"), "0123456789abcdef"],
    ["reqtime 0123456789abcdef0", undefined],
    ["reqtime ABC", undefined],
    ["Reqtime", undefined],
    ["reqtime 1 2", undefined],
    ["reqtimes", undefined],
    ["", undefined],
  ];
  for (const [question, id] of cases) assertEquals(questionId(question), id, question);
  assertEquals(paddedQuestion("0123456789abcdef").length, QUESTION_BYTES);
});

Deno.test("parseAnswer reads what formatAnswer writes, before 1970 and after 2038 too", () => {
  const next = chance(91);
  for (let count = 0; count < 1_000; count++) {
    // from 1938 to 2074; such numbers have steps of up to half a microsecond
    const received = next(2 ** 32) * 1000 - 1e12 + next(1000) / 1000;
    const answered = received + next(1000) / 1000;
    const line = formatAnswer({ received, answered, id: "beef" });
    const got = parseAnswer(line)!;
    assert(Math.abs(got.received - received) < 0.0011, line);
    assert(Math.abs(got.answered - answered) < 0.0011, line);
    assert(line.length <= QUESTION_BYTES, line);
  }
});

Deno.test("parseAnswer passes over any other text", () => {
  const good = formatAnswer({ received: NOW, answered: NOW });
  assertEquals(parseAnswer(`${good}\n`), { received: NOW, answered: NOW });
  for (let end = 0; end < good.length; end++) {
    const cut = parseAnswer(good.slice(0, end));
    assertEquals(cut, undefined, good.slice(0, end));
  }
  for (
    const text of [
      "Sun Nov 22 01:24:25 2026",
      good.replace("sent", "sent\x1b[2J"),
      good.replace(/received \d+/, "received 123456789012"),
      good.replace(/received \S+/, "received NaN"),
      `${good} id `,
      `${good} id xyz`,
      `${good}\n\n`,
      ` ${good}`,
    ]
  ) {
    assertEquals(parseAnswer(text), undefined, text);
  }
});

Deno.test("answerTo never answers with more than was asked, and answers no answer", () => {
  const questions = ["reqtime", paddedQuestion("0123456789abcdef"), "what?", "", "\0".repeat(200)];
  for (const question of questions) {
    const answer = answerTo(encode(question), NOW)!;
    assert(answer.length <= Math.max(question.length, SMALL_ANSWER_BYTES), question);
    // two servers that are told of each other by a forged sender soon fall silent
    let said: string | undefined = answer;
    for (let turns = 0; said !== undefined; turns++) {
      assert(turns < 3, `they go on over ${question}`);
      said = answerTo(encode(said), NOW);
    }
  }
  assertEquals(formatShort(NOW), "20261122T012425Z");
});

Deno.test("answerTo and parseAnswer take 100,000 generated datagrams", () => {
  const next = chance(20_261_122);
  const words = ["reqtime", " ", "received", "sent", "id", "1.000000", "Z", "-", "\n", "0a", ":"];
  for (let count = 0; count < 100_000; count++) {
    const bytes = count % 2
      ? Uint8Array.from({ length: next(120) }, () => next(256))
      : encode(Array.from({ length: next(20) }, () => words[next(words.length)]).join(""));
    const answer = answerTo(bytes, NOW);
    assert((answer?.length ?? 0) <= Math.max(bytes.length, SMALL_ANSWER_BYTES));
    const parsed = parseAnswer(decode(bytes));
    if (parsed) assert(Number.isFinite(parsed.received) && Number.isFinite(parsed.answered));
  }
});
