/**
 * A script as a process with its narrow flags, and what the system tells about it from outside.
 *
 * @module
 */

import { parseLesson } from "../../lib/lesson.ts";
import { within } from "./waits.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const MOST = 1024 * 1024;
const SMALL_HEAP = "--v8-flags=--max-semi-space-size=1,--max-old-space-size=32";

/**
 * Variables for all scripts that a test file starts. Deno's own are those of the process, in which other test
 * files run at the same time.
 */
export const ENVIRONMENT: Record<string, string> = {};

/** How a script is started. */
export interface StartOptions {
  words?: string[];
  /** Puts the test's own port or path into the flags that the header declares. */
  flags?: (flag: string) => string;
  /** Raises or lowers the number of files it may open. */
  files?: number;
  stdin?: Uint8Array<ArrayBuffer>;
  /** The folder that it is started in; the repository's unless told. */
  cwd?: string;
  env?: Record<string, string>;
  /** Garbage is collected early, so that the memory in use tells what is kept; a leak ends the process. */
  smallHeap?: boolean;
}

/** A started script. */
export interface Script extends AsyncDisposable {
  readonly pid: number;
  /** What it printed so far, at most 1 MiB of each. */
  readonly stdout: string;
  readonly stderr: string;
  readonly ended: Promise<number>;
  /** Waits for something on stdout, and gives its first group. */
  printed(pattern: RegExp): Promise<string>;
  /** Sends a signal and waits for the end. */
  stop(signal: Deno.Signal): Promise<number>;
}

/** The flags that a script's header declares for its first `@run`. */
export function flagsOf(path: string): string[] {
  return parseLesson(path, Deno.readTextFileSync(ROOT + path)).runs[0]!.flags;
}

/** Starts a script of the repository with the flags of its header and nothing more. */
export function startScript(path: string, options: StartOptions = {}): Script {
  return startDeno(flagsOf(path).map(options.flags ?? ((flag) => flag)), path, options);
}

/** Starts Deno with given flags. */
export function startDeno(flags: string[], path: string, options: StartOptions = {}): Script {
  const { words = [], smallHeap, files, stdin, env, cwd = ROOT } = options;
  const script = cwd === ROOT ? path : ROOT + path;
  const args = [
    "run",
    "--no-prompt",
    ...(smallHeap ? [SMALL_HEAP] : []),
    ...flags,
    script,
    ...words,
  ];
  const limited = ["-c", 'ulimit -n "$0" && exec "$@"', `${files}`, Deno.execPath(), ...args];
  const child = new Deno.Command(files ? "sh" : Deno.execPath(), {
    args: files ? limited : args,
    cwd,
    // the look for a newer Deno is a socket more, for as long as no name server answers
    env: { ...ENVIRONMENT, ...env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: stdin ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();

  const text = { stdout: "", stderr: "" };
  let look = () => {};
  const collect = async (stream: "stdout" | "stderr") => {
    for await (const piece of child[stream].pipeThrough(new TextDecoderStream())) {
      if (text[stream].length < MOST) text[stream] += piece;
      look();
    }
  };
  const feed = async () => {
    if (!stdin) return;
    const writer = child.stdin.getWriter();
    // it may end without having read all
    await writer.write(stdin).then(() => writer.close()).catch(() => {});
  };
  const ended = Promise.all([child.status, collect("stdout"), collect("stderr"), feed()])
    .then(([{ code }]) => code);
  const describe = () => `${path}\n${text.stdout}${text.stderr}`;
  return {
    pid: child.pid,
    ended,
    get stdout() {
      return text.stdout;
    },
    get stderr() {
      return text.stderr;
    },
    printed(pattern) {
      const found = new Promise<string>((resolve, reject) => {
        look = () => {
          const match = pattern.exec(text.stdout);
          if (match) resolve(match[1] ?? match[0]);
        };
        look();
        ended.then(() => reject(new Error(`it ended before it printed ${pattern}: ${describe()}`)));
      });
      return within(`${path} prints ${pattern}`, found, 60_000);
    },
    stop(signal) {
      child.kill(signal);
      return within(`${path} ends at ${signal}`, ended);
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended
      }
      await ended;
    },
  };
}

const LINUX = Deno.build.os === "linux";

/** How many files and sockets a process has open; 0 where the system does not tell. */
export function openFiles(pid: number | "self"): number {
  return LINUX ? Array.from(Deno.readDirSync(`/proc/${pid}/fd`)).length : 0;
}

/** The memory that a process really uses, in bytes; 0 where the system does not tell. */
export function memory(pid: number): number {
  if (!LINUX) return 0;
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)![1]) * 1024;
}

/** How many files this user may at most allow a process to open. */
export function mostFiles(): number {
  if (!LINUX) return 0;
  const limits = Deno.readTextFileSync("/proc/self/limits");
  return Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? 0);
}

/** Runs Deno, whose output goes into a pipe that is closed before the first byte comes. */
export async function readNothing(args: string[]): Promise<{ code: number; stderr: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    env: { ...ENVIRONMENT, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await child.stdout.cancel();
  const stderr = await new Response(child.stderr).text();
  return { code: (await child.status).code, stderr };
}
