/**
 * The replies of an FTP server: a code of three digits and a text, on one line or on many.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc959#section-4.2 RFC 959, 4.2}
 * @module
 */

import { DeadlineError } from "./deadline.ts";
import type { NetEndpoint } from "./address.ts";
import type { SocketReader } from "./reader.ts";
import { visible } from "./display.ts";

/** What a server answered to one command. */
export interface Reply {
  /** 100 to 599. The first digit tells most: 1 wait, 2 done, 3 go on, 4 not now, 5 never. */
  code: number;
  /** All its lines as they came, without their ends. */
  lines: string[];
  /** What stands behind the code in the last line. */
  text: string;
}

/** Limits of {@linkcode readReply}. */
export interface ReplyOptions {
  /** Milliseconds until all of it must have come; 30,000 unless told. */
  timeout?: number;
  /** The most lines; 200 unless told. Each has at most 4,096 bytes. */
  lines?: number;
  /** Told of each line when it comes. */
  onLine?: (line: string) => void;
  /** Takes secrets out of a text, which a server may repeat: out of what the reply and errors tell. */
  masked?: (text: string) => string;
  signal?: AbortSignal;
}

const LONGEST_LINE = 4_096;

/** What came is no FTP reply. */
export class ReplyError extends Error {
  override name = "ReplyError";
}

/**
 * Reads one reply. A line `220-…` begins a reply of many lines, and only `220 …` with the same code ends
 * it: a line in between may look like another reply, and is none.
 *
 * @throws {ReplyError} for what is no reply, for too many lines, and when the stream ends before or inside it
 * @throws {LimitError} for a line that is too long
 * @throws {DeadlineError} when it does not come in time
 *
 * @example
 * ```ts
 * import { readReply } from "./ftp_reply.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const said = "211-Features:\r\n500 is not the end\r\n211 End\r\n";
 * const reply = await readReply(SocketReader.from(new TextEncoder().encode(said)));
 * assertEquals([reply.code, reply.text, reply.lines.length], [211, "End", 3]);
 * ```
 */
export async function readReply(reader: SocketReader, options: ReplyOptions = {}): Promise<Reply> {
  const { timeout = 30_000, lines: most = 200, onLine, signal } = options;
  const { masked = (text) => text } = options;
  const due = performance.now() + timeout;
  const lines: string[] = [];
  for (let code = "";;) {
    const line = reader.tryLine({ limit: LONGEST_LINE }) ??
      await reader.readLine({
        limit: LONGEST_LINE,
        timeout: Math.max(1, due - performance.now()),
        signal,
      }).catch((error) => {
        // the time for all of it, not what was left for its last line
        throw error instanceof DeadlineError ? new DeadlineError(timeout) : error;
      });
    if (line === null) {
      throw new ReplyError(
        lines.length === 0
          ? "the server closed the connection without a reply"
          : "the server closed the connection in the middle of a reply",
      );
    }
    if (lines.length === most) {
      throw new ReplyError(`the server's reply has more than ${most} lines`);
    }
    lines.push(masked(line));
    onLine?.(line);
    if (code === "") {
      const found = /^([1-5][0-9]{2})(?:([ -])|$)/.exec(line);
      if (!found) throw new ReplyError(`"${visible(masked(line).slice(0, 80))}" is no FTP reply`);
      code = found[1]!;
      if (found[2] !== "-") return { code: Number(code), lines, text: masked(line.slice(4)) };
    } else if (line === code || line.startsWith(`${code} `)) {
      return { code: Number(code), lines, text: masked(line.slice(4)) };
    }
  }
}

/** The port in `229 Entering Extended Passive Mode (|||6446|)`; any character may stand in place of `|`. */
export function extendedPort({ text }: Pick<Reply, "text">): number {
  const found = /\(([\x21-\x7e])\1\1(\d{1,5})\1\)/.exec(text);
  return checkedPort(Number(found?.[2]), text);
}

/** Address and port in `227 Entering Passive Mode (h1,h2,h3,h4,p1,p2)`; the parentheses may be missing. */
export function passiveAddress({ text }: Pick<Reply, "text">): NetEndpoint {
  const numbers = /(?<![\d,])(\d{1,3}(?:,\d{1,3}){5})(?![\d,])/.exec(text)?.[1]?.split(",").map(
    Number,
  );
  if (!numbers || numbers.some((number) => number > 255)) {
    return { hostname: "", port: checkedPort(NaN, text) };
  }
  const [high, low] = numbers.slice(4);
  return { hostname: numbers.slice(0, 4).join("."), port: checkedPort(high! * 256 + low!, text) };
}

function checkedPort(port: number, text: string): number {
  if (port >= 1 && port <= 65_535) return port;
  throw new ReplyError(`no data port stands in "${visible(text.slice(0, 80))}"`);
}
