/**
 * The checker of mail clients on programs in Python: right ones pass, smtplib among them, and of each wrong one it
 * names the mistake.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { SMTP_CHECKS } from "../../lib/check/smtp_checks.ts";
import { judgeClient } from "../lessons/wrong/clients.ts";
import { firstFailure } from "../lessons/wrong/serving.ts";
import { peerTest, python } from "./peers.ts";
import { Process } from "./process.ts";

const VERDICTS: Record<string, RegExp> = {
  right: /^all passed$/,
  smtplib: /^all passed$/,
  at_once: /without waiting for the 354|another word comes first/,
  lf: /a line ends with/,
  no_brackets: /in angle brackets/,
  one_dot: /gets a second one/,
  no_end: /the end of the mail is missing/,
  no_quit: /it closes too early/,
  recv: /a dash behind the code|one recv gives what is there/,
  all_good: /it does not look at the code/,
};

peerTest(
  "check_smtp passes what is right, and names the mistake, when mail clients are in Python",
  [
    "python3",
  ],
  async () => {
    const kinds = Object.keys(VERDICTS);
    const verdicts: Record<string, string> = {};
    const worker = async () => {
      for (let kind; (kind = kinds.shift()) !== undefined;) {
        const program = kind;
        const results = await judgeClient(SMTP_CHECKS, async (port) => {
          await using client = new Process(python("wrong/mail_client.py", program, port));
          await client.end();
        });
        verdicts[kind] = firstFailure(results);
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
    for (const [kind, verdict] of Object.entries(VERDICTS)) {
      assertMatch(`${verdicts[kind]}`, verdict, kind);
    }
    assertEquals(Object.keys(verdicts).length, Object.keys(VERDICTS).length);
  },
);
