/**
 * The replies of an SMTP server: a code of three digits and a text, on one line or on many.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321#section-4.2 RFC 5321, 4.2}
 * @module
 */

import { DeadlineError } from "./deadline.ts";
import { visible } from "./display.ts";
import { LimitError, type ReadOptions, type SocketReader, UnexpectedEof } from "./reader.ts";

/** What a server answered to one command. */
export interface SmtpReply {
  /** 200 to 599. The first digit tells most: 2 done, 3 go on, 4 not now, 5 not this way. */
  code: number;
  /** The texts of its lines, without the codes. */
  lines: string[];
  /** Code and texts as one line. */
  text: string;
}

/** Limits of {@linkcode readSmtpReply}. */
export interface SmtpReplyOptions extends ReadOptions {
  /** Told of each line when it comes. */
  onLine?: (line: string) => void;
  /** Takes secrets out of a text, which a server may repeat: out of what the reply and errors tell. */
  masked?: (text: string) => string;
}

/** What came is no SMTP reply. */
export class SmtpReplyError extends Error {
  override name = "SmtpReplyError";
}

const LONGEST_LINE = 4_096; // the standard has 512, and some write more
const MOST_LINES = 200;

/**
 * Reads one reply: lines `250-…` and a last one `250 …`, all with one code. A reply of which the end is missing
 * is none: `250` could have become `250-but`.
 *
 * @param options.timeout milliseconds until all of it must have come; the reader's own unless told
 * @throws {SmtpReplyError} for what is no reply, for more than 200 lines, and when the stream ends
 * @throws {DeadlineError} when it does not come in time
 *
 * @example
 * ```ts
 * import { readSmtpReply } from "./smtp_reply.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const said = "250-mail.example.org\r\n250-PIPELINING\r\n250 SIZE 1000\r\n";
 * const reply = await readSmtpReply(SocketReader.from(new TextEncoder().encode(said)));
 * assertEquals(reply.code, 250);
 * assertEquals(reply.lines, ["mail.example.org", "PIPELINING", "SIZE 1000"]);
 * ```
 */
export async function readSmtpReply(
  reader: SocketReader,
  options: SmtpReplyOptions = {},
): Promise<SmtpReply> {
  const { onLine, masked = (text) => text, timeout = 30_000, ...rest } = options;
  const due = performance.now() + timeout;
  const lines: string[] = [];
  let code: string | undefined;
  while (lines.length < MOST_LINES) {
    const left = { ...rest, timeout: Math.max(1, Math.ceil(due - performance.now())) };
    const line = await readLine(reader, left, lines.length > 0).catch((error) => {
      // lines that come slowly do not make the wait longer
      throw error instanceof DeadlineError ? new DeadlineError(timeout) : error;
    });
    onLine?.(line);
    const found = /^([2-5][0-5]\d)(?:([ -])(.*))?$/s.exec(line);
    if (!found) {
      throw new SmtpReplyError(`"${visible(masked(line).slice(0, 200))}" is no SMTP reply`);
    }
    code ??= found[1]!;
    if (found[1] !== code) {
      throw new SmtpReplyError(`a reply began with ${code} and went on with ${found[1]}`);
    }
    lines.push(masked(found[3] ?? ""));
    if (found[2] === "-") continue;
    return { code: Number(code), lines, text: `${code} ${lines.join(" ")}`.trimEnd() };
  }
  throw new SmtpReplyError(`a reply has more than ${MOST_LINES} lines`);
}

async function readLine(reader: SocketReader, options: ReadOptions, inside: boolean) {
  try {
    const bytes = await reader.readUntil("\n", { ...options, limit: LONGEST_LINE });
    if (bytes) return new TextDecoder().decode(bytes).replace(/\r$/, "");
  } catch (error) {
    if (error instanceof LimitError) {
      throw new SmtpReplyError(`a line of a reply is longer than ${LONGEST_LINE} bytes`);
    }
    if (!(error instanceof UnexpectedEof)) throw error;
    inside = true;
  }
  throw new SmtpReplyError(
    `the server closed the connection ${inside ? "in the middle of" : "without"} a reply`,
  );
}
