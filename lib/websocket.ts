/**
 * A conversation over WebSocket, once the handshake is done: messages, and what goes on between them.
 *
 * @module
 */

import type { ByteBudget } from "./byte_budget.ts";
import { DeadlineError, within } from "./deadline.ts";
import { type SocketReader, UnexpectedEof } from "./reader.ts";
import { type Closing, decodeClosing, decodeText, encodeClosing } from "./websocket_closing.ts";
import { encodeFrame, type Frame, OPCODES, readFrame, WebSocketError } from "./websocket_frame.ts";
import { writeAll } from "./write_all.ts";

export { WebSocketError };

/** How a conversation is led. */
export interface ConversationOptions {
  /** Which side this is: a client masks what it sends. */
  role: "client" | "server";
  /** The most bytes of a message, all its pieces together; 2 MiB unless told. */
  limit?: number;
  /** The most pieces of a message; 10,000 unless told. */
  pieces?: number;
  /** After how many milliseconds of silence the other side is asked whether it is there; 30,000 unless told. */
  idle?: number;
  /** Memory that all conversations of a server share for long messages; no limit unless told. */
  budget?: ByteBudget;
  /** Told of pings, pongs and pieces of messages. */
  onFrame?: (frame: Frame) => void;
}

/** What each conversation may have without asking the budget: short messages always go through. */
const FREE = 16 * 1024;

/**
 * One end of a conversation. Pings are answered, pieces put together, texts checked; a peer that breaks the rules
 * or is not there any more is told why, and the conversation ends.
 *
 * @example
 * ```ts
 * import { SocketReader } from "./reader.ts";
 * import { WebSocketConversation } from "./websocket.ts";
 * import { assertEquals } from "@std/assert";
 *
 * // "Hel" and "lo" in two frames of a server, then its close frame with 1000
 * const frames = Uint8Array.of(0x01, 3, 72, 101, 108, 0x80, 2, 108, 111, 0x88, 2, 0x03, 0xe8);
 * const written: Uint8Array[] = [];
 * const write = (bytes: Uint8Array) => Promise.resolve(written.push(bytes) && bytes.length);
 * const socket = new WebSocketConversation(SocketReader.from(frames), { write }, { role: "client" });
 * assertEquals(await socket.receive(), "Hello");
 * assertEquals(await socket.receive(), null);
 * assertEquals(socket.closing, { code: 1000, reason: "" });
 * ```
 */
