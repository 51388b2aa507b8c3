/**
 * What a server must do that forwards messages to Slack.
 *
 * @module
 */

import { quoted } from "../display.ts";
import { pause } from "../pause.ts";
import { unescapeText } from "../slack_text.ts";
import { type Check, Mismatch } from "./check.ts";
import { heard, show } from "./exchange.ts";
import type { Post, SlackTrial } from "./slack_trial.ts";

const CATCH =
  "what goes wrong with one client ends the whole server: catch errors around each conversation";
const NO_LOOP = "it serves one client and no more: put accept, and all that follows, into a loop";
const WAY = "/api/chat.postMessage";
const NO_CALL =
  "it does not call Slack: its API must be http://HOST:PORT/api, the address at which this check " +
  "listens, and be called for each message";
const TWICE = "it posts a message more than once";
const EMPTY =
  'what is no message is posted: recv gives b"" at the end of a conversation, nothing to send';

/** Sends a line, and expects thanks, which may come when it is posted. */
async function tell(
  trial: SlackTrial,
  line: string,
  likely: string,
  patience = trial.options.timeout,
): Promise<void> {
  using exchange = await trial.connect();
  await exchange.send(`${line}\n`);
  const first = await exchange.hear(1, patience);
  const rest = await exchange.hear(4_096, 60);
  const bytes = new Uint8Array([...first.bytes, ...rest.bytes]);
  if (/^thank you/i.test(new TextDecoder().decode(bytes))) return;
  throw new Mismatch({
    sent: show(`${line}\n`),
    expected: '"Thank you for reaching us"',
    got: heard({ bytes, then: first.then === "more" ? rest.then : first.then }),
    likely,
  });
}

/** The next post, which must be there. */
async function posted(trial: SlackTrial, expected: string, likely: string): Promise<Post> {
  const post = await trial.slack.next(trial.options.timeout);
  if (post) return post;
  if (likely === NO_CALL) trial.known.add(NO_CALL);
  throw new Mismatch({
    expected: `Slack gets ${quoted(expected)}`,
    got: "nothing",
    likely: trial.known.has(NO_CALL) ? NO_CALL : likely,
  });
}

const textOf = ({ values }: Post) => values.text ?? "";
/** The text as a reader in Slack sees it. */
const readable = (post: Post) => unescapeText(textOf(post)).trimEnd();

function mustBe({ slack }: SlackTrial, post: Post, text: string, likely?: string): void {
  const got = textOf(post);
  if (got.trimEnd() === text || readable(post) === text) {
    slack.taken.add(text);
    return;
  }
  const mistake = got.startsWith("b'")
    ? "it sends Python's way to show bytes, b'…': decode them, do not convert them with str()"
    : slack.taken.has(readable(post))
    ? TWICE
    : got === ""
    ? EMPTY
    : likely;
  throw new Mismatch({ expected: quoted(text), got: show(got), likely: mistake });
}

const QUIET = 300, MOST_SURPLUS = 10;

/** A check after which nothing more is posted; whatever is, is not taken for what a later check waits for. */
function andNoMore(check: Check<SlackTrial>): Check<SlackTrial> {
  return {
    ...check,
    deadline: 30_000,
    async run(trial) {
      const { slack } = trial;
      try {
        await check.run(trial);
        const more = await slack.next(QUIET);
        if (!more) return;
        const again = slack.taken.has(readable(more));
        throw new Mismatch({
          expected: "one post for each message",
          got: `${show(textOf(more))} ${again ? "once more" : "as well"}`,
          likely: again ? TWICE : textOf(more) === "" ? EMPTY : undefined,
        });
      } catch (error) {
        for (let count = 0; count < MOST_SURPLUS && await slack.next(QUIET);) count++;
        slack.clear();
        throw error;
      }
    },
  };
}

const thanks: Check<SlackTrial> = {
  name: "a message is thanked for",
  first: true,
  ifGone: NO_LOOP,
  run: (trial) =>
    tell(trial, "hello Slack", "it does not answer: look whether recv and sendall are reached"),
};

const forwarded: Check<SlackTrial> = {
  name: "it is posted to Slack, by chat.postMessage",
  ifGone: NO_LOOP,
  async run(trial) {
    const post = await posted(trial, "hello Slack", NO_CALL);
    remember(trial, post);
    if (post.path !== WAY || post.method !== "POST") {
      throw new Mismatch({
        expected: `POST ${WAY}`,
        got: quoted(`${post.method} ${post.path}`, { limit: 80 }),
        likely: post.path === WAY
          ? "it is a request of another kind: Slack's methods that change something want POST"
          : "it calls another method: the one for messages is chat.postMessage",
      });
    }
    mustBe(trial, post, "hello Slack", "the text is not what was sent");
  },
};

