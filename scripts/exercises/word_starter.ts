#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5009 --allow-read=/tmp/words
/**
 * To do: a server that checks homework
 *
 * The task: a client sends a line, USER:FILE:WORD, such as "ada:tea.txt:the". The server counts the words of that
 * file in its folder. If no word is there more often than this one, it answers "thank you", else "try again"; so
 * it does to a line that is none, and when there is no such file.
 *
 * A word is letters and digits; punctuation is no part of it, and upper and lower case are alike. A line may come
 * in pieces, and several at once. No client may end the server, nor read files outside of the folder.
 *
 * This reads the lines and says "try again" to all of them. Change it in a copy, such as my_words.ts, and try
 * it while you work, in another terminal:
 *
 *     deno run --allow-net=127.0.0.1:5009 --allow-write=/tmp/words,/tmp/words_secret.txt scripts/exercises/check_words.ts
 *
 * The check takes servers in other languages as well. One answer is scripts/tcp/word_server.ts.
 *
 * @lecture 000 Homework
 * @python  str.split → String.split, collections.Counter → Map, open(file).read → Deno.readTextFile
 * @run     deno run --allow-net=127.0.0.1:5009 --allow-read=/tmp/words scripts/exercises/word_starter.ts
 * @expect  listening on 127.0.0.1:5009
 * @log     still to do: count the words of the files in /tmp/words
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 5009)
 * @option  --folder FOLDER  where the texts are (default: /tmp/words)
 * @see     https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/Map
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt } from "../../lib/errors.ts";
import { SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { serve } from "../../lib/tcp.ts";

/** The answer to one line. */
export function judge(line: string, texts: string[]): string {
  const [user, file, word] = line.split(":");
  console.error(`${user} says that "${word}" is the most frequent word of ${file}`);
  // yours: is the file among the texts, and is this its most frequent word?
  return texts.length > 0 ? "try again" : "try again: there are no texts yet";
}

/** The names of the files in the folder; none when it is not there. */
export async function textsIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

export async function main(
  { host, port, folder }: { host: string; port: number; folder: string },
): Promise<void> {
  const texts = await attempt(`look into ${folder}`, textsIn(folder));
  await using server = await serve({ hostname: host, port }, async (connection) => {
    for await (const line of new SocketReader(connection)) {
      await connection.write(new TextEncoder().encode(judge(line, texts) + "\n"));
    }
  });
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  console.error(`still to do: count the words of the files in ${folder}`);
  await server.finished;
}

if (import.meta.main) await run(main);
