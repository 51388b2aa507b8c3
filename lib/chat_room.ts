/**
 * Who is in a chat room, and what all of them hear.
 *
 * @module
 */

import { chatName, nameKey } from "./chat_name.ts";
import { ChatQueue, emptied, type Sink } from "./chat_queue.ts";

/** How many characters may be told before the members get time to take them. */
const AT_ONCE = 16 * 1024;
/** How long they get, in milliseconds. */
const PATIENCE = 20;

/** What a member is reached by: a `Connection`, or anything like it. */
export interface Line extends Sink {
  close(reason: Error): void;
}

/** One who is in the room, or at its door. */
export class Member {
  /** As all see it; empty before it has joined. */
  name = "";
  readonly queue: ChatQueue;
  readonly #connection: Line;
  readonly #limit: number;

  /** @param options.limit the most bytes that wait to be sent to it; 256 KiB unless told */
  constructor(connection: Line, options: { limit?: number } = {}) {
    this.#limit = options.limit ?? 256 * 1024;
    this.#connection = connection;
    this.queue = new ChatQueue(connection, { limit: this.#limit });
  }

  /** Sends a line, without a wait; a member that has not read the limit's worth of lines is dropped. */
  hear(line: string | Uint8Array): void {
    const bytes = typeof line === "string" ? new TextEncoder().encode(`${line}\n`) : line;
    if (this.queue.add(bytes)) return;
    this.#connection.close(new Error(`dropped: more than ${this.#limit} bytes wait to be read`));
  }

  /** Sends a line that the member asked for, and waits a little while it cannot be sent. */
  answer(line: string): Promise<void> {
    this.hear(line);
    return this.caughtUp(PATIENCE);
  }

  /** Waits until all lines are on their way, but no longer than so many milliseconds. */
  caughtUp(patience: number): Promise<void> {
    return emptied([this.queue], patience);
  }
}

/**
 * A room. Names are unique but for case; what is told reaches the members in the same order.
 *
 * @example
 * ```ts
 * import { Member, Room } from "./chat_room.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const heard: string[] = [];
 * const write = (bytes: Uint8Array) => {
 *   heard.push(new TextDecoder().decode(bytes));
 *   return Promise.resolve(bytes.length);
 * };
 * const room = new Room();
 * assertEquals(room.join(new Member({ write, close() {} }), "Ada"), undefined);
 * assertEquals(room.join(new Member({ write, close() {} }), "ADA"), "The name Ada is taken.");
 * room.tell("* it is five o'clock");
 * assertEquals(heard, ["* it is five o'clock\n"]);
 * ```
 */
export class Room {
  readonly #members = new Map<string, Member>();
  /** How many characters were told since all queues were last looked at. */
  #told = 0;
  #settling: Promise<void> | undefined;

  /** The names of all members, in the order in which they came. */
  get names(): string[] {
    return Array.from(this.#members.values(), ({ name }) => name);
  }

  /** Lets a member in, and tells the others. Gives what is wrong with the name, if anything is. */
  join(member: Member, wanted: string): string | undefined {
    let name;
    try {
      name = chatName(wanted);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return error.message;
    }
    const other = this.#members.get(nameKey(name));
    if (other) return `The name ${other.name} is taken.`;
    member.name = name;
    this.tell(`* ${name} has joined`);
    this.#members.set(nameKey(name), member);
  }

  /** Lets a member out, and tells the others; false when it was not in. */
  leave(member: Member): boolean {
    const key = nameKey(member.name);
    if (this.#members.get(key) !== member) return false;
    this.#members.delete(key);
    this.tell(`* ${member.name} has left`);
    return true;
  }

  /** Tells a line to all members but one. */
  tell(line: string, except?: Member): void {
    const bytes = new TextEncoder().encode(`${line}\n`);
    for (const member of this.#members.values()) if (member !== except) member.hear(bytes);
  }

  /**
   * Tells what a member says to the others. Who floods the room waits now and then, until all others have
   * taken what was told or {@linkcode PATIENCE} is over: so those who read can follow, and a client that
   * does not read is dropped after a moment instead of being waited for.
   */
  async say(line: string, speaker: Member): Promise<void> {
    while (this.#settling) await this.#settling;
    this.tell(line, speaker);
    this.#told += line.length;
    if (this.#told < AT_ONCE) return;
    this.#told = 0;
    const queues = Array.from(this.#members.values(), ({ queue }) => queue);
    this.#settling = emptied(queues, PATIENCE).then(() => this.#settling = undefined);
    await this.#settling;
  }
}