/** What the first post was like, apart from its text, for the checks that follow. */
function remember({ known }: SlackTrial, post: Post): void {
  if (post.token) known.add("token");
  if (post.tokenInUrl) known.add("token in the URL");
  if (/^#?bot$/.test(post.values.channel ?? "")) known.add("channel");
}

function mustHaveCome(known: Set<string>, expected: string): void {
  if (known.has(NO_CALL)) throw new Mismatch({ expected, got: "no post", likely: NO_CALL });
}

const token: Check<SlackTrial> = {
  name: "it comes with a token, which is not in the URL",
  ifGone: NO_LOOP,
  run({ known }) {
    if (known.has("token") && !known.has("token in the URL")) return Promise.resolve();
    const expected = "a header Authorization: Bearer TOKEN";
    mustHaveCome(known, expected);
    throw new Mismatch({
      expected,
      got: known.has("token in the URL") ? "a token in the URL" : "no token",
      likely: known.has("token in the URL")
        ? "what stands in a URL is kept in logs: a token goes into the header"
        : "Slack wants to know who calls: send the token from SLACK_TOKEN",
    });
  },
};

const channel: Check<SlackTrial> = {
  name: "it goes to the channel #bot",
  ifGone: NO_LOOP,
  run({ known }) {
    if (known.has("channel")) return Promise.resolve();
    mustHaveCome(known, '"#bot"');
    const likely = 'the channel is one of the arguments: channel="#bot"';
    throw new Mismatch({ expected: '"#bot"', got: "another channel, or none", likely });
  },
};

const nextClients: Check<SlackTrial> = {
  name: "further clients are thanked, and their messages posted",
  ifGone: NO_LOOP,
  async run(trial) {
    for (const text of ["one more", "and another"]) {
      await tell(
        trial,
        text,
        "accept stands before the loop: each client needs an accept of its own",
      );
      mustBe(trial, await posted(trial, text, NO_LOOP), text, "messages get mixed up");
    }
  },
};

const longer: Check<SlackTrial> = {
  name: "a message that is longer than the lecture's buffer stays one message",
  async run(trial) {
    const text = "Call Slack to get the list of channels";
    const likely =
      "each recv becomes a message of its own, of 20 bytes at most: gather until the line feed";
    await tell(trial, text, likely);
    mustBe(trial, await posted(trial, text, likely), text, likely);
  },
};

const characters: Check<SlackTrial> = {
  name: "all characters arrive as they are",
  async run(trial) {
    const text = 'é€😀 "1 < 2" & a=b+c %41';
    await tell(trial, text, "a message with characters of several bytes makes it fail");
    const likely =
      "characters get lost or changed: let the library make the form or the JSON, and decode as UTF-8";
    mustBe(trial, await posted(trial, text, likely), text, likely);
  },
};

const twoLines: Check<SlackTrial> = {
  name: "two lines at once are two messages, in their order",
  async run(trial) {
    const likely = "it takes what one recv gives for one message: a message ends at its line feed";
    await tell(trial, "first\nsecond", likely);
    for (const text of ["first", "second"]) {
      mustBe(trial, await posted(trial, text, likely), text, likely);
    }
  },
};

const busy: Check<SlackTrial> = {
  name: "when Slack says wait (429, Retry-After: 1), the message is posted a second later",
  deadline: 20_000,
  ifGone: "an answer of 429 ends it: it is no error of yours, wait as long as Retry-After says",
  async run(trial) {
    trial.slack.busy = 1;
    const text = "patience";
    const likely =
      "the message is lost when Slack has too much to do: wait as long as Retry-After says, and post it " +
      "again";
    // who thanks when it is posted waits for that second as well
    const patience = trial.options.timeout + 2_000;
    await tell(trial, text, likely, patience).catch(async (error) => {
      await pause(300); // a program takes a moment to end
      (await trial.connect())[Symbol.dispose](); // throws when it has
      throw error;
    });
    const sent = "429 and Retry-After: 1 to the first attempt";
    const post = await trial.slack.next(patience);
    if (!post) throw new Mismatch({ sent, expected: "another attempt", got: "none", likely });
    mustBe(trial, post, text, likely);
    if (trial.slack.early === 0) return;
    throw new Mismatch({
      sent,
      expected: "the next attempt a second later",
      got: `one that was ${Math.round(trial.slack.early)} ms too early`,
      likely: "it does not wait as long as Retry-After says before it tries again",
    });
  },
};

const leavers: Check<SlackTrial> = {
  name: "a client that leaves without a word does no harm, and posts nothing",
  ifGone: CATCH,
  async run(trial) {
    (await trial.connect())[Symbol.dispose]();
    await tell(trial, "the end", CATCH);
    mustBe(trial, await posted(trial, "the end", CATCH), "the end");
  },
};

/** In the order in which they are tried. */
export const SLACK_CHECKS: Check<SlackTrial>[] = [
  thanks,
  andNoMore(forwarded),
  token,
  channel,
  ...[nextClients, longer, characters, twoLines, busy, leavers].map(andNoMore),
];
