/**
 * What a forwarder to Slack needs, whatever it gets its messages from: a place where they are safe, and
 * somebody who carries them over.
 *
 * @module
 */

import { quoted } from "./display.ts";
import { Outbox } from "./outbox.ts";
import { callSlack, SlackError } from "./slack.ts";
import { fitText } from "./slack_text.ts";
import { Spool, type SpoolOptions } from "./spool.ts";
import { requireToken, type Token } from "./token.ts";

/** Where messages go, and where they wait. */
export interface SlackOutboxOptions extends SpoolOptions {
  /** Where the API is: `https://slack.com/api`. */
  api: string;
  /** A channel's name with `#`, or its id. */
  channel: string;
  /** The folder in which messages wait. */
  spool: string;
  /** Milliseconds between two messages to the channel; Slack takes one a second. */
  pace: number;
}

/** The way to a Slack channel; its token comes from `SLACK_TOKEN`. */
export interface SlackOutbox extends AsyncDisposable {
  /**
   * Takes a message: when this is done it will be sent, even if this process is killed.
   *
   * @throws {SpoolFullError} when too many wait already
   */
  accept(text: string): Promise<void>;
  /** Settles after `shutdown`; rejects when nothing more can be sent, as with a revoked token. */
  readonly finished: Promise<void>;
  /** Sends what can go at once; the rest waits in the folder for the next start. */
  shutdown(): Promise<void>;
}

/**
 * Opens the way to a Slack channel. A token that Slack refuses is told now; when Slack cannot be asked,
 * messages are taken nevertheless, and sent when it is back.
 *
 * @throws {SlackError} when the token is not valid
 * @throws {ActionError} when the folder cannot be used, or Deno was not given a permission
 * @throws {UsageError} when `SLACK_TOKEN` is not set
 */
export async function openSlackOutbox(options: SlackOutboxOptions): Promise<SlackOutbox> {
  const { api, channel, pace } = options;
  const token = requireToken("SLACK_TOKEN");
  const spool = await Spool.open(options.spool, options);
  try {
    await checkToken(api, token);
  } catch (error) {
    await spool[Symbol.asyncDispose]();
    throw error;
  }
  if (spool.size > 0) {
    console.error(`sending what waited in ${options.spool}: ${spool.size}`);
  }
  const outbox = new Outbox(spool, {
    pace,
    async post({ channel, text }, signal) {
      await callSlack(api, "chat.postMessage", { channel, text }, { token, signal });
      console.log(`sent to ${channel}: ${quoted(text)}`);
    },
  });

  let closing: Promise<void> | undefined;
  const close = async () => {
    await outbox.shutdown();
    const { size } = spool;
    await spool[Symbol.asyncDispose]();
    if (size > 0) {
      console.error(`not sent yet, kept in ${options.spool} for the next start: ${size}`);
    }
  };
  const shutdown = () => closing ??= close();
  return {
    async accept(original) {
      const { text, leftOut } = fitText(original);
      if (leftOut > 0) {
        console.error(`a message is too long for Slack: ${leftOut} characters are left out`);
      }
      await spool.append({ channel, text });
    },
    finished: outbox.finished,
    shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}

async function checkToken(api: string, token: Token): Promise<void> {
  try {
    await callSlack(api, "auth.test", {}, { token, timeout: 3_000 });
  } catch (error) {
    if (!(error instanceof SlackError) || error.fault !== "again") throw error;
    console.error(`${error.message}; messages are taken and wait until it answers`);
  }
}
