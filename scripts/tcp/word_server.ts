#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5009 --allow-read=/tmp/words --allow-write=/tmp/words
/**
 * A server that checks homework
 *
 * Each student sends USER:FILE:MOST-FREQUENT-WORD. The student's program has counted the words of the file; the
 * server has the same file in a folder, counts itself, and answers "thank you" or "try again", with the reason
 * behind a colon. It never tells the right word.
 *
 * Both sides must agree on what a word is (lib/words.ts): letters and digits, upper and lower case alike; an
 * apostrophe or a hyphen inside belongs to the word, other punctuation and emoji do not, and what is invisible
 * does not count. Where several words are there equally often, each of them is right, and the server says so.
 * A file's name is a stranger's text: only its last part counts, and only plain files in the folder.
 *
 * A message ends with a line feed, or, for clients that send none, with half a second of silence.
 *
 * @lecture 000 Homework
 * @python  socket.accept → listener.accept, str.split, collections.Counter.most_common
 * @run     deno run --allow-net=127.0.0.1:5009 --allow-read=/tmp/words --allow-write=/tmp/words scripts/tcp/word_server.ts
 * @expect  listening on 127.0.0.1:5009
 * @expect  ada: tea.txt, "the": thank you
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 5009)
 * @option  --folder FOLDER  where the texts are; made, with three samples, if it is not there (default: /tmp/words)
 * @see     https://docs.python.org/3/library/collections.html#collections.Counter
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { nextMessage } from "../../lib/messages.ts";
import { onceFree } from "../../lib/once_free.ts";
import { LimitError, SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type Connection, serve } from "../../lib/tcp.ts";
import {
  ClaimError,
  LARGEST_TEXT,
  mostFrequentIn,
  parseClaim,
  TextError,
} from "../../lib/words.ts";
import empty from "./words/empty.txt" with { type: "text" };
import rain from "./words/rain.txt" with { type: "text" };
import tea from "./words/tea.txt" with { type: "text" };

const LONGEST_MESSAGE = 1024;

/** The bytes of a plain file in the folder. */
async function read(folder: string, name: string): Promise<Uint8Array> {
  const path = `${folder}/${name}`;
  try {
    // a link may lead out of the folder, and a pipe may never end
    const { isFile, size } = await Deno.lstat(path);
    if (isFile && size > LARGEST_TEXT) throw new TextError(`has more than ${LARGEST_TEXT} bytes`);
    if (isFile) return await onceFree(() => Deno.readFile(path));
  } catch (error) {
    if (error instanceof TextError) throw error;
    if (!(error instanceof Deno.errors.NotFound)) {
      console.error(visible(`cannot read ${path}: ${explain(error).reason}`));
      throw new TextError("cannot be read");
    }
  }
  throw new TextError("is not here");
}

/** What a message is answered with. */
export async function judge(folder: string, message: string): Promise<string> {
  try {
    const { user, file, word } = parseClaim(message);
    try {
      const bytes = await read(folder, file);
      const { words } = mostFrequentIn(bytes);
      const right = words.includes(word);
      const others = words.length - 1;
      const ties = others === 0
        ? ""
        : `: ${others} more ${others === 1 ? "is" : "are"} as frequent`;
      const answer = right ? `thank you${ties}` : "try again: another word is more frequent";
      console.log(visible(`${user}: ${file}, "${word}": ${answer}`));
      return answer;
    } catch (error) {
      if (error instanceof TextError) error.message = `${file} ${error.message}`;
      throw error;
    }
  } catch (error) {
    if (!(error instanceof ClaimError || error instanceof TextError)) throw error;
    console.error(visible(`${error.message}: ${message.slice(0, 100)}`));
    return `try again: ${error.message}`;
  }
}

async function converse(connection: Connection, folder: string): Promise<void> {
  const reader = new SocketReader(connection, { limit: LONGEST_MESSAGE });
  const answer = (text: string) => connection.write(new TextEncoder().encode(`${text}\n`));
  try {
    for (let message; (message = await nextMessage(reader, { patience: 60_000 })) !== null;) {
      await answer(await judge(folder, message));
    }
  } catch (error) {
    if (error instanceof LimitError) await answer(`try again: ${error.message}`);
    throw error;
  }
}

/** Makes the folder with the samples, unless it is there. */
async function prepare(folder: string): Promise<void> {
  const known = await attempt(`look for ${folder}`, () => Deno.stat(folder).catch(unlessMissing));
  if (known?.isDirectory) return;
  await attempt(`make ${folder}`, () => Deno.mkdir(folder));
  for (const [name, text] of Object.entries({ empty, rain, tea })) {
    await Deno.writeTextFile(`${folder}/${name}.txt`, text, { createNew: true });
  }
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

export async function main(
  { host, port, folder }: { host: string; port: number; folder: string },
): Promise<void> {
  await prepare(folder);
  const server = await serve(
    { hostname: host, port },
    (connection) => converse(connection, folder),
  );
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
