#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10037
/**
 * Check your time server
 *
 * Tries a time server of your own, in any language, over TCP: "reqtime" must get the current time, in any format
 * that has hours, minutes and seconds (of this machine's zone, of UTC, or of the zone that stands with it; a date
 * may be there as well), or as seconds since 1970. Another question must not get the time.
 *
 * time_starter.ts has the task, and a beginning.
 *
 * With --client it is the server itself, and tries your client: start that once for each check, while this waits,
 * with the same arguments.
 *
 * @lecture 003 Exercise 9-1
 * @partner scripts/time/time_server.ts
 * @run     deno run --allow-net=127.0.0.1:10037 scripts/exercises/check_time.ts 127.0.0.1:10037
 * @expect  checking the time server at 127.0.0.1:10037
 * @expect  *2 ok    the answer is the current time, to the second
 * @expect  score: 9 of 9
 * @argument [ADDRESS]  where your server listens (default: 127.0.0.1:10037)
 * @option  --client  check your client instead: this waits for it at ADDRESS
 * @option  --patience SECONDS  how long to wait until your client is started (default: 60)
 * @option  --first  stop at the first failure
 * @option  --json  print a report for programs
 * @option  --timeout MILLISECONDS  how long your server may take to answer (default: 3000)
 * @see     https://docs.python.org/3/library/time.html#time.strftime
 * @module
 */

import { checkClient, type CheckerOptions, checkServer } from "../../lib/check/checker.ts";
import { TIME_CHECKS } from "../../lib/check/time_checks.ts";
import { TIME_CLIENT_CHECKS } from "../../lib/check/client_subjects.ts";
import { run } from "../../lib/cli.ts";

export async function main(options: CheckerOptions): Promise<void> {
  if (options.client) return await checkClient("your time client", TIME_CLIENT_CHECKS, options);
  await checkServer("the time server", TIME_CHECKS, options);
}

if (import.meta.main) await run(main);
