/**
 * The checker of mail clients: right ones pass, our own among them, and of each wrong one it names the mistake.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { SMTP_CHECKS } from "../../lib/check/smtp_checks.ts";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { SmtpSession } from "../../lib/smtp_session.ts";
import { hello, sendMail } from "../../scripts/mail/smtp_client.ts";
import { judgeClient, talking } from "./wrong/clients.ts";
import { firstFailure, testWrong } from "./wrong/serving.ts";
import { MAIL_CLIENTS, mailClient } from "./wrong/smtp.ts";

Deno.test("check_smtp finds nothing wrong when the client is mail/smtp_client", async () => {
  const mail = new TextEncoder().encode("From: ada@example.org\n\n.This line begins with a dot\n");
  const dialogue = new Dialogue({ print: () => {} });
  const results = await judgeClient(
    SMTP_CHECKS,
    talking(async (connection) => {
      using session = new SmtpSession(connection, { hostname: "127.0.0.1", dialogue });
      try {
        await session.reply("the connection");
        await hello(session);
        const envelope = { from: "ada@example.org", to: ["bob@example.org"], mail };
        await sendMail(session, envelope);
      } finally {
        await session.quit();
      }
    }),
  );
  assertEquals(firstFailure(results), "all passed");
  assertEquals(results.length, 12);
});

testWrong(
  "check_smtp",
  MAIL_CLIENTS.map(([mistake, client, verdict]) => [
    mistake,
    () => judgeClient(SMTP_CHECKS, talking(mailClient(client))),
    verdict,
  ]),
);

Deno.test("check_smtp fails the check of the mail's form, and no other, when the mail has no From", async () => {
  const client = mailClient({
    mail: "Subject: x\r\n\r\nhello\r\n..This line begins with a dot\r\n.\r\n",
  });
  const results = await judgeClient(SMTP_CHECKS, talking(client), { all: true });
  const failed = results.filter(({ outcome }) => outcome === "failed");
  assertEquals(failed.map(({ name }) => name.slice(0, 19)), ["the mail has fields"]);
});
