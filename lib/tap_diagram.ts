/**
 * Collects what a tap sees for a sequence diagram.
 *
 * @module
 */

import { quoted } from "./display.ts";
import { type Arrow, sequenceDiagram } from "./sequence_diagram.ts";
import type { TapEnd, TapEvent, TapRecorder } from "./tap_event.ts";

/** Limits of a diagram. */
export interface TapDiagramOptions {
  title: string;
  /** The most arrows; the first ones are drawn, the rest counted. 200 unless told. */
  arrows?: number;
  /** The most lines of life; what others do is counted. 8 unless told. */
  ends?: number;
}

/**
 * A diagram that grows by events.
 *
 * @example
 * ```ts
 * import { TapDiagram } from "./tap_diagram.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const client = { name: "127.0.0.1:50000", hostname: "127.0.0.1", port: 50000 };
 * const server = { name: "127.0.0.1:80", hostname: "127.0.0.1", port: 80 };
 * const conversation = { number: 1, transport: "tcp" as const, client, server };
 * const diagram = new TapDiagram({ title: "an exchange" });
 * diagram.record({ kind: "asked", conversation, from: "client", time: 0 });
 * assertStringIncludes(diagram.svg(), "127.0.0.1:50000");
 * ```
 */
export class TapDiagram implements TapRecorder {
  readonly #title: string;
  readonly #mostArrows: number;
  readonly #mostEnds: number;
  readonly #arrows: Arrow[] = [];
  readonly #clients = new Map<number, TapEnd>();
  #server: TapEnd | undefined;
  #began: number | undefined;
  #leftOut = 0;

  constructor({ title, arrows = 200, ends = 8 }: TapDiagramOptions) {
    this.#title = title;
    this.#mostArrows = arrows;
    this.#mostEnds = ends;
  }

  record(event: TapEvent): void {
    const { kind, conversation, from, time, bytes } = event;
    if (kind === "delivered") return;
    const known = this.#clients.has(conversation.number);
    if (
      this.#arrows.length >= this.#mostArrows ||
      !known && this.#clients.size + 1 >= this.#mostEnds
    ) {
      this.#leftOut++;
      return;
    }
    if (!known) this.#clients.set(conversation.number, conversation.client);
    this.#server ??= conversation.server;
    this.#began ??= time;
    const client = [...this.#clients.keys()].indexOf(conversation.number);
    const [start, end] = from === "client" ? [client, SERVER] : [SERVER, client];
    const text = {
      asked: "connect",
      connected: "connected",
      refused: "refused",
      unreachable: "no connection",
      data: `${bytes?.length}: ${bytes ? quoted(bytes, { limit: 40 }) : ""}`,
      end: "end",
      reset: "reset",
    }[kind];
    this.#arrows.push({
      from: start,
      to: end,
      text,
      time: time - this.#began,
      quiet: kind !== "data",
    });
  }

  /** The picture of all that was told so far. */
  svg(): string {
    const clients = [...this.#clients.values()];
    const server = clients.length;
    const placed = (end: number) => end === SERVER ? server : end;
    return sequenceDiagram({
      title: this.#title,
      ends: [...clients.map(({ name }) => name), this.#server?.name ?? "nothing was seen"],
      arrows: this.#arrows.map((arrow) => ({
        ...arrow,
        from: placed(arrow.from),
        to: placed(arrow.to),
      })),
      leftOut: this.#leftOut,
    });
  }
}

/** The server stands to the right of all clients, and how many there will be is not known before. */
const SERVER = -1;
