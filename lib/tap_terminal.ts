/**
 * Shows on the terminal what a tap sees: one line for each thing that happens, and the bytes below it.
 *
 * @module
 */

import { hexdump, quoted } from "./display.ts";
import { otherSide, type TapEvent, type TapRecorder } from "./tap_event.ts";

/** How bytes are shown: as a quoted text, as hexadecimal digits with their characters, or not at all. */
export type ShowAs = "text" | "hex" | "none";

/** What is shown, and where. */
export interface TapTerminalOptions {
  /** `text` unless told; with `none` only beginnings and ends are shown. */
  show?: ShowAs;
  /** The most bytes shown of one piece; 512 unless told. */
  most?: number;
  /** Takes the lines; they go to stdout unless told. */
  print?: (line: string) => void;
}

/**
 * Prints events as they come.
 *
 * @example
 * ```ts
 * import { TapTerminal } from "./tap_terminal.ts";
 * import { assertMatch } from "@std/assert";
 *
 * const end = { name: "127.0.0.1:80", hostname: "127.0.0.1", port: 80 };
 * const conversation = { number: 1, transport: "tcp" as const, client: end, server: end };
 * const lines: string[] = [];
 * const terminal = new TapTerminal({ print: (line) => lines.push(line) });
 * const bytes = new TextEncoder().encode("hi\r\n");
 * terminal.record({ kind: "data", conversation, from: "client", time: 0, bytes });
 * assertMatch(lines[0]!, /^\d\d:\d\d:00\.000000 {2}1 {2}client → server {2}4 bytes {2}"hi\\r\\n"$/);
 * ```
 */
export class TapTerminal implements TapRecorder {
  readonly #show: ShowAs;
  readonly #most: number;
  readonly #print: (line: string) => void;

  constructor(options: TapTerminalOptions = {}) {
    const { show = "text", most = 512, print = (line) => console.log(line) } = options;
    this.#show = show;
    this.#most = most;
    this.#print = print;
  }

  record({ kind, conversation, from, time, bytes }: TapEvent): void {
    if (kind === "delivered") return;
    const begins = `${clock(time)}  ${conversation.number}  `;
    const { client, server } = conversation;
    if (kind === "data") {
      if (this.#show !== "none") this.#print(begins + this.#shown(from, bytes!));
      return;
    }
    this.#print(
      begins + {
        asked: `${client.name} connects to ${server.name}`,
        connected: "connected",
        refused: "refused: nothing is listening there",
        unreachable: "no connection came about",
        end: `${from} ends its side`,
        reset: `${from} resets the connection`,
      }[kind],
    );
  }

  #shown(from: TapEvent["from"], bytes: Uint8Array): string {
    const count = `${bytes.length} byte${bytes.length === 1 ? "" : "s"}`;
    const line = `${from} → ${otherSide(from)}  ${count}`;
    if (this.#show === "text") return `${line}  ${quoted(bytes, { limit: this.#most })}`;
    const more = bytes.length > this.#most ? `\n… ${bytes.length - this.#most} more` : "";
    return `${line}\n${hexdump(bytes.subarray(0, this.#most))}${more}`;
  }
}

/** The time of day, to a microsecond. */
function clock(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  const microseconds = String(Math.floor(time * 1_000) % 1e6).padStart(6, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${
    two(date.getSeconds())
  }.${microseconds}`;
}
