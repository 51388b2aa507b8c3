/**
 * The checker of servers that forward to Slack, on programs in Python.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { arrival } from "../../lib/check/arrival.ts";
import { runChecks } from "../../lib/check/check.ts";
import { SLACK_CHECKS } from "../../lib/check/slack_checks.ts";
import { SlackStandIn, slackTrials } from "../../lib/check/slack_trial.ts";
import { firstFailure } from "../lessons/wrong/serving.ts";
import { freePort, peerTest, python, startPeer } from "./peers.ts";

/** What the checker says of a program. */
async function verdictOf(kind: string): Promise<string> {
  await using slack = await SlackStandIn.listen({ hostname: "127.0.0.1", port: 0 });
  const where = { hostname: "127.0.0.1", port: freePort() };
  const api = `http://127.0.0.1:${slack.addr.port}/api`;
  const command = python("wrong/slack_server.py", kind, where.port, api);
  await using _server = await startPeer(command, /^listening/);
  const first = await arrival(where, 10_000);
  const begin = slackTrials(where, { timeout: 3_000, silence: 0 }, slack, first);
  return firstFailure(await runChecks(SLACK_CHECKS, begin, { stopAtFirst: true }));
}

const VERDICTS: Record<string, RegExp> = {
  right: /^all passed$/,
  silent: /it does not answer/,
  no_call: /it does not call Slack/,
  get: /Slack's methods that change something want POST/,
  method: /the one for messages is chat.postMessage/,
  no_token: /Slack wants to know who calls/,
  url_token: /what stands in a URL is kept in logs/,
  channel: /the channel is one of the arguments/,
  accept_once: /accept stands before the loop/,
  one_client: /further clients .*it serves one client and no more/,
  twice: /posted to Slack.*it posts a message more than once/,
  empty: /posted to Slack.*what is no message is posted/,
  hasty: /ms too early: it does not wait as long as Retry-After says/,
  twenty: /each recv becomes a message of its own, of 20 bytes at most/,
  representation: /Python's way to show bytes/,
  latin: /characters get lost or changed/,
  one_recv: /it takes what one recv gives for one message/,
  lossy: /the message is lost when Slack has too much to do/,
  crash: /an answer of 429 ends it/,
};

peerTest(
  "check_tcp_to_slack passes what is right, and names the mistake, when servers are in Python",
  ["python3"],
  async () => {
    const kinds = Object.keys(VERDICTS);
    const wrongVerdicts: string[] = [];
    const worker = async () => {
      for (let kind; (kind = kinds.shift()) !== undefined;) {
        const verdict = await verdictOf(kind);
        if (!VERDICTS[kind]!.test(verdict)) wrongVerdicts.push(`${kind}: ${verdict}`);
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
    assertEquals(wrongVerdicts, []);
  },
);
