/** The lessons about processes against the shell and against Python: same bytes, same exit codes. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { peerTest, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";
import { now } from "../../scripts/ipc/run_command.ts";

interface Result {
  code: number;
  stdout: Uint8Array;
  stderr: string;
}

async function result(command: string[], input?: Uint8Array): Promise<Result> {
  await using process = new Process(command);
  if (input) await process.send(input);
  await process.send();
  const code = await process.end();
  return { code, stdout: process.stdout.bytes, stderr: process.stderr.text };
}

function ours(script: string, programs: string, ...words: string[]): string[] {
  return [
    Deno.execPath(),
    "run",
    "--no-prompt",
    `--allow-run=${programs}`,
    pathOf(script),
    ...words,
  ];
}

const PIPES: [first: string, second: string][] = [
  ["ls /etc", "grep hosts"],
  ["ls /", "grep no-such-name"], // grep's exit code 1 is that of the whole
  ["seq 1 1000000", "head -n 3"], // the second ends first
  ["seq 1 1000000", "true"], // the second reads nothing
  ["true", "cat"],
  ["false", "cat"], // the first one's exit code is not asked for
  ["ls /no-such-folder", "sort -r"],
  ["seq 1 300000", "sort -rn"],
  ["head -c 50000000 /dev/zero", "sha256sum"],
  [`printf 'a b\\n%s\\n' 'c  d' "e'f"`, "sort"],
  ["seq 1 10", "sh -c 'read a; kill -TERM $$'"], // ended by a signal: 128 and its number
];

for (const [first, second] of PIPES) {
  peerTest(`pipe does what the shell does for ${first} | ${second}`, ["sh"], async () => {
    const programs = [first, second].map((command) => command.split(" ")[0]).join(",");
    const [theirs, mine] = await Promise.all([
      result(["sh", "-c", `${first} | ${second}`]),
      result(ours("ipc/pipe", programs, first, second)),
    ]);
    assertEquals(mine.stdout, theirs.stdout);
    assertEquals(mine.code, theirs.code);
  });
}

peerTest("pipe gives the first program its own standard input", ["sh"], async () => {
  const text = new TextEncoder().encode("Jul\nAug 1\nSep\nAug 2\n");
  const { stdout, code } = await result(ours("ipc/pipe", "cat,grep", "cat", "grep Aug"), text);
  assertEquals([new TextDecoder().decode(stdout), code], ["Aug 1\nAug 2\n", 0]);
});

peerTest("run_command gives a program its arguments as they are", ["sh"], async () => {
  using folder = temporaryFolder();
  const bait = `${folder.path}/bait`;
  const nasty = [`; touch ${bait}`, `$(touch ${bait})`, "`touch " + bait + "`", `| touch ${bait}`];
  const { stdout, code } = await result(
    ours("ipc/run_command", "printf", "printf", "%s\\n", ...nasty),
  );
  assertEquals(new TextDecoder().decode(stdout).split("\n").slice(1, -1), nasty);
  assertEquals(code, 0);
  assertEquals([...Deno.readDirSync(folder.path)], []);
  // the same text through a shell does what nobody wanted
  await result(["sh", "-c", `printf '%s\\n' x ${nasty[0]}`]);
  assert([...Deno.readDirSync(folder.path)].length === 1);
});

peerTest("run_command keeps exit codes, and those of signals as a shell does", ["sh"], async () => {
  for (
    const [text, code] of [["exit 7", 7], ["kill -KILL $$", 137], ["kill -TERM $$", 143]] as const
  ) {
    const mine = await result(ours("ipc/run_command", "sh", "--", "sh", "-c", text));
    assertEquals(mine.code, code, text);
  }
});

peerTest("run_command's time is Python's time.strftime('%c')", ["python3"], async () => {
  const dates = ["2026-01-02T03:04:05", "2026-12-31T23:59:59", "2000-02-29T00:00:00"];
  const program = `import datetime
for text in ${JSON.stringify(dates)}: print(datetime.datetime.fromisoformat(text).strftime("%c"))`;
  const { stdout } = await result(["python3", "-c", program]);
  assertEquals(
    new TextDecoder().decode(stdout).trim().split("\n"),
    dates.map((date) => now(new Date(date))),
  );
});

peerTest("a Python program loses updates as shared_memory shows it", ["python3"], async () => {
  const program = `import multiprocessing as m
v = m.Value("i", 0)
def work():
    for _ in range(50000): v.value += 1
def locked():
    for _ in range(5000):
        with v.get_lock(): v.value += 1
def run(f):
    ps = [m.Process(target=f) for _ in range(2)]
    [p.start() for p in ps]; [p.join() for p in ps]
run(work); lost = v.value
v.value = 0; run(locked)
print(lost <= 100000, v.value)`;
  const { stdout } = await result(["python3", "-c", program]);
  assertMatch(new TextDecoder().decode(stdout), /^True 10000$/m);
  const mine = await result([Deno.execPath(), "run", "--no-prompt", pathOf("ipc/shared_memory")]);
  const text = new TextDecoder().decode(mine.stdout);
  const [, arrived, lost] = /without Atomics: (\d+) of 2000000 .* (\d+) were lost/.exec(text)!;
  assertEquals(Number(arrived) + Number(lost), 2_000_000);
  assert(Number(lost) > 0, text);
  assertMatch(text, /with Atomics: 2000000 of 2000000/);
});
