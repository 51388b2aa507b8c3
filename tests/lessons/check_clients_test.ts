/**
 * The checkers on clients: right ones pass, our own among them, and of each wrong one the mistake is named.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  ECHO_CLIENT_CHECKS,
  TIME_CLIENT_CHECKS,
  WORD_CLIENT_CHECKS,
} from "../../lib/check/client_subjects.ts";
import { echo } from "../../scripts/tcp/echo_client.ts";
import { ECHO_CLIENTS, judgeClient, talking, TIME_CLIENTS, WORD_CLIENTS } from "./wrong/clients.ts";
import { firstFailure, testWrong } from "./wrong/serving.ts";

Deno.test("check_echo --client finds nothing wrong when the client is tcp/echo_client", async () => {
  const message = new TextEncoder().encode("this is my message");
  const results = await judgeClient(
    ECHO_CLIENT_CHECKS,
    (port) => echo("127.0.0.1", port, message).catch(() => {}),
  );
  assertEquals(firstFailure(results), "all passed");
});

for (
  const [checker, checks, clients] of [
    ["check_echo --client", ECHO_CLIENT_CHECKS, ECHO_CLIENTS],
    ["check_time --client", TIME_CLIENT_CHECKS, TIME_CLIENTS],
    ["check_words --client", WORD_CLIENT_CHECKS, WORD_CLIENTS],
  ] as const
) {
  testWrong(
    checker,
    clients.map(([mistake, talk, verdict]) => [
      mistake,
      () => judgeClient(checks, talking(talk)),
      verdict,
    ]),
  );
}
