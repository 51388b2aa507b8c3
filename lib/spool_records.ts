/**
 * What stands in a spool's file: one JSON text a line, a message or the note that one is done.
 *
 *     {"id":7,"channel":"#bot","text":"hello"}
 *     {"done":7}
 *
 * @module
 */

/** A message that waits. */
export interface SpooledMessage {
  /** Grows by one with each message of a file. */
  id: number;
  channel: string;
  text: string;
}

/** Where a message stands in the file, in bytes. */
export interface Place {
  id: number;
  start: number;
  /** With the line's end. */
  length: number;
}

/** What a file holds. */
export interface Records {
  /** The messages that are not done, oldest first. */
  waiting: Place[];
  /** The highest id in the file. */
  lastId: number;
  /** Where its whole lines end: behind it is what a crash cut off. */
  end: number;
  /** Whole lines that cannot be read. */
  damaged: number;
}

/** The line of a message, or of the note that one is done. */
export function recordLine(record: SpooledMessage | { done: number }): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(record) + "\n");
}

/**
 * Reads a file, however a crash left it. A last line without an end was never acknowledged to anybody, and
 * does not count.
 *
 * @example
 * ```ts
 * import { readRecords, recordLine } from "./spool_records.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const file = new Uint8Array(await new Blob([
 *   recordLine({ id: 1, channel: "#bot", text: "sent" }),
 *   recordLine({ id: 2, channel: "#bot", text: "waits" }),
 *   recordLine({ done: 1 }),
 * ]).arrayBuffer());
 * assertEquals(readRecords(file).waiting.map(({ id }) => id), [2]);
 * assertEquals(readRecords(file.subarray(0, -1)).waiting.map(({ id }) => id), [1, 2]);
 * ```
 */
export function readRecords(bytes: Uint8Array): Records {
  const waiting = new Map<number, Place>();
  const records = { lastId: 0, end: 0, damaged: 0 };
  for (let start = 0, end; (end = bytes.indexOf(0x0a, start)) >= 0; start = records.end) {
    records.end = end + 1;
    const record = parsed(bytes.subarray(start, end));
    if (record === undefined) records.damaged++;
    else if ("done" in record) waiting.delete(record.done);
    else {
      const { id } = record;
      waiting.set(id, { id, start, length: end + 1 - start });
      records.lastId = Math.max(records.lastId, id);
    }
  }
  return { waiting: [...waiting.values()], ...records };
}

/** The message of a line that {@linkcode readRecords} has found. */
export function messageOf(line: Uint8Array): SpooledMessage {
  const record = parsed(line);
  if (record === undefined || "done" in record) throw new Error("the spool's file was changed");
  return record;
}

function parsed(line: Uint8Array): SpooledMessage | { done: number } | undefined {
  try {
    const value: Record<string, unknown> | null = JSON.parse(new TextDecoder().decode(line));
    if (typeof value?.done === "number") return { done: value.done };
    const { id, channel, text } = value ?? {};
    if (typeof id !== "number" || typeof channel !== "string" || typeof text !== "string") return;
    return { id, channel, text };
  } catch {
    return undefined;
  }
}
