/**
 * The frame of the exercises' checkers.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Check, Gone, Mismatch, type Result, runChecks } from "../../lib/check/check.ts";
import { Report } from "../../lib/check/report.ts";
import type { DownloadStage } from "../../lib/check/download_stage.ts";
import { DownloadTrial } from "../../lib/check/download_trial.ts";
import { Exchange } from "../../lib/check/exchange.ts";
import { readTime } from "../../lib/check/time_text.ts";
import { mixedBytes } from "../../lib/check/echo_mistakes.ts";
import { pause } from "../../lib/pause.ts";
import { writeAll } from "../../lib/write_all.ts";
import { concat, encode } from "./helpers.ts";

const nothing = () => ({ [Symbol.dispose]() {} });
const pass = (name: string): Check<Disposable> => ({ name, run: () => Promise.resolve() });
const fail = (name: string, error: Error): Check<Disposable> => ({
  name,
  run: () => Promise.reject(error),
});
const wrong = new Mismatch({ expected: "one", got: "two" });
const outcomes = (results: Result[]) => results.map(({ outcome }) => outcome);

Deno.test("runChecks tries what follows when a check fails", async () => {
  const results = await runChecks([pass("a"), fail("b", wrong), pass("c")], nothing);
  assertEquals(outcomes(results), ["passed", "failed", "passed"]);
});

Deno.test("runChecks tries nothing more when it is told to stop at the first failure", async () => {
  const checks = [pass("a"), fail("b", wrong), pass("c")];
  const results = await runChecks(checks, nothing, { stopAtFirst: true });
  assertEquals(outcomes(results), ["passed", "failed", "not tried"]);
});

Deno.test("runChecks tries nothing more when the first success does not come", async () => {
  const results = await runChecks([{ ...fail("a", wrong), first: true }, pass("b")], nothing);
  assertEquals(outcomes(results), ["failed", "not tried"]);
});

for (
  const [when, meanwhile, likely] of [
    ["was gone before the check", false, "by the first"],
    ["went in the middle of the check", true, "by the second"],
  ] as const
) {
  Deno.test(`runChecks names who ended the program when it ${when}`, async () => {
    const gone = new Gone({ expected: "a connection", got: "none", likely: "start it" }, meanwhile);
    const results = await runChecks([
      { ...pass("a"), ifGone: "by the first" },
      { ...fail("b", gone), ifGone: "by the second" },
      pass("c"),
    ], nothing);
    assertEquals(outcomes(results), ["passed", "failed", "not tried"]);
    assertEquals(results[1]!.likely, likely);
  });
}

Deno.test("runChecks fails a check and disposes of its trial when it does not end", async () => {
  let disposed = 0;
  const endless = { name: "a", deadline: 50, run: () => new Promise<void>(() => {}) };
  const results = await runChecks(
    [endless, pass("b")],
    () => ({ [Symbol.dispose]: () => disposed++ }),
  );
  assertEquals(outcomes(results), ["failed", "passed"]);
  assertEquals([results[0]!.expected, disposed], ["an end within 0.05 s", 2]);
});

Deno.test("runChecks gives a check more time when the program may be silent for longer", async () => {
  const late = { name: "a", deadline: 50, run: async () => void await pause(400) };
  const usual = await runChecks([late], nothing, { timeout: 300 });
  const patient = await runChecks([late], nothing, { timeout: 300_000 });
  assertEquals([...outcomes(usual), ...outcomes(patient)], ["failed", "passed"]);
});

Deno.test("runChecks throws when the checker itself has an error", async () => {
  await assertRejects(() => runChecks([fail("a", new TypeError("a bug"))], nothing), TypeError);
});

Deno.test("a report counts what was not tried as missing when it gives the score", () => {
  const lines: string[] = [];
  const report = new Report("it", { json: true, print: (line) => lines.push(line) });
  report.add({ name: "a", outcome: "passed" });
  report.add({ name: "b", outcome: "not tried" });
  assertEquals(report.end(), 1);
  const { passed, total } = JSON.parse(lines.join("\n"));
  assertEquals([passed, total], [1, 2]);
});

/** Hears what comes in pieces, six of them in the time that silence may last. */
async function hearPieces(size: number, count: number, wanted: number, timeout = 200) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using sender = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using exchange = new Exchange(await listener.accept(), timeout);
  let over = false;
  const sending = (async () => {
    for (let sent = 0; sent < count && !over; sent++) {
      await sender.write(new Uint8Array(size));
      await pause(timeout * 0.15);
    }
  })();
  const { bytes, then } = await exchange.hear(wanted);
  over = true;
  await sending;
  return { length: bytes.length, then };
}

