/**
 * The checkers of the exercises on programs in Python: right ones pass, and of each wrong one the checker names
 * the mistake.
 *
 * @module
 */

import { assertMatch } from "@std/assert";
import type { Check } from "../../lib/check/check.ts";
import { ECHO_CLIENT_CHECKS } from "../../lib/check/client_subjects.ts";
import { ECHO_BASICS } from "../../lib/check/echo_checks.ts";
import { ECHO_HARD } from "../../lib/check/echo_hard_checks.ts";
import { MANY_CHECKS } from "../../lib/check/many_checks.ts";
import { wordChecks } from "../../lib/check/word_checks.ts";
import { putSecret, putTexts } from "../../lib/check/word_texts.ts";
import { TIME_CHECKS } from "../../lib/check/time_checks.ts";
import type { ServerTrial } from "../../lib/check/server_trial.ts";
import { judgeClient } from "../lessons/wrong/clients.ts";
import { firstFailure, judge } from "../lessons/wrong/serving.ts";
import { freePort, peerTest, python, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";

/** Declares a test that judges many programs, several at the same time. */
function testPrograms(
  name: string,
  program: string,
  checks: readonly Check<ServerTrial>[] | ((folder: string) => Check<ServerTrial>[]),
  verdicts: Record<string, RegExp>,
): void {
  peerTest(name, ["python3"], async () => {
    const kinds = Object.keys(verdicts);
    using folder = temporaryFolder();
    const texts = `${folder.path}/words`;
    await putTexts(texts);
    await putSecret(texts);
    const wrongVerdicts: string[] = [];
    const worker = async () => {
      for (let kind; (kind = kinds.shift()) !== undefined;) {
        const port = freePort();
        await using _server = await startPeer(
          python(program, kind, port, texts),
          /^listening/,
        );
        const all = typeof checks === "function" ? checks(texts) : checks;
        const results = await judge(all, { hostname: "127.0.0.1", port }, { silence: 1_500 });
        const verdict = firstFailure(results);
        if (!verdicts[kind]!.test(verdict)) wrongVerdicts.push(`${kind}: ${verdict}`);
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
    assertMatch(wrongVerdicts.join("\n"), /^$/);
  });
}

testPrograms(
  "check_echo passes what is right, and names the mistake, when echo servers are in Python",
  "wrong/echo.py",
  [...ECHO_BASICS, ...ECHO_HARD],
  {
    right: /^all passed$/,
    threads: /^all passed$/,
    one_recv: /it reads once/,
    short_read: /it stops at a read that is shorter than its buffer/,
    whole_first: /it takes a read that fills the buffer for a sign that more must come/,
    padding: /it sends its whole buffer, with the zeros/,
    representation: /Python's way to show bytes/,
    decoded: /bytes that are no UTF-8 end the conversation/,
    ignored: /it reads the bytes as text/,
    dropped: /it reads the bytes as text, and what is no UTF-8/,
    latin: /it reads the bytes as text of one encoding \(latin1\)/,
    command: /it takes a word such as quit for a command/,
    wait_all: /it waits until its buffer is full/,
    file_read: /it waits until its buffer is full/,
    no_flush: /what it writes stays in a buffer/,
    no_send_loop: /bytes are lost.*send and write may take only a part/,
    endless: /it does not notice the end/,
    until_line: /it waits for the end of a line/,
    stripped: /it cuts off blanks at the ends|do not strip/,
    impatient: /it gives up while the client thinks/,
    one_client: /it serves one client and no more/,
    accept_before_loop: /nobody accepts a second client/,
    crash: /what goes wrong with one client ends the whole server/,
  },
);

testPrograms(
  "check_many_clients passes what is right, and names the mistake, when echo servers are in Python",
  "wrong/echo.py",
  MANY_CHECKS,
  {
    threads: /^all passed$/,
    right: /it serves one client at a time/,
    global_connection: /clients get each other's answers/,
    joined: /it serves one client at a time/,
    called: /it serves one client at a time/,
    locked: /it serves one client at a time/,
    select_and_sendall: /sendall to a client that does not read waits/,
  },
);

testPrograms(
  "check_time passes what is right, and names the mistake, when time servers are in Python",
  "wrong/time_server.py",
  TIME_CHECKS,
  {
    right: /^all passed$/,
    still_echo: /it is still the echo server/,
    anything: /it tells the time whatever is asked/,
    ignores_others: /it says nothing to a wrong question/,
    exact: /it compares with exactly reqtime/,
    one_recv: /it takes one recv for the whole question/,
    frozen: /asks for the time once/,
    wrong_format: /that is no time that can be read/,
    no_seconds: /the time has no seconds/,
    representation: /Python's way to show bytes/,
    wrong_clock: /that is not the time of now/,
    until_end: /it waits for the end of the stream/,
    until_line: /it waits for the end of a line/,
    mute: /it does not answer/,
    crash: /what goes wrong with one client ends the whole server/,
    one_client: /it serves one client and no more/,
  },
);

testPrograms(
  "check_words passes what is right, and names the mistake, when word servers are in Python",
  "wrong/word_server.py",
  wordChecks,
  {
    right: /^all passed$/,
    always: /it thanks for every word/,
    other_words: /the answer is thank you, or try again, and no other/,
    not_stripped: /cut off the end of the line/,
    case: /it counts Tea and tea as two words/,
    marks: /it takes rain, and rain! for other words than rain/,
    first_line: /it does not count all lines/,
    ties: /it takes one of the most frequent words for the only one/,
    subfolders: /^all passed$/,
    paths: /it opens whatever path it is told/,
    parents: /it opens whatever path it is told/,
    prefix: /it opens whatever path it is told/,
    crash: /the message makes the program fail/,
    no_file: /the message makes the program fail/,
    one_recv: /it takes one recv for the whole message/,
    until_end: /it waits for the end of the stream/,
    one_message: /a message ends at its line feed, what follows is/,
    not_text: /what goes wrong with one client ends the whole server/,
  },
);

peerTest(
  "check_echo --client passes what is right, and names the mistake, when clients are in Python",
  ["python3"],
  async () => {
    const verdicts = {
      right: /^all passed$/,
      half_close: /^all passed$/,
      no_recv: /when it has the reply, it closes: .*it does not read the reply at all/,
      one_recv: /it waits for the second half of the reply: .*it reads once/,
      // with bytes unread, the close of Python's socket is a reset, that of Deno's begins with an end
      one_short_recv: /when it has the reply, it closes: .*it closes before it has read the whole/,
      short_read: /it reads once/,
    };
    for (const [kind, verdict] of Object.entries(verdicts)) {
      const results = await judgeClient(ECHO_CLIENT_CHECKS, async (port) => {
        await using client = new Process(python("wrong/echo_client.py", kind, port));
        await client.end();
      });
      assertMatch(firstFailure(results), verdict);
    }
  },
);
