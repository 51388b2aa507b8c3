/**
 * The texts that a word server is checked with.
 *
 * @module
 */

import { attempt } from "../errors.ts";

/** The texts that the server must have, by the names of their files. */
export const WORD_TEXTS: Record<string, string> = {
  "check_plain.txt": "one two two three three three\n",
  "check_case.txt": "Tea tea TEA milk milk\n",
  "check_marks.txt": "Rain, rain! Rain? (rain) sun sun sun\n",
  "check_lines.txt": "red\n" + "blue blue\n".repeat(3) + "red red\n".repeat(2) + "\n\nblue\n",
  "check_tie.txt": "left right left right up\n",
  "check_empty.txt": "",
  "check_folder/inside.txt": "inside\n",
};

/** Puts the texts into a folder, which is made if it is not there. */
export async function putTexts(folder: string): Promise<void> {
  for (const [name, text] of Object.entries(WORD_TEXTS)) {
    const path = `${folder}/${name}`;
    const its = path.slice(0, path.lastIndexOf("/"));
    await attempt(`make the folder ${its}`, () => Deno.mkdir(its, { recursive: true }));
    await attempt(`write ${path}`, () => Deno.writeTextFile(path, text));
  }
}

/** The only word of the file that no server may read. */
export const SECRET = "hush";

/** Puts a file beside the folder. */
export async function putSecret(folder: string): Promise<void> {
  const path = `${folder}/${secretOf(folder)[0]}`;
  await attempt(`write ${path}`, () => Deno.writeTextFile(path, `${SECRET}\n`));
}

/**
 * What a client may call the file beside the folder, whose path begins as that of the folder does: seen from the
 * folder, in full where the folder is given in full, and in ways that a half-hearted check lets through.
 *
 * @example
 * ```ts
 * import { secretOf } from "./word_texts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(secretOf("/tmp/words").slice(0, 2), ["../words_secret.txt", "/tmp/words_secret.txt"]);
 * assertEquals(secretOf("/tmp/words/")[1], "/tmp/words_secret.txt");
 * assertEquals(secretOf("./texts/")[0], "../texts_secret.txt");
 * ```
 */
export function secretOf(folder: string): [string, ...string[]] {
  const [, above = "", last = ""] = /^(.*\/)?([^/]*)$/.exec(folder.replace(/(?<=.)\/+$/, ""))!;
  const name = `${/^\.{0,2}$/.test(last) ? "check" : last}_secret.txt`;
  const inFull = folder.startsWith("/") ? [above + name] : [];
  return [`../${name}`, ...inFull, `check_folder/../../${name}`, `./../${name}`, `....//${name}`];
}
