#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5009 --allow-read=/tmp/words/tea.txt
/**
 * A client that hands in homework
 *
 * Counts the words of a file, sends USER:FILE:MOST-FREQUENT-WORD, and shows the server's answer: "thank you",
 * or "try again" and why, with exit code 1. Of the file only the name is sent: the server has the same.
 *
 * The word is counted here, by the rules of lib/words.ts; --word sends another, to see what the server says.
 *
 * @lecture 000 Homework
 * @python  open(file).read → Deno.readFile, collections.Counter.most_common, socket.connect → Deno.connect,
 *          socket.sendall → connection.write
 * @partner scripts/tcp/word_server.ts
 * @run     deno run --allow-net=127.0.0.1:5009 --allow-read=/tmp/words/tea.txt scripts/tcp/word_client.ts ada /tmp/words/tea.txt
 * @log     tea.txt has 65 words; "the" comes 6 times
 * @log     sending "ada:tea.txt:the"
 * @expect  thank you
 * @run     deno run --allow-net=127.0.0.1:5009 --allow-read=/tmp/words/rain.txt scripts/tcp/word_client.ts ada /tmp/words/rain.txt
 * @log     rain.txt has 13 words; "rain", "wind" come 3 times each: any is right
 * @expect  thank you: 1 more is as frequent
 * @run     deno run --allow-net=127.0.0.1:5009 scripts/tcp/word_client.ts bob /tmp/words/rain.txt --word WIND!
 * @log     sending "bob:rain.txt:WIND!"
 * @expect  thank you: 1 more is as frequent
 * @argument USER        who sends it
 * @argument FILE        the text whose words are counted
 * @option  --word WORD  send this word, whatever the file says
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 5009)
 * @see     https://docs.python.org/3/library/collections.html#collections.Counter
 * @module
 */

import { run } from "../../lib/cli.ts";
import { quoted, visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { nextMessage } from "../../lib/messages.ts";
import { SocketReader } from "../../lib/reader.ts";
import { UsageError } from "../../lib/usage.ts";
import { mostFrequentIn, parseClaim, TextError } from "../../lib/words.ts";
import { writeAll } from "../../lib/write_all.ts";

/** The most frequent word of a file; of several the first in alphabetical order. */
async function count(path: string, name: string): Promise<string> {
  const bytes = await attempt(`read ${path}`, () => Deno.readFile(path));
  try {
    const { words, times, total } = mostFrequentIn(bytes);
    const which = words.slice(0, 10).map((word) => `"${word}"`).join(", ");
    console.error(`${name} has ${total} words; ${which} ${comes(words.length, times)}`);
    return words[0]!;
  } catch (error) {
    if (error instanceof TextError) error.message = `${path} ${error.message}`;
    throw error;
  }
}

function comes(words: number, times: number): string {
  return (words === 1 ? "comes " : "come ") + (times === 1 ? "once" : `${times} times`) +
    (words === 1 ? "" : " each: any is right");
}

export async function main(
  { user, file, word, host, port }: {
    user: string;
    file: string;
    word?: string;
    host: string;
    port: number;
  },
): Promise<void> {
  if (user.includes(":")) throw new UsageError("USER has no colon: it ends at the first");
  const name = file.split(/[/\\]/).at(-1)!;
  const message = `${user}:${name}:${word ?? await count(file, name)}`;
  try {
    parseClaim(message); // what the server would refuse need not be sent
  } catch (error) {
    throw new UsageError((error as Error).message);
  }

  using connection = await attempt(
    `connect to ${host} port ${port}`,
    () => Deno.connect({ hostname: host, port }),
  );
  console.error(`sending ${quoted(message)}`);
  await writeAll(connection, message + "\n");
  const reader = new SocketReader(connection, { limit: 1024 });
  const answer = await attempt("read the answer", () => nextMessage(reader), { timeout: 5_000 });
  if (answer === null) throw new Error("the server closed the connection without an answer");
  console.log(visible(answer));
  if (!answer.trim().toLowerCase().startsWith("thank you")) Deno.exitCode = 1;
}

if (import.meta.main) await run(main);
