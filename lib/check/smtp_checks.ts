/**
 * What a mail client must do that a student has written by hand, from the first word to the hard cases.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321 RFC 5321}
 * @module
 */

import { type Check, Mismatch } from "./check.ts";
import type { ClientTrial } from "./client_trial.ts";
import { show } from "./exchange.ts";
import { SmtpTalk } from "./smtp_talk.ts";

/** Who must get the mail, and a line that must be in it. */
export const RECIPIENT = "bob@example.org", LINE = ".This line begins with a dot";

/** The steps at which a server answers. */
const ANSWERS = {
  greeting: "220 localhost waits for your mail",
  hello: "250 localhost",
  sender: "250 OK",
  recipient: "250 OK",
  data: "354 Go on; end with a dot on a line of its own",
  mail: "250 Stored",
  quit: "221 Goodbye",
};
type Step = keyof typeof ANSWERS;

/** What a server does at a step; that it answers is all unless told. */
type Manner = (talk: SmtpTalk, step: Step) => Promise<void>;
const plainly: Manner = (talk, step) => talk.say(`${ANSWERS[step]}\r\n`);

/** Throws unless a line has the form. */
function must(line: string, form: RegExp, expected: string, likely: string): void {
  if (!form.test(line)) throw new Mismatch({ expected, got: show(line), likely });
}

const ORDER =
  "another word comes first: the order is HELO, MAIL FROM, RCPT TO, DATA, the mail, QUIT";

function judgeSender(line: string): void {
  const form = /^MAIL FROM: ?<[^<>\s]*>( .*)?$/i;
  const expected = "MAIL FROM:<you@example.org>";
  must(line, /^MAIL\b/i, expected, ORDER);
  must(line, form, expected, "the address stands in angle brackets, behind MAIL FROM and a colon");
}

function judgeRecipient(line: string): void {
  const expected = `RCPT TO:<${RECIPIENT}>`;
  must(line, /^RCPT\b/i, expected, ORDER);
  must(
    line,
    /^RCPT TO: ?<[^<>\s]+>( .*)?$/i,
    expected,
    "the address stands in angle brackets, behind RCPT TO and a colon",
  );
  must(line, new RegExp(`<${RECIPIENT}>`, "i"), expected, "the mail is for somebody else");
}

/** How the mail is built: fields, an empty line, the text. */
function judgeMail(lines: string[]): void {
  const empty = lines.indexOf("");
  const got = show(lines.slice(0, 5).join("\r\n"));
  const expected = "fields such as From: you@example.org, an empty line, and the text";
  if (empty < 0 || empty === 0) {
    const likely = empty < 0
      ? "the empty line between the fields and the text is missing"
      : "the fields are missing: From: and Subject: stand above the empty line";
    throw new Mismatch({ expected, got, likely });
  }
  // a value may go on behind an end of line and a blank (RFC 5322, 2.2.3)
  const fields = lines.slice(0, empty).join("\r\n").replace(/\r\n(?=[ \t])/g, "").split("\r\n");
  const wrong = fields.find((field) => !/^[!-9;-~]+:/.test(field));
  if (wrong !== undefined) {
    throw new Mismatch({
      expected,
      got: show(wrong),
      likely: "a field is a name, a colon and a value",
    });
  }
  if (!fields.some((field) => /^From:\s*\S/i.test(field))) {
    throw new Mismatch({ expected, got, likely: "the field From: is missing" });
  }
}

function judgeDots(lines: string[]): void {
  const body = lines.slice(lines.indexOf("") + 1);
  if (body.includes(`.${LINE}`)) return;
  const plain = body.includes(LINE);
  throw new Mismatch({
    expected: show(`.${LINE}`),
    got: plain ? show(LINE) : show(body.join("\r\n")),
    likely: plain
      ? "a line of the mail that begins with a dot gets a second one: the server takes one away, and else a dot alone would end the mail"
      : `the text has the line ${show(LINE)}, with one dot more on its way`,
  });
}

/** A conversation to its end. */
async function converse(
  talk: SmtpTalk,
  manner: Manner = plainly,
  judgeText: (lines: string[]) => void = () => {},
): Promise<void> {
  await manner(talk, "greeting");
  const hello = await talk.line("HELO and a name");
  must(hello, /^(HELO|EHLO)\b/i, "HELO and a name", ORDER);
  must(hello, /^\w+ +\S/, "HELO and a name", "the client's name is missing: HELO my.computer");
  await manner(talk, "hello");
  judgeSender(await talk.line("MAIL FROM"));
  await manner(talk, "sender");
  judgeRecipient(await talk.line("RCPT TO"));
  await manner(talk, "recipient");
  must(await talk.line("DATA"), /^DATA *$/i, "DATA", ORDER);
  await manner(talk, "data");
  judgeText(await talk.mail());
  await manner(talk, "mail");
  must(await talk.line("QUIT"), /^QUIT *$/i, "QUIT", ORDER);
  await manner(talk, "quit");
}

