/**
 * The texts that a word server is checked with.
 *
 * @module
 */

/** The texts that the server must have, by the names of their files. */
export const WORD_TEXTS: Record<string, string> = {
  "check_plain.txt": "one two two three three three\n",
  "check_case.txt": "Tea tea TEA milk milk\n",
  "check_marks.txt": "Rain, rain! Rain? (rain) sun sun sun\n",
  "check_lines.txt": "red\n" + "blue blue\n".repeat(3) + "red red\n".repeat(2) + "\n\nblue\n",
  "check_tie.txt": "left right left right up\n",
  "check_empty.txt": "",
  "check_folder/secret.txt": "hush hush\n",
};
