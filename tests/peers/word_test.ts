/**
 * The homework of lecture 000 with the programs of a student who solved it in Python.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { freePort, peerTest, python, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const TEXTS: Record<string, string> = {
  "tea.txt": "The tea, the cup and THE pot.\n",
  "ties.txt": "rain wind rain wind sun",
  "apostrophes.txt": "don't 'don't' do; do don't well-known",
  "unicode.txt": "été, Été! hiver ÉTÉ чай",
  "long.txt": Array.from({ length: 20_000 }, (_, index) => `word${index % 97}`).join("\n") +
    " word5",
};

function withTexts(folder: string): string {
  const texts = `${folder}/words`;
  Deno.mkdirSync(texts);
  for (const [name, text] of Object.entries(TEXTS)) {
    Deno.writeTextFileSync(`${texts}/${name}`, text);
  }
  return texts;
}

function start(script: string, flags: string[], words: string[]): Process {
  return new Process([Deno.execPath(), "run", "--no-prompt", ...flags, pathOf(script), ...words]);
}

peerTest("tcp/word_server answers a student's client in python3", ["python3"], async () => {
  using folder = temporaryFolder();
  const texts = withTexts(folder.path);
  const port = String(freePort());
  const flags = [`--allow-net=127.0.0.1:${port}`, `--allow-read=${texts}`];
  await using server = start("tcp/word_server", flags, ["--port", port, "--folder", texts]);
  await server.stdout.line(/^listening on /);
  const ask = async (name: string, ...word: string[]) => {
    const path = `${texts}/${name}`;
    await using client = new Process(python("word_client.py", port, "ada", path, ...word));
    assertEquals(await client.end(), 0, client.stderr.text);
    return client.stdout.text.trimEnd();
  };
  const answers = await Promise.all([
    ...Object.keys(TEXTS).map((name) => ask(name)),
    ask("tea.txt", "tea"),
    ask("ties.txt", "wind"),
    ask("ties.txt", ""),
  ]);
  assertEquals(answers, [
    "thank you",
    "thank you: 1 more is as frequent",
    "thank you",
    "thank you",
    "thank you",
    "try again: another word is more frequent",
    "thank you: 1 more is as frequent",
    "try again: the word, behind the last colon, is missing",
  ]);
  assertEquals(await server.stop("SIGINT"), 0);
});

peerTest("tcp/word_client hands in to a student's server in python3", ["python3"], async () => {
  using folder = temporaryFolder();
  const texts = withTexts(folder.path);
  const port = String(freePort());
  await using server = await startPeer(python("word_server.py", port, texts), /^listening/);
  const ask = async (name: string, ...words: string[]) => {
    const path = `${texts}/${name}`;
    const flags = [`--allow-net=127.0.0.1:${port}`, `--allow-read=${path}`];
    const all = ["ada", path, "--port", port, ...words];
    await using client = start("tcp/word_client", flags, all);
    return { code: await client.end(), text: client.stdout.text, log: client.stderr.text };
  };
  for (const name of Object.keys(TEXTS)) {
    const { code, text, log } = await ask(name);
    assertEquals([code, text], [0, "thank you\n"], `${name}: ${log}`);
  }
  const ties = await ask("ties.txt");
  assertMatch(ties.log, /"rain", "wind" come 2 times each: any is right/);
  assertEquals(await ask("tea.txt", "--word", "tea"), {
    code: 1,
    text: "try again\n",
    log: 'sending "ada:tea.txt:tea"\n',
  });
  assertEquals(server.stdout.lines[0], "ada:tea.txt:the");
});