/** A check of what comes until a step is answered; what comes later is answered as well, and not judged. */
function upTo(
  name: string,
  last: Step,
  manner: Manner = plainly,
  judgeText?: (lines: string[]) => void,
): Check<ClientTrial> {
  return check(name, async (talk) => {
    let reached = false;
    try {
      await converse(talk, async (talk, step) => {
        await (reached ? plainly : manner)(talk, step);
        reached ||= step === last;
      }, judgeText);
    } catch (error) {
      if (!reached || !(error instanceof Mismatch)) throw error;
    }
  });
}

function check(name: string, run: (talk: SmtpTalk) => Promise<void>): Check<ClientTrial> {
  return {
    name,
    deadline: 600_000, // the client has to be started
    async run(trial) {
      const talk = new SmtpTalk(await trial.accept());
      try {
        await run(talk);
      } catch (error) {
        if (!(error instanceof Mismatch) || talk.said === "") throw error;
        throw new Mismatch({ sent: show(talk.said), ...error.finding });
      }
    },
  };
}

const EARLY = "it goes on without waiting for the answer: receive after each line that is sent";

/** Answers late at one step, and takes it amiss when the client does not wait. */
function lateAt(late: Step, likely: string): Manner {
  return async (talk, step) => {
    if (step === late) await talk.quiet(300, likely);
    await plainly(talk, step);
  };
}

/** Answers by several lines, with time between them. */
const manyLines: Manner = async (talk, step) => {
  const answer = ANSWERS[step];
  if (step === "greeting" || step === "hello") {
    await talk.say(`${answer.replace(" ", "-")}\r\n`);
    const likely =
      "a dash behind the code says that more lines follow: read on until a line has a space there";
    await talk.quiet(300, likely);
  }
  await talk.say(`${answer}\r\n`);
};

/** Answers in three pieces, with time between them. */
const inPieces: Manner = async (talk, step) => {
  const answer = ANSWERS[step];
  for (const piece of [answer.slice(0, 2), answer.slice(2, 9)]) {
    await talk.say(piece);
    await talk.quiet(
      100,
      "one recv gives what is there, perhaps half an answer: read on until \\r\\n has come",
    );
  }
  await talk.say(`${answer.slice(9)}\r\n`);
};

const ENDED =
  'it does not notice that the server has ended: recv then gives b"" (read gives null); leave then';
const DEAF = { speaks: ENDED, stays: ENDED };
const UNREAD = {
  speaks: "it does not look at the code of the answer: 4 and 5 in front mean that it was refused",
  stays: "it neither goes on nor gives up: after a refusal say QUIT, and close",
};
const OPEN = "it does not close its connection after the 221";

/** Answers with a refusal at one step, and ends the check there. */
function refusedAt(name: string, step: Step, refusal: string, end: boolean): Check<ClientTrial> {
  return check(name, async (talk) => {
    let refused = false;
    await converse(talk, async (talk, now) => {
      if (now !== step) return await plainly(talk, now);
      refused = true;
      await talk.say(`${refusal}\r\n`);
      if (end) await talk.end();
      // who said EHLO may try HELO after any refusal (RFC 5321, 3.2)
      if (end) await talk.closed(show(refusal), DEAF, /^(QUIT|RSET|HELO .*)$/i);
      else await talk.closed(show(refusal), UNREAD);
      throw new Over();
    }).catch((error) => {
      if (!refused || !(error instanceof Over)) throw error;
    });
  });
}

/** The conversation has come to the end that it should. */
class Over extends Error {}

/** The checks, one conversation each, and so one start of the client. */
export const SMTP_CHECKS: Check<ClientTrial>[] = [
  {
    ...upTo(
      "it waits for the server's 220, and then says HELO or EHLO with a name",
      "hello",
      lateAt("greeting", "the server speaks first: receive its 220 before you send anything"),
    ),
    first: true,
  },
  upTo("MAIL FROM and RCPT TO name sender and recipient", "data"),
  upTo(
    "it waits for the 354 before it sends the mail",
    "data",
    lateAt("data", "it sends the mail without waiting for the 354: that may say no"),
  ),
  upTo(
    "the mail has fields, an empty line, the text, and a single dot for its end",
    "mail",
    plainly,
    judgeMail,
  ),
  upTo("a line that begins with a dot gets a second one", "mail", plainly, judgeDots),
  check("when the mail is stored, it says QUIT, and closes", async (talk) => {
    await converse(talk);
    await talk.closed(show("221 Goodbye"), { speaks: OPEN, stays: OPEN }, /^$/);
  }),
  upTo("it waits for each answer", "mail", async (talk, step) => {
    await talk.quiet(200, EARLY);
    await plainly(talk, step);
  }),
  upTo("it takes an answer of several lines for one answer", "mail", manyLines),
  upTo("it waits for the rest of an answer that comes in pieces", "mail", inPieces),
  refusedAt(
    "when the recipient is refused, it sends no mail",
    "recipient",
    "550 Nobody of that name",
    false,
  ),
  refusedAt("when the server has no time, it gives up", "hello", "421 Come back later", true),
  check("when the server ends without a word, it ends too", async (talk) => {
    await converse(talk, async (talk, step) => {
      if (step !== "sender") return await plainly(talk, step);
      await talk.end();
      await talk.closed("the end of the stream", DEAF);
      throw new Over();
    }).catch((error) => {
      if (!(error instanceof Over)) throw error;
    });
  }),
];
