/**
 * Topics and filters of MQTT, checked before the network sees them: a broker that gets a bad one closes the
 * connection without a reason.
 *
 * @see {@link https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901241 MQTT 5.0, 4.7}
 * @module
 */

import { quoted } from "./display.ts";
import { UsageError } from "./usage.ts";

const MOST_BYTES = 65_535;

/**
 * Checks the topic of a message.
 *
 * @throws {UsageError} that shows it and says what is wrong
 *
 * @example
 * ```ts
 * import { checkTopic } from "./topics.ts";
 * import { assertThrows } from "@std/assert";
 *
 * checkTopic("kitchen/lamp");
 * assertThrows(() => checkTopic("kitchen/#"), Error, "stand for many topics");
 * ```
 */
export function checkTopic(topic: string): void {
  checkText(topic, "topic");
  if (/[+#]/.test(topic)) {
    throw new UsageError(`the topic ${quoted(topic)} has + or #, which stand for many topics`);
  }
  if (topic.startsWith("$")) {
    throw new UsageError(`the topic ${quoted(topic)} begins with $: those belong to the broker`);
  }
}

/**
 * Checks a filter: `+` stands for one whole level, `#` for the rest, at the end.
 *
 * @throws {UsageError} that shows it and says what is wrong
 */
export function checkFilter(filter: string): void {
  checkText(filter, "filter");
  const levels = filter.split("/");
  for (const [index, level] of levels.entries()) {
    if (level.length > 1 && /[+#]/.test(level)) {
      throw new UsageError(`the filter ${quoted(filter)} has + or # beside other characters`);
    }
    if (level === "#" && index < levels.length - 1) {
      throw new UsageError(`the filter ${quoted(filter)} goes on after #`);
    }
  }
}

/**
 * The filter under which the members of a group divide the messages among them.
 *
 * @throws {UsageError} when the group's name is none, or the filter is bad
 */
export function sharedFilter(group: string, filter: string): string {
  if (group === "" || /[/+#]/.test(group)) {
    throw new UsageError(`the group ${quoted(group)} must be a name without /, + and #`);
  }
  checkFilter(filter);
  const shared = `$share/${group}/${filter}`;
  checkText(shared, "filter");
  return shared;
}

function checkText(text: string, what: string): void {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes === 0) throw new UsageError(`the ${what} is empty`);
  if (bytes > MOST_BYTES) {
    throw new UsageError(`the ${what} has ${bytes} bytes: at most ${MOST_BYTES} go into a packet`);
  }
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) {
    throw new UsageError(`the ${what} ${quoted(text)} has characters that no topic may have`);
  }
}

/** Whether a filter takes in a topic. */
export function matches(filter: string, topic: string): boolean {
  // what begins with $ is for those only who ask for it by name
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  const wanted = filter.split("/"), levels = topic.split("/");
  for (const [index, level] of wanted.entries()) {
    if (level === "#") return true;
    if (index >= levels.length || level !== "+" && level !== levels[index]) return false;
  }
  return wanted.length === levels.length;
}
