import { assert, assertEquals, assertRejects } from "@std/assert";
import { within } from "../../lib/deadline.ts";
import { Outbox, type OutboxOptions } from "../../lib/outbox.ts";
import { Pace } from "../../lib/pace.ts";
import { pause } from "../../lib/pause.ts";
import { SlackError, slackError } from "../../lib/slack_error.ts";
import { Spool } from "../../lib/spool.ts";
import { soon } from "./helpers.ts";

/** A spool in a folder of its own. */
async function temporarySpool(): Promise<AsyncDisposable & { spool: Spool; folder: string }> {
  const folder = Deno.makeTempDirSync({ prefix: "outbox-" });
  const spool = await Spool.open(folder);
  return {
    spool,
    folder,
    async [Symbol.asyncDispose]() {
      await spool[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Sends texts through an outbox whose tries go as told, one word each, and then well. */
async function sendAll(
  texts: string[],
  faults: (SlackError | undefined)[],
  options: Partial<OutboxOptions> = {},
) {
  await using temporary = await temporarySpool();
  const { spool, folder } = temporary;
  const tries: { text: string; at: number }[] = [];
  const sent: string[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  for (const text of texts) await spool.append({ channel: text.split(" ")[0]!, text });
  await using outbox = new Outbox(spool, {
    pace: 0,
    firstPause: 20,
    longestPause: 80,
    ...options,
    post({ text }) {
      tries.push({ text, at: performance.now() });
      const fault = faults.shift();
      if (fault) return Promise.reject(fault);
      sent.push(text);
      return Promise.resolve();
    },
  });
  while (spool.size > 0) await Promise.race([pause(5), outbox.finished, all]);
  resolve();
  const refused = await Deno.readTextFile(`${folder}/refused.jsonl`).catch(() => "");
  const pauses = tries.slice(1).map(({ at }, index) => at - tries[index]!.at);
  return { sent, pauses, tries: tries.map(({ text }) => text), refused };
}

const again = () => new SlackError("timeout", "again", {});

Deno.test("an outbox tries one message until it has gone, and keeps the order", async () => {
  const { sent, tries } = await sendAll(["#a 1", "#b 2", "#a 3"], [
    again(),
    again(),
    undefined,
    again(),
  ]);
  assertEquals(sent, ["#a 1", "#b 2", "#a 3"]);
  assertEquals(tries, ["#a 1", "#a 1", "#a 1", "#b 2", "#b 2", "#a 3"]);
});

Deno.test("an outbox waits twice as long after each failure, up to a limit, and begins anew", async () => {
  // a busy machine may make a pause longer, but not each time
  await soon(async () => {
    const faults = [again(), again(), again(), again(), undefined, again()];
    const { pauses } = await sendAll(["#a 1", "#a 2"], faults);
    [20, 40, 80, 80, 0, 20].forEach((least, index) => {
      const most = least + 60; // less than twice the limit, and than the limit where it begins anew
      assert(pauses[index]! >= least - 1 && pauses[index]! < most, `${index}: ${pauses}`);
    });
  });
});

Deno.test("an outbox waits as long as it is told", async () => {
  const { pauses } = await sendAll(["#a 1"], [slackError("ratelimited", { retryAfter: 150 })]);
  assert(pauses[0]! >= 149, `${pauses}`);
});

Deno.test("an outbox keeps the pace of each channel", async () => {
  await soon(async () => {
    const { pauses } = await sendAll(["#a 1", "#b 2", "#a 3", "#a 4"], [], { pace: 100 });
    const [toAnother, back, same] = pauses;
    assert(toAnother! < 60 && back! > 40 && toAnother! + back! >= 100 && same! >= 100, `${pauses}`);
  });
});

Deno.test("an outbox sets a message aside that will never go, and goes on", async () => {
  const faults = [slackError("channel_not_found"), undefined, slackError("something_new")];
  const { sent, refused } = await sendAll(["#a 1", "#a 2", "#a 3", "#a 4"], faults);
  assertEquals(sent, ["#a 2", "#a 4"]);
  const reasons = refused.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(reasons.map(({ text, reason }) => [text, reason]), [
    ["#a 1", "Slack answers channel_not_found: there is no such channel"],
    ["#a 3", "Slack answers something_new"],
  ]);
});

Deno.test("an outbox ends, and drops nothing, when the token is not valid", async () => {
  await using temporary = await temporarySpool();
  const { spool } = temporary;
  await spool.append({ channel: "#a", text: "1" });
  const outbox = new Outbox(spool, { post: () => Promise.reject(slackError("token_revoked")) });
  await assertRejects(() => outbox.finished, SlackError, "the token was revoked");
  assertEquals(spool.size, 1);
  await outbox.shutdown();
});

Deno.test("an outbox stops at once when it waits, and in time when Slack hangs", async () => {
  await using temporary = await temporarySpool();
  const { spool } = temporary;
  await spool.append({ channel: "#a", text: "1" });
  const waiting = new Outbox(spool, { post: () => Promise.reject(again()), firstPause: 60_000 });
  await pause(20);
  const hanging = new Outbox(spool, {
    grace: 50,
    post: (_, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  });
  // long before the pause is over
  await within(30_000, Promise.all([waiting.shutdown(), hanging.shutdown()]));
  assertEquals(spool.size, 1);
});

Deno.test("an outbox sends what may go at once before it stops, and leaves the rest", async () => {
  await using temporary = await temporarySpool();
  const { spool } = temporary;
  const sent: string[] = [];
  const outbox = new Outbox(spool, {
    pace: 60_000,
    post: ({ text }) => Promise.resolve(void sent.push(text)),
  });
  await spool.append({ channel: "#a", text: "1" });
  await spool.append({ channel: "#a", text: "2" });
  await outbox.shutdown();
  assertEquals([sent, spool.size], [["1"], 1]);
});

Deno.test("a pace forgets keys that have rested", async () => {
  const pace = new Pace(20);
  for (let key = 0; key < 1_000; key++) pace.mark(`#${key}`);
  await pause(25);
  assertEquals(pace.due("#999"), 0);
  pace.mark("#1");
  assert(pace.due("#1") > 0 && pace.due("#2") === 0);
});
