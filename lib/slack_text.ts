/**
 * Text as Slack wants it: three characters escaped, and not too long.
 *
 * @module
 */

/** What Slack takes in one message, in characters; it cuts off the rest without a word. */
export const LONGEST_TEXT = 40_000;

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/**
 * Escapes what Slack would take for a link, a mention or an entity: `<!channel>` from a stranger calls
 * nobody.
 *
 * @see {@link https://docs.slack.dev/messaging/formatting-message-text/#escaping Slack: escaping text}
 *
 * @example
 * ```ts
 * import { escapeText, unescapeText } from "./slack_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(escapeText("<!channel> R&D"), "&lt;!channel&gt; R&amp;D");
 * assertEquals(unescapeText("&lt;!channel&gt; R&amp;D"), "<!channel> R&D");
 * ```
 */
export function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (character) => ESCAPES[character]!);
}

/** The text that a reader in Slack sees. */
export function unescapeText(text: string): string {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

/**
 * Escapes a text and cuts it where it gets too long, between two characters, with `…` for the rest.
 *
 * @param limit the most characters of the escaped text; 40,000 unless told
 * @returns the text to send, and how many characters of the original were left out
 *
 * @example
 * ```ts
 * import { fitText } from "./slack_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(fitText("a < b"), { text: "a &lt; b", leftOut: 0 });
 * assertEquals(fitText("a < b", 6), { text: "a …", leftOut: 3 });
 * ```
 */
export function fitText(text: string, limit = LONGEST_TEXT): { text: string; leftOut: number } {
  // half a character, as JavaScript allows it, has no form in UTF-8
  const whole = text.toWellFormed();
  const escaped = escapeText(whole);
  if (escaped.length <= limit) return { text: escaped, leftOut: 0 };
  let fitting = "";
  let leftOut = 0;
  for (const character of whole) {
    const next = ESCAPES[character] ?? character;
    if (leftOut > 0 || fitting.length + next.length > limit - 1) leftOut++;
    else fitting += next;
  }
  return { text: `${fitting}…`, leftOut };
}
