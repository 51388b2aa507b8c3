/** Programs that misbehave under `pipe` and `run_command`. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { memory } from "./script.ts";
import { pause } from "./waits.ts";

const scripts = new URL("../../scripts/ipc/", import.meta.url).pathname;

function spawn(script: string, programs: string, ...words: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `--allow-run=${programs}`, `${scripts}${script}.ts`, ...words],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function output(child: Deno.ChildProcess) {
  const { code, stdout, stderr } = await child.output();
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
}

Deno.test("run_command gives up when a program prints without end", async () => {
  const { code, stderr } = await output(spawn("run_command", "yes", "yes", "--limit", "100000"));
  assertEquals(code, 1);
  assertMatch(stderr, /cannot run yes: it prints more than 100000 bytes/);
});

Deno.test("run_command gives up when a program does not end, even one that ignores SIGTERM", async () => {
  const trap = "trap '' TERM; echo $$; while :; do sleep 0.2; done";
  const words = ["--seconds", "1", "--", "sh", "-c", trap];
  const { code, stderr } = await output(spawn("run_command", "sh", ...words));
  assertEquals(code, 1);
  assertMatch(stderr, /cannot run sh: nothing came within 1 s/);
});

Deno.test("run_command gives up all the same when the program has ended already", async () => {
  const keptOpen = ["--seconds", "1", "--", "sh", "-c", "sleep 3 & echo hi"];
  const [tooMuch, tooLong] = await Promise.all([
    output(spawn("run_command", "echo", "--limit", "2", "echo", "hi")),
    output(spawn("run_command", "sh", ...keptOpen)),
  ]);
  assertEquals(tooMuch.stderr, "run_command.ts: cannot run echo: it prints more than 2 bytes\n");
  assertEquals(tooLong.stderr, "run_command.ts: cannot run sh: nothing came within 1 s\n");
  assertEquals([tooMuch.code, tooLong.code], [1, 1]);
});

Deno.test("run_command and pipe say what a program is when they are given something else", async () => {
  const next = "\nName a program: a file that you may execute, not a folder.\n";
  for (const file of ["/etc/passwd", "/etc"]) {
    const ran = await output(spawn("run_command", file, file));
    assertEquals([ran.code, ran.stderr.includes(next)], [1, true], ran.stderr);
  }
  const piped = await output(spawn("pipe", "echo,/etc/passwd", "echo", "/etc/passwd"));
  assertEquals([piped.code, piped.stderr.includes(next)], [1, true], piped.stderr);
});

Deno.test("pipe shows its usage when a command needs a shell, or is none", async () => {
  for (const line of ["echo a|b", "echo 'a", "", "  ", "echo $HOME", 'echo "a']) {
    const { code, stderr } = await output(spawn("pipe", "echo,cat", line, "cat"));
    assertEquals(code, 2, `${line}: ${stderr}`);
    assertMatch(stderr, /^pipe\.ts: .*\nusage: deno run .*\n$/);
    assert(!stderr.includes("server"), stderr);
  }
});

Deno.test("pipe keeps the first program waiting when the second does not read", async () => {
  const reads = "sleep 1; head -c 3; kill -TERM $$";
  const child = spawn("pipe", "yes,sh", "yes", `sh -c '${reads}'`);
  await pause(700);
  // yes prints gigabytes a second when nobody holds it back
  assert(memory(child.pid) < 200 * 1024 * 1024);
  const { code, stdout, stderr } = await output(child);
  assertEquals([code, stdout], [143, "y\ny"]);
  assertMatch(stderr, /yes was ended by SIGPIPE/);
  assertMatch(stderr, /sh was ended by SIGTERM/);
});

Deno.test("pipe ends the first program when the second cannot be started", async () => {
  const { code, stderr } = await output(spawn("pipe", "sleep", "sleep 1000", "no-such-program"));
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /cannot start no-such-program: there is no such file/,
  );
});

Deno.test("shared_memory refuses what the counter cannot hold", async () => {
  for (const words of [["--times", "3000000000"], ["--workers", "65"], ["--rounds", "0"]]) {
    const { code } = await output(spawn("shared_memory", "true", ...words));
    assertEquals(code, 2, words.join(" "));
  }
});

Deno.test("shared_memory promises no lost update where there is no race", async () => {
  for (const words of [["--workers", "1"], ["--times", "0"]]) {
    const { code, stdout } = await output(spawn("shared_memory", "true", ...words));
    assertEquals(code, 0);
    assertMatch(stdout, /^\(of necessity: an update is lost only when two workers add\)$/m);
  }
});
