/**
 * Generated conversations with our server, beside a model of what RFC 5321 makes of each command.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { joined } from "../../lib/mail_lines.ts";
import { SocketReader } from "../../lib/reader.ts";
import { readSmtpReply } from "../../lib/smtp_reply.ts";
import { serveMail } from "../../scripts/mail/smtp_server.ts";
import { decode, encode } from "./helpers.ts";

/** What the standard knows of a client. */
class Model {
  hello = false;
  from: string | undefined;
  to: string[] = [];
  codes = [220];
  stored: string[] = [];
  wire = "";

  say(command: string): void {
    this.wire += `${command}\r\n`;
    this.codes.push(this.#answer(command));
    if (this.codes.at(-1) !== 354) return;
    // the mail, which begins with a dot and holds what could be a command
    this.wire += `..\r\nRSET\r\nfor ${this.to}\r\n.\r\n`;
    this.stored.push(`Return-Path: <${this.from}> .\r\nRSET\r\nfor ${this.to}\r\n`);
    this.codes.push(250);
    this.#reset();
  }

  #reset(): void {
    this.from = undefined;
    this.to = [];
  }

  #answer(command: string): number {
    const address = /<(.*)>/.exec(command)?.[1];
    switch (command.split(/[ :]/)[0]!.toUpperCase()) {
      case "EHLO":
      case "HELO":
        if (!command.includes(" ")) return 501;
        this.hello = true;
        this.#reset();
        return 250;
      case "MAIL":
        if (!this.hello || this.from !== undefined) return 503;
        if (address === undefined) return 501;
        this.from = address;
        return 250;
      case "RCPT":
        if (this.from === undefined) return 503;
        if (!address?.endsWith("@example.org")) return 550;
        this.to.push(address);
        return 250;
      case "DATA":
        return this.from === undefined || this.to.length === 0 ? 503 : 354;
      case "RSET":
        this.#reset();
        return 250;
      case "NOOP":
        return 250;
      case "VRFY":
        return 252;
      case "HELP":
        return 214;
      case "STARTTLS":
      case "EXPN":
        return 502;
      case "QUIT":
        return 221;
      default:
        return 500;
    }
  }
}

const commands = fc.constantFrom(
  ...["EHLO client.example", "helo client.example", "EHLO", "MAIL FROM:<alice@example.com>"],
  ...["mail from: <>", "MAIL FROM:alice@example.org", "RCPT TO:<bob@example.org>", "DATA", "data"],
  ...[
    "RCPT TO:<carol@example.org>",
    "Rcpt To:<dave@example.com>",
    "RSET",
    "NOOP x",
    "VRFY bob",
    "HELP",
  ],
  ...["STARTTLS", "EXPN all", "WHAT", "", ".", "..", "DATA ", "Subject: hello", "\u00fc"],
);
/** Long enough to get somewhere, and with fewer mistakes than end a conversation. */
const conversations = fc.array(commands, { minLength: 1, maxLength: 18 });

Deno.test("2,000 generated conversations get the replies and store the mails of the model", async () => {
  const stored: string[] = [];
  const errors: unknown[] = [];
  await using server = await serveMail(
    { hostname: "127.0.0.1", port: 0, onError: (error) => errors.push(error) },
    {
      store: (pieces) => {
        const [trace, ...mail] = pieces;
        const returnPath = decode(trace!).split("\r\n")[0];
        return Promise.resolve({ name: `${stored.push(`${returnPath} ${decode(joined(mail))}`)}` });
      },
      log: () => {},
    },
  );
  const { port } = server.addr as Deno.NetAddr;
  let mails = 0;
  const property = fc.asyncProperty(
    conversations,
    fc.boolean(),
    fc.nat(),
    async (list, quick, cut) => {
      const model = new Model();
      // half of them begin as they should: chance alone would seldom get to DATA
      if (quick) {
        for (
          const each of ["EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<c@example.org>"]
        ) model.say(each);
      }
      for (const command of list) model.say(command);
      model.say("QUIT");
      stored.length = 0;
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      const wire = encode(model.wire);
      const place = cut % wire.length;
      await connection.write(wire.subarray(0, place));
      await connection.write(wire.subarray(place));
      const reader = new SocketReader(connection);
      const codes: number[] = [];
      while (codes.length < model.codes.length) codes.push((await readSmtpReply(reader)).code);
      assertEquals(codes, model.codes);
      assertEquals(await reader.readLine(), null);
      assertEquals(stored, model.stored);
      mails += stored.length;
    },
  );
  await fc.assert(property, { numRuns: 2_000 });
  assert(mails > 150, `${mails}`);
  assertEquals(errors, []);
});
