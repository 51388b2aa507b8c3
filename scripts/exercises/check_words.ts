#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5009 --allow-write=/tmp/words,/tmp/words_secret.txt
/**
 * Check your word server
 *
 * Tries a server of your own, in any language, that checks homework: it gets USER:FILE:WORD, counts the words of
 * the file in its folder, and answers "thank you" or "try again". The check puts files of its own, check_*.txt,
 * into that folder first, and one beside it, which your server must not read.
 *
 * word_starter.ts has the task, and a beginning.
 *
 * With --client it is the server itself, and tries your client: start that once for each check, while this waits,
 * with the same arguments.
 *
 * @lecture 000 Homework
 * @partner scripts/tcp/word_server.ts
 * @run     deno run --allow-net=127.0.0.1:5009 --allow-write=/tmp/words,/tmp/words_secret.txt scripts/exercises/check_words.ts 127.0.0.1:5009
 * @expect  checking the word server at 127.0.0.1:5009
 * @expect  *2 ok    a wrong word gets try again
 * @expect  score: 13 of 13
 * @argument [ADDRESS]  where your server listens (default: 127.0.0.1:5009)
 * @option  --folder FOLDER  where your server has its texts (default: /tmp/words)
 * @option  --client  check your client instead: this waits for it at ADDRESS
 * @option  --patience SECONDS  how long to wait until your client is started (default: 60)
 * @option  --first  stop at the first failure
 * @option  --json  print a report for programs
 * @option  --timeout MILLISECONDS  how long your server may take to answer (default: 3000)
 * @see     https://docs.python.org/3/library/collections.html#collections.Counter
 * @module
 */

import { checkClient, type CheckerOptions, checkServer } from "../../lib/check/checker.ts";
import { wordChecks } from "../../lib/check/word_checks.ts";
import { putSecret, putTexts } from "../../lib/check/word_texts.ts";
import { WORD_CLIENT_CHECKS } from "../../lib/check/client_subjects.ts";
import { run } from "../../lib/cli.ts";

export async function main(options: CheckerOptions & { folder: string }): Promise<void> {
  const { folder } = options;
  await putTexts(folder);
  if (options.client) return await checkClient("your word client", WORD_CLIENT_CHECKS, options);
  await putSecret(folder);
  await checkServer("the word server", wordChecks(folder), options);
}

if (import.meta.main) await run(main);
