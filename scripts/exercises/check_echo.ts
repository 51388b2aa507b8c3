#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * Check your echo server
 *
 * Tries an echo server of your own, in any language, over the network: start it, then this. Each line is one
 * thing that it must do, the easy ones first. Where it does something else, it is shown what was sent, what was
 * expected, what came, and which mistake most often leads to that.
 *
 * Your server may serve one client after another: check_many_clients.ts asks for more. echo_starter.ts has the
 * task, and a beginning.
 *
 * With --client it is the server itself, and tries your client: start that once for each check, while this waits,
 * with the same arguments.
 *
 * @lecture 002 Homework · 003 ex91S
 * @partner scripts/tcp/echo_server.ts
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/exercises/check_echo.ts 127.0.0.1:10000 --silence 100
 * @expect  checking the echo server at 127.0.0.1:10000
 * @expect  *1 ok    a short message comes back
 * @expect  score: 18 of 18
 * @argument [ADDRESS]  where your server listens (default: 127.0.0.1:10000)
 * @option  --client  check your client instead: this waits for it at ADDRESS
 * @option  --patience SECONDS  how long to wait until your client is started (default: 60)
 * @option  --first  stop at the first failure
 * @option  --json  print a report for programs
 * @option  --timeout MILLISECONDS  how long your server may take to answer (default: 3000)
 * @option  --silence MILLISECONDS  how long a silent client is silent (default: 2000)
 * @see     https://docs.python.org/3/howto/sockets.html
 * @module
 */

import { checkClient, type CheckerOptions, checkServer } from "../../lib/check/checker.ts";
import { ECHO_BASICS } from "../../lib/check/echo_checks.ts";
import { ECHO_HARD } from "../../lib/check/echo_hard_checks.ts";
import { ECHO_CLIENT_CHECKS } from "../../lib/check/client_subjects.ts";
import { run } from "../../lib/cli.ts";

export async function main(options: CheckerOptions): Promise<void> {
  if (options.client) return await checkClient("your echo client", ECHO_CLIENT_CHECKS, options);
  await checkServer("the echo server", [...ECHO_BASICS, ...ECHO_HARD], options);
}

if (import.meta.main) await run(main);
