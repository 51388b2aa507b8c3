/**
 * Word servers with the ways in which students look at a file's name, and what the checker must say of each.
 *
 * @module
 */

import { SocketReader } from "../../../lib/reader.ts";
import { mostFrequent } from "../../../lib/words.ts";
import { writeAll } from "../../../lib/write_all.ts";
import { atOnce, type Way } from "./serving.ts";

/** The path of a file that is named, or nothing when it is refused. */
export type Look = (folder: string, name: string) => string | undefined;

/** A server that is right, if its look at the names is. */
export function answering(folder: string, look: Look): Way {
  const judge = (line: string) => {
    const [, name, word, more] = line.trim().split(":");
    if (name === undefined || word === undefined || more !== undefined) return false;
    const path = look(folder, name);
    if (path === undefined) return false;
    try {
      return mostFrequent(Deno.readTextFileSync(path)).words.includes(word);
    } catch {
      return false;
    }
  };
  return atOnce(async (connection) => {
    for await (const line of new SocketReader(connection)) {
      await writeAll(connection, judge(line) ? "thank you\n" : "try again\n");
    }
  });
}

const join = (folder: string, name: string) => name.startsWith("/") ? name : `${folder}/${name}`;
const normal = (path: string) => new URL(path, "file:///").pathname;
const OPENS = /it opens whatever path it is told/;

/** What the server does, how it looks, and the checker's words for it. */
export const LOOKS: [what: string, look: Look, verdict: RegExp][] = [
  ["takes the last part", (folder, name) => `${folder}/${name.split("/").at(-1)}`, /^all passed$/],
  [
    "refuses folders",
    (folder, name) => name.includes("/") ? undefined : `${folder}/${name}`,
    /^all passed$/,
  ],
  ["looks where the path leads (none)", (folder, name) => {
    const path = normal(join(folder, name));
    return path.startsWith(`${folder}/`) ? path : undefined;
  }, /^all passed$/],
  ["does not look at the path", join, OPENS],
  [
    "lets .. through",
    (folder, name) => name.startsWith("/") ? undefined : join(folder, name),
    OPENS,
  ],
  ["lets / through", (folder, name) => name.includes("..") ? undefined : join(folder, name), OPENS],
  [
    "refuses .. at the beginning only",
    (folder, name) => /^(\.\.|\/)/.test(name) ? undefined : join(folder, name),
    OPENS,
  ],
  ["cuts ../ out once", (folder, name) => `${folder}/${name.replaceAll("../", "")}`, OPENS],
  ["compares without the separator", (folder, name) => {
    const path = normal(join(folder, name));
    return path.startsWith(folder) ? path : undefined;
  }, OPENS],
];