export class WebSocketConversation implements Disposable {
  /** Why the other side closed, once it has. */
  closing: Closing | undefined;
  readonly #reader: SocketReader;
  readonly #connection: Pick<Deno.Conn, "write">;
  readonly #options:
    & Required<Omit<ConversationOptions, "onFrame" | "budget">>
    & ConversationOptions;
  /** How many bytes of the budget are taken: by the message that comes, or came last. */
  #taken = 0;
  /** One frame after the other, whoever sends it. */
  #writing: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(
    reader: SocketReader,
    connection: Pick<Deno.Conn, "write">,
    options: ConversationOptions,
  ) {
    this.#reader = reader;
    this.#connection = connection;
    this.#options = { limit: 2 * 1024 * 1024, pieces: 10_000, idle: 30_000, ...options };
  }

  /**
   * The next message: a string for a text, bytes for a binary one; `null` when the other side has closed. The one
   * before is taken for done with: it counts no more in the budget.
   *
   * @throws {WebSocketError} when it broke the rules; it has been told so
   * @throws {UnexpectedEof} when the connection ended without a close frame
   */
  async receive(): Promise<string | Uint8Array<ArrayBuffer> | null> {
    this[Symbol.dispose]();
    try {
      return await this.#receive();
    } catch (error) {
      if (error instanceof WebSocketError) {
        // it may not listen any more: what was wrong is told to our side in any case
        const { code, message: reason } = error;
        await within(1_000, this.close({ code, reason })).catch(() => {});
      }
      throw error;
    }
  }

  /** Sends a message in one frame, or in pieces of so many bytes. */
  async send(message: string | Uint8Array, options: { piece?: number } = {}): Promise<void> {
    const text = typeof message === "string";
    const payload = text ? new TextEncoder().encode(message) : new Uint8Array(message);
    const piece = Math.max(1, options.piece ?? payload.length);
    let opcode: number = text ? OPCODES.text : OPCODES.binary;
    for (let at = 0;; opcode = OPCODES.continuation) {
      const part = payload.subarray(at, at += piece);
      const final = at >= payload.length;
      await this.#write({ final, opcode, payload: part });
      if (final) return;
    }
  }

  /** Asks whether the other side is there. Its pong comes while messages are received. */
  ping(payload: Uint8Array<ArrayBuffer> = new Uint8Array()): Promise<void> {
    return this.#write({ final: true, opcode: OPCODES.ping, payload });
  }

  /** Says that nothing more is sent from this side; the other side's close frame comes by `receive`. */
  async close(closing: Closing = { code: 1000, reason: "" }): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#write({ final: true, opcode: OPCODES.close, payload: encodeClosing(closing) });
  }

  /** Gives back what the last message took of the budget. */
  [Symbol.dispose](): void {
    this.#options.budget?.give(this.#taken);
    this.#taken = 0;
  }

  async #receive(): Promise<string | Uint8Array<ArrayBuffer> | null> {
    if (this.closing) return null;
    const { limit, pieces } = this.#options;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let kind: number | undefined;
    for (let length = 0;;) {
      const frame = await this.#nextFrame(limit - length, length);
      this.#options.onFrame?.(frame);
      const { opcode, payload, final } = frame;
      if (opcode === OPCODES.ping) {
        if (!this.#closed) await this.#write({ final: true, opcode: OPCODES.pong, payload });
      } else if (opcode === OPCODES.close) {
        this.closing = decodeClosing(payload);
        // answered with the same
        await this.close(this.closing).catch(() => {});
        return null;
      } else if (opcode !== OPCODES.pong) {
        if ((opcode === OPCODES.continuation) !== (kind !== undefined)) {
          throw new WebSocketError(
            1002,
            "a message begins in another, or goes on without a beginning",
          );
        }
        kind ??= opcode;
        length += payload.length;
        if (parts.push(payload) > pieces) {
          throw new WebSocketError(1009, `a message has more than ${pieces} pieces`);
        }
        if (!final) continue;
        const [first] = parts;
        const whole = parts.length === 1 ? first! : await new Blob(parts).bytes();
        return kind === OPCODES.text ? decodeText(whole) : whole;
      }
    }
  }

  /** Waits for a frame. Who is silent is asked by a ping, and has as long again to say anything. */
  async #nextFrame(limit: number, before: number): Promise<Frame> {
    const { idle, role } = this.#options;
    for (let asked = false;; asked = true) {
      try {
        // a control frame may come between the pieces of a message that is as long as it may be
        const options = {
          masked: role === "server",
          limit: Math.max(limit, 125),
          idle,
          admit: (bytes: number) => this.#admit(before + bytes),
        };
        const frame = await readFrame(this.#reader, options);
        if (!frame) throw new UnexpectedEof(0, "the other side's close frame");
        if (frame.opcode < 8 && frame.payload.length > limit) {
          throw new WebSocketError(1009, `a message has more than ${this.#options.limit} bytes`);
        }
        return frame;
      } catch (error) {
        if (!(error instanceof DeadlineError)) throw error;
        if (asked || this.#closed) {
          throw new WebSocketError(1001, `nothing came within ${idle / 1000} s`);
        }
        await this.ping();
      }
    }
  }

  /** Takes what a message of so many bytes needs. */
  #admit(bytes: number): void {
    const { budget } = this.#options;
    const more = bytes - FREE - this.#taken;
    if (!budget || more <= 0) return;
    if (!budget.take(more)) {
      throw new WebSocketError(1013, "too many long messages are under way here: try again later");
    }
    this.#taken += more;
  }

  #write(frame: Frame): Promise<void> {
    const mask = this.#options.role === "client"
      ? crypto.getRandomValues(new Uint8Array(4))
      : undefined;
    const bytes = encodeFrame(frame, mask);
    const writing = this.#writing.then(() => writeAll(this.#connection, bytes));
    this.#writing = writing.catch(() => {});
    return writing;
  }
}