Deno.test("an exchange hears all when it comes steadily, and takes more than ten times the timeout", async () => {
  const wanted = 80 * 4_096;
  assertEquals(await hearPieces(4_096, 80, wanted, 400), { length: wanted, then: "more" });
});

Deno.test("an exchange hears no more after ten times the timeout when bytes come drop by drop", async () => {
  const { length } = await hearPieces(1, 1_000, 1_000);
  assert(length < 100, `heard ${length} bytes`);
});

Deno.test("an exchange hears every byte when one read brings far more than is asked for", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using sender = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using exchange = new Exchange(await listener.accept(), 5_000);
  const sent = mixedBytes(60_000);
  await writeAll(sender, sent);
  await pause(50); // all of it is there, and one read takes it
  const parts: Uint8Array[] = [];
  for (let length = 0; length < sent.length;) {
    const { bytes, then } = await exchange.hear(1);
    assertEquals(then, "more");
    parts.push(bytes);
    length += bytes.length;
  }
  assertEquals(concat(...parts), sent);
});

Deno.test("a download trial finds the file that is new when there are folders, links to nothing and parts", async () => {
  const folder = await Deno.makeTempDir({ prefix: "check-" });
  try {
    const options = { folder, timeout: 1_000, patience: 1_000 };
    using trial = new DownloadTrial({} as DownloadStage, options);
    await Deno.writeTextFile(`${folder}/old`, "old");
    const before = await trial.names();
    await Deno.mkdir(`${folder}/a`);
    await Deno.symlink("nowhere", `${folder}/b`);
    await Deno.symlink("c", `${folder}/c`);
    assertEquals([await trial.anyNew(before, 3), await trial.has(encode("news"))], [
      undefined,
      false,
    ]);
    await Deno.writeTextFile(`${folder}/d`, "news");
    assertEquals(await trial.anyNew(before, 3), { bytes: encode("new"), size: 4 });
    assert(await trial.has(encode("news")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// in Berlin it is one o'clock of Thursday, less two seconds
const NOW = Date.UTC(2026, 10, 25, 23, 59, 58);
const DAY = 86_400;

for (
  const [text, off] of [
    ["Wed Nov 25 23:59:58 2026", 0],
    ["Thu Nov 26 00:59:59 2026", 1],
    ["2026-11-25T23:59:55.500Z received 1795651195.4 sent 1795651195.5", -2.5],
    ["20261125T235958Z", 0],
    ["23:59:58", 0],
    ["0:59:58", 0],
    ["00:00:03", 5],
    // separators, and none
    ["26.11.2026 00.59.58", 0],
    ["00.59.58 26.11.2026", 0],
    ["00.59.58", 0],
    ["00-59-58", 0],
    ["00 59 58", 0],
    ["0:59:1", -57],
    ["20261126005958", 0],
    ["26112026005958", 0],
    ["261126005958", 0],
    ["005958", 0],
    ["2026-11-26-00-59-58", 0],
    ["26.11.26, 00:59:58", 0],
    ["11/26/2026, 12:59:58 AM", 0],
    ["12:59:58\u202fa.m.", 0],
    ["11:59:58PM UTC", 0],
    ["12:59:58", -12 * 3600],
    // words
    ["0h 59m 58s", 0],
    ["00h59m58", 0],
    ["0 hours, 59 minutes and 58 seconds", 0],
    ["Es ist 00 Uhr 59 und 58 Sekunden", 0],
    ["Es ist 0 Uhr 59 Minuten und 58 Sekunden.", 0],
    ["Donnerstag, 26. November 2026, 00:59:58 Uhr", 0],
    ["the time is 00:59:58, on the 26th of November", 0],
    ["November 26, 2026 00:59:58", 0],
    ["26-Nov-26 00:59:58", 0],
    ["Thu 26 Nov 2026 12:59:58 AM CET", 0],
    [
      "time.struct_time(tm_year=2026, tm_mon=11, tm_mday=26, tm_hour=0, tm_min=59, tm_sec=58, tm_wday=3)",
      0,
    ],
    ["datetime.datetime(2026, 11, 26, 0, 59, 58, 123456)", 0],
    ['{"hour": 0, "minute": 59, "second": 58}', 0],
    ["hello 10.1.2.3, it is 00:59:58", 0],
    ["2026年11月26日 00时59分58秒", 0],
    ["西元2026年11月26日 (週四) 00時59分58秒", 0],
    ["2026년 11월 26일 (목) 오전 12시 59분 58초", 0],
    ["2026. 11. 26. 오전 12:59:58", 0],
    ["2026/11/26 上午12:59:58", 0],
    ["2026/11/26 下午12:59:58", 12 * 3600],
    ["2026年11月25日 00时59分58秒", -DAY],
    ["26/11/2026, 12:59:58 π.μ.", 0],
    ["26/11/2026, 12:59:58 μ.μ.", 12 * 3600],
    ["il est 0 heure 59 minutes et 58 secondes", 0],
    ["0 horas, 59 minutos y 58 segundos", 0],
    ["0 ч 59 мин 58 с", 0],
    // zones
    ["Thu Nov 26 2026 05:30:01 GMT+0530 (India Standard Time)", 3],
    ["2026-11-25T19:59:58-04:00", 0],
    ["2026-11-26 00:59:58.123456789 +0100 CET m=+0.000012", 0.123],
    ["UTC: 23:59:58", 0],
    ["UTC+2: 01:59:58", 0],
    ["00:59:58Z", 3600],
    ["05:30:01", 4.5 * 3600 + 3],
    // other days
    ["Tue Nov 24 23:59:58 2026", -DAY],
    ["Tue Nov 25 23:59:58 2026", -DAY],
    ["2026-11-27T00:59:58", DAY],
    ["11/25/2026 0:59:58", -DAY],
    ["25.11. 00:59:58", -DAY],
    ["Friday 00:59:58", DAY],
    ["20261124235958", -DAY],
    ["26.10.2026 00:59:58", -31 * DAY],
    ["Thu Nov 26 00:59:58 2025", -364 * DAY],
    ["25.11.26 23:40:00", -80 * 60 + 2],
    ["1795651198", 0],
    ["1795651198.25", 0.25],
    ["1795651198.25\n", 0.25],
    ["1795651198000", 0],
    ["1795651198000000000", 0],
    ["1795651190 seconds since 1970", -8],
    ["b1795651198", 0],
    ["179565119812", undefined],
    ["12:30", "seconds"],
    ["00:59 on 26.11.26", "seconds"],
    ["12h30", "seconds"],
    ["00时59分", "seconds"],
    ["99:99:99", undefined],
    ["2026-11-26", undefined],
    ["unknown question from 10.1.2.3", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`readTime tells how far it is off, or what is missing, when it reads "${text}"`, () => {
    const read = readTime(text, NOW, 60);
    const rounded = read.off === undefined ? undefined : Math.round(read.off * 1000) / 1000;
    assertEquals(rounded ?? read.lacks, off);
  });
}
