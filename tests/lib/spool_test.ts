import { assert, assertEquals, assertRejects } from "@std/assert";
import { Spool, SpoolFullError } from "../../lib/spool.ts";
import { readRecords, recordLine } from "../../lib/spool_records.ts";
import { chance, concat, encode } from "./helpers.ts";

/** A folder for one test. */
function temporaryFolder(): Disposable & { path: string } {
  const path = Deno.makeTempDirSync({ prefix: "spool-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

const message = (text: string) => ({ channel: "#bot", text });

/** Takes everything out, in order. */
async function drain(spool: Spool): Promise<string[]> {
  const texts: string[] = [];
  for (let next; (next = spool.oldest());) {
    texts.push(next.text);
    await spool.done(next);
  }
  return texts;
}

Deno.test("a spool gives what was put in, in order, also after it was opened again", async () => {
  using folder = temporaryFolder();
  const texts = ["one", "two\nlines", "ä😀\u2028", "", '{"done":1}'];
  {
    await using spool = await Spool.open(folder.path);
    for (const text of texts) await spool.append(message(text));
    assertEquals(spool.size, texts.length);
  }
  await using spool = await Spool.open(folder.path);
  assertEquals(await drain(spool), texts);
  assertEquals((await Deno.stat(`${folder.path}/queue.jsonl`)).size, 0);
});

Deno.test("a spool keeps the order of the calls when many come at once", async () => {
  using folder = temporaryFolder();
  await using spool = await Spool.open(folder.path);
  const texts = Array.from({ length: 500 }, (_, index) => `${index}`);
  await Promise.all(texts.map((text) => spool.append(message(text))));
  assertEquals(await drain(spool), texts);
});

/** The file of a spool that has taken six messages and is done with three. */
const FILE = concat(
  recordLine({ id: 1, ...message("first") }),
  recordLine({ id: 2, ...message("sécond") }),
  recordLine({ done: 1 }),
  recordLine({ id: 3, ...message("third\n") }),
  recordLine({ done: 2 }),
  recordLine({ id: 4, ...message("😀") }),
  recordLine({ id: 5, ...message("fifth") }),
  recordLine({ done: 3 }),
  recordLine({ id: 6, ...message("sixth") }),
);
const LINES = new TextDecoder().decode(FILE).split("\n");

/** What must wait when the file ends after so many whole lines. */
function waitingAfter(lines: number): number[] {
  const waiting: number[] = [];
  for (const line of LINES.slice(0, lines)) {
    const { id, done } = JSON.parse(line);
    if (done === undefined) waiting.push(id);
    else waiting.splice(waiting.indexOf(done), 1);
  }
  return waiting;
}

Deno.test("a spool is whole again wherever a crash has cut its file", async () => {
  for (let length = 0; length <= FILE.length; length++) {
    using folder = temporaryFolder();
    const cut = FILE.subarray(0, length);
    await Deno.writeFile(`${folder.path}/queue.jsonl`, cut);
    const whole = cut.filter((byte) => byte === 0x0a).length;
    const expected = waitingAfter(whole).map((id) =>
      JSON.parse(LINES.find((line) => line.startsWith(`{"id":${id},`))!).text
    );
    {
      await using spool = await Spool.open(folder.path);
      await spool.append(message("after the crash"));
    }
    await using again = await Spool.open(folder.path);
    assertEquals(await drain(again), [...expected, "after the crash"], `cut after ${length} bytes`);
  }
});

Deno.test("a spool never holds what was not put in, whatever bytes its file has", () => {
  const next = chance(7);
  for (let round = 0; round < 20_000; round++) {
    const bytes = FILE.slice(0, next(FILE.length + 1));
    for (let times = next(4); times > 0 && bytes.length > 0; times--) {
      bytes[next(bytes.length)] = next(3) ? next(256) : encode('\n{}":,0')[next(7)]!;
    }
    const { waiting, end } = readRecords(bytes);
    assert(end <= bytes.length);
    for (const { start, length } of waiting) assert(start + length <= end);
  }
});

Deno.test("a spool keeps a copy of a file that is damaged, and goes on with the rest", async () => {
  using folder = temporaryFolder();
  const damaged = concat(
    FILE.subarray(0, 10),
    encode("\0\0\n"),
    FILE.subarray(0, 42),
    FILE.subarray(42),
  );
  await Deno.writeFile(`${folder.path}/queue.jsonl`, damaged);
  await using spool = await Spool.open(folder.path);
  assertEquals(await drain(spool), ["😀", "fifth", "sixth"]);
  const copy = [...Deno.readDirSync(folder.path)].find(({ name }) => name.startsWith("damaged-"))!;
  assertEquals(await Deno.readFile(`${folder.path}/${copy.name}`), damaged);
});

Deno.test("a spool takes no more when it is full, and again when there is room", async () => {
  using folder = temporaryFolder();
  await using spool = await Spool.open(folder.path, { maxMessages: 3 });
  const results = await Promise.allSettled(
    ["1", "2", "3", "4"].map((text) => spool.append(message(text))),
  );
  assertEquals(
    results.map(({ status }) => status).join(),
    "fulfilled,fulfilled,fulfilled,rejected",
  );
  await spool.done(spool.oldest()!);
  await spool.append(message("5"));
  await assertRejects(
    () => spool.append(message("6")),
    SpoolFullError,
    "as many messages wait as may: 3",
  );
  assertEquals(await drain(spool), ["2", "3", "5"]);
});

Deno.test("a spool counts bytes, also those that an earlier run has left", async () => {
  using folder = temporaryFolder();
  {
    await using spool = await Spool.open(folder.path, { maxBytes: 1_000 });
    await spool.append(message("x".repeat(800)));
    await assertRejects(() => spool.append(message("x".repeat(200))), SpoolFullError);
  }
  await using again = await Spool.open(folder.path, { maxBytes: 1_000 });
  await assertRejects(() => again.append(message("x".repeat(200))), SpoolFullError);
});

Deno.test("a spool's file does not grow for ever while something always waits", async () => {
  using folder = temporaryFolder();
  await using spool = await Spool.open(folder.path, { maxBytes: 10_000 });
  const path = `${folder.path}/queue.jsonl`;
  let largest = 0;
  await spool.append(message("0"));
  for (let count = 1; count <= 1_000; count++) {
    await Promise.all([
      spool.append(message(`${count}`)),
      spool.oldest()!.text === `${count - 1}` && spool.done(spool.oldest()!),
    ]);
    largest = Math.max(largest, (await Deno.stat(path)).size);
  }
  assert(largest < 15_000, `${largest} bytes`);
  assertEquals(await drain(spool), ["1000"]);
});

Deno.test("a spool gives its oldest message at any moment of a write", async () => {
  using folder = temporaryFolder();
  await using spool = await Spool.open(folder.path);
  await spool.append(message("the oldest"));
  const long = "x".repeat(40_000);
  for (let round = 0; round < 300; round++) {
    const writing = spool.append(message(long));
    for (let turns = 0; turns < round % 5; turns++) await null;
    for (let times = 0; times < 20; times++) assertEquals(spool.oldest()?.text, "the oldest");
    await writing;
  }
});

Deno.test("a spool gives the same messages whatever comes and goes at the same time", async () => {
  const next = chance(3);
  for (let round = 0; round < 20; round++) {
    using folder = temporaryFolder();
    const put: string[] = [], got: string[] = [];
    let count = 0;
    for (let life = 0; life < 4; life++) {
      await using spool = await Spool.open(folder.path, { maxBytes: 400 });
      const work: Promise<void>[] = [];
      for (let step = 0; step < 40; step++) {
        const text = `${round}.${count++}`;
        const oldest = spool.oldest();
        if (oldest && next(2)) {
          got.push(oldest.text);
          work.push(spool.done(oldest));
        } else {
          const full = (error: unknown) => {
            if (!(error instanceof SpoolFullError)) throw error;
            put.splice(put.indexOf(text), 1);
          };
          put.push(text);
          work.push(spool.append(message(text)).catch(full));
          if (next(3) === 0) await work.at(-1);
        }
        if (next(4) === 0) await Promise.all(work);
      }
      await Promise.all(work);
    }
    await using spool = await Spool.open(folder.path);
    got.push(...await drain(spool));
    assertEquals(got, put);
  }
});

Deno.test("a spool puts aside what will never be sent, with the reason", async () => {
  using folder = temporaryFolder();
  await using spool = await Spool.open(folder.path);
  await spool.append(message("to nobody"));
  await spool.setAside(spool.oldest()!, "channel_not_found");
  assertEquals(spool.size, 0);
  const [line, rest] = (await Deno.readTextFile(`${folder.path}/refused.jsonl`)).split("\n");
  const { at, ...record } = JSON.parse(line!);
  assert(!Number.isNaN(Date.parse(at)));
  assertEquals(record, { reason: "channel_not_found", ...message("to nobody") });
  assertEquals(rest, "");
});

Deno.test("a spool is for one program at a time, and for its owner", async () => {
  using folder = temporaryFolder();
  {
    await using _spool = await Spool.open(folder.path);
    const again = () => Spool.open(folder.path);
    await assertRejects(again, Error, `cannot use ${folder.path}: another program is using it`);
  }
  await (await Spool.open(folder.path))[Symbol.asyncDispose]();
  for (const { name } of Deno.readDirSync(folder.path)) {
    assertEquals((await Deno.stat(`${folder.path}/${name}`)).mode! & 0o777, 0o600, name);
  }
  await Deno.chmod(folder.path, 0o777);
  await assertRejects(() => Spool.open(folder.path), Error, "others may write to it");
  const file = `${folder.path}/queue.jsonl`;
  await assertRejects(() => Spool.open(file), Error, "it is not a folder");
});
