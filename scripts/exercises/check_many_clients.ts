#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * Check your server for many clients
 *
 * Tries an echo server of your own, in any language, with many clients at the same time: some silent, some
 * greedy, some that leave without a word. Nobody may have to wait for anybody else. How you do it, with threads,
 * processes or an event loop, does not matter.
 *
 * check_echo.ts looks closer at a single conversation. many_clients_starter.ts has the task, and a beginning.
 *
 * @lecture 001 How do we handle multiple connections concurrently? · 002 Homework 2
 * @partner scripts/tcp/many_clients_async.ts
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/exercises/check_many_clients.ts 127.0.0.1:10000 --silence 100
 * @expect  checking the server for many clients at 127.0.0.1:10000
 * @expect  *2 ok    a client is answered while another is connected and silent
 * @expect  score: 8 of 8
 * @argument [ADDRESS]  where your server listens (default: 127.0.0.1:10000)
 * @option  --first  stop at the first failure
 * @option  --json  print a report for programs
 * @option  --timeout MILLISECONDS  how long your server may take to answer (default: 3000)
 * @option  --silence MILLISECONDS  how long a silent client is silent (default: 2000)
 * @see     https://docs.python.org/3/library/socketserver.html#asynchronous-mixins
 * @module
 */

import { type CheckerOptions, checkServer } from "../../lib/check/checker.ts";
import { MANY_CHECKS } from "../../lib/check/many_checks.ts";
import { run } from "../../lib/cli.ts";

export async function main(options: CheckerOptions): Promise<void> {
  await checkServer("the server for many clients", MANY_CHECKS, options);
}

if (import.meta.main) await run(main);
