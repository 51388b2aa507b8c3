import { assertEquals, assertMatch } from "@std/assert";
import { behaviours, misbehave } from "./peers.ts";
import { startDeno, startScript } from "./script.ts";
import { anyPort, besiege, type Place, starve } from "./siege.ts";
import { ask, echoServer } from "./streams.ts";
import { tcpTarget } from "./attacks.ts";
import { until, within } from "./waits.ts";

const SERVER = "scripts/tcp/word_server.ts", CLIENT = "scripts/tcp/word_client.ts";

/** A port of the system's choice, and a folder of its own. */
function somewhere(): Place & { folder: string } {
  const top = Deno.makeTempDirSync({ prefix: "hostile-" });
  const folder = `${top}/words`;
  const place = anyPort();
  return {
    folder,
    words: [...place.words, "--folder", folder],
    flags: (flag) => place.flags(flag).replaceAll("/tmp/words", folder),
    [Symbol.dispose]: () => Deno.removeSync(top, { recursive: true }),
  };
}

/** The siege's second server gets another port only, and needs no folder of its own to find the port taken. */
const subject = {
  ...echoServer,
  path: SERVER,
  oneAtATime: false,
  async goodClient(target: ReturnType<typeof tcpTarget>) {
    assertEquals(await ask(target, "ada:rain.txt:wind\n"), "thank you: 1 more is as frequent\n");
  },
};
besiege(subject, somewhere);
starve(subject, somewhere);

Deno.test("word_server answers when files are no texts, links, pipes, large or outside", async () => {
  using place = somewhere();
  await using server = startScript(SERVER, place);
  const port = Number(await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m));
  const { folder } = place;
  Deno.writeTextFileSync(`${folder}/../secret.txt`, "secret");
  Deno.symlinkSync(`${folder}/../secret.txt`, `${folder}/link.txt`);
  Deno.mkdirSync(`${folder}/inner`);
  Deno.writeFileSync(`${folder}/latin.txt`, Uint8Array.of(0xe9, 0x20));
  Deno.writeTextFileSync(`${folder}/dashes.txt`, "-- --");
  Deno.truncateSync(`${folder}/rain.txt`, 2 * 1024 * 1024);
  await new Deno.Command("mkfifo", { args: [`${folder}/pipe.txt`] }).output();
  const cases = {
    "ada:link.txt:secret": "try again: link.txt is not here",
    "ada:../secret.txt:secret": "try again: secret.txt is not here",
    "ada:inner:secret": "try again: inner is not here",
    "ada:pipe.txt:secret": "try again: pipe.txt is not here",
    "ada:none.txt:secret": "try again: none.txt is not here",
    "ada:rain.txt:rain": "try again: rain.txt has more than 1048576 bytes",
    "ada:latin.txt:é": "try again: latin.txt is not UTF-8 text",
    "ada:empty.txt:a": "try again: empty.txt is empty",
    "ada:dashes.txt:a": "try again: dashes.txt has no words",
    "ada:tea.txt:tea": "try again: another word is more frequent",
    "ada:tea.txt:THE!": "thank you",
    "ada:tea.txt": "try again: write USER:FILE:WORD, with two colons",
    ":tea.txt:the": "try again: the user, before the first colon, is missing",
    "\x1b[2J:tea.txt:the": "try again: only UTF-8 text without control characters",
  };
  const question = Object.keys(cases).join("\n") + "\n";
  const answers = await within("the answers", ask(tcpTarget(port), question));
  assertEquals(answers, Object.values(cases).join("\n") + "\n");
  assertEquals((server.stdout + server.stderr).includes("\x1b"), false);
  const name = "漢".repeat(100);
  const foreign = await within("an answer", ask(tcpTarget(port), `ada:${name}:the\n`));
  assertEquals(foreign, "try again: that is no file's name\n");
  const long = await within("an answer", ask(tcpTarget(port), "x".repeat(1_025) + "\n"));
  assertMatch(long, /^try again: a line is longer than the limit of 1024 bytes\n$/);
  // any other failure to read
  Deno.removeSync(folder, { recursive: true });
  Deno.writeTextFileSync(folder, "no folder");
  const unread = await within("an answer", ask(tcpTarget(port), "ada:tea.txt:the\n"));
  assertEquals(unread, "try again: tea.txt cannot be read\n");
  const told = () => /^cannot read .*\/words\/tea\.txt: /m.test(server.stderr);
  await until(() => server.stderr, told, 20_000);
  assertEquals(await server.stop("SIGINT"), 0);
});

Deno.test("word_client ends with one clear sentence when a server misbehaves in any way", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "hostile-" });
  const file = `${folder}/tea.txt`;
  Deno.writeTextFileSync(file, "tea");
  // all at once: some end at their deadline only
  await Promise.all(
    Object.entries(behaviours).map(([name, behaviour]) =>
      isSurvived(behaviour, file).catch((error) => {
        throw new Error(`it ${name}`, { cause: error });
      })
    ),
  );
  Deno.removeSync(folder, { recursive: true });
});

async function isSurvived(behaviour: typeof behaviours[string], file: string): Promise<void> {
  await using peer = misbehave(behaviour);
  await using client = startDeno(
    [`--allow-net=127.0.0.1:${peer.address}`, `--allow-read=${file}`],
    CLIENT,
    { words: ["ada", file, "--port", peer.address] },
  );
  assertEquals(await within("its end", client.ended, 30_000), 1);
  peer.release();
  assertEquals(/[^\P{Cc}\n]/u.test(client.stdout + client.stderr), false);
  assertEquals(/^ +at /m.test(client.stderr), false, client.stderr);
}
