/**
 * A large file from nginx to memory, beside curl, Python's requests, and fetch alone.
 *
 * @module
 */

import { type Comparison, ratio, type Sample } from "./compare.ts";
import type { Place } from "./place.ts";
import { Process } from "./processes.ts";

const HERE = import.meta.dirname!;
const DENO = ["deno", "run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1"];
const NGINX = "/usr/sbin/nginx";
const ON_DISK = "tmpfs cannot be mounted: downloads are written to the disk";
const SIZE = 512 * 1024 * 1024;

/** The comparison, or a note why there is none. */
export function downloadComparison(place: Place): Comparison[] {
  const { serving, loading, python } = place;
  if (!runs([NGINX, "-v"])) {
    place.notes.push("nginx is missing: nothing is measured of downloads");
    return [];
  }
  /** Times a whole process, from its start until the file is there. */
  const timed = (command: (url: string, file: string) => string[]) => async (): Promise<Sample> => {
    const folder = Deno.makeTempDirSync({ dir: "/tmp", prefix: "deno-bench-" });
    // in memory, where that is allowed: a disk would be the slowest of all
    const mounted = runs(["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", folder]);
    if (!mounted && !place.notes.includes(ON_DISK)) place.notes.push(ON_DISK);
    try {
      const { nginx, url } = await startNginx(serving, folder);
      await using _ended = nginx;
      const file = `${folder}/file`;
      const words = [...loading, ...command(url, file)];
      const start = performance.now();
      await using client = new Process(words);
      if (!await client.succeeded()) throw new Error(`${words.join(" ")} failed`);
      const rate = SIZE / (performance.now() - start) * 1_000;
      const { size } = Deno.statSync(file);
      if (size !== SIZE) throw new Error(`${words.join(" ")} wrote ${size} bytes, not ${SIZE}`);
      return { rate };
    } finally {
      if (mounted) runs(["umount", "--lazy", folder]);
      Deno.removeSync(folder, { recursive: true });
    }
  };
  const deno = (file: string, ...words: string[]) => {
    const files = [file, `${file}.part`, `${file}.part.version`];
    return [...DENO, `--allow-read=${files}`, `--allow-write=${files}`, ...words];
  };
  const lesson = `${HERE}/../../scripts/http/download.ts`;
  const contenders: Comparison["contenders"] = {
    lesson: timed((url, file) => deno(file, lesson, url, "--output", file)),
    fetch: timed((url, file) => deno(file, `${HERE}/download_fetch.ts`, url, file)),
  };
  if (runs(["curl", "--version"])) {
    contenders.curl = timed((url, file) => ["curl", "-sSf", "--noproxy", "*", "-o", file, url]);
  }
  if (python && runs([...python, "-c", "import requests"])) {
    contenders.requests = timed((
      ...words
    ) => [...python, `${HERE}/download_requests.py`, ...words]);
  } else place.notes.push("python3-requests is missing: downloads are not compared with it");
  return [{
    name: "download",
    title: `a file of ${SIZE / 1024 / 1024} MiB from nginx, start of the program included`,
    shown: { rate: "bytes/s" },
    contenders,
    goals: [
      { text: "lesson / fetch", of: ratio("lesson", "fetch"), atLeast: 0.7 },
      { text: "lesson / requests", of: ratio("lesson", "requests"), atLeast: 1.2 },
      { text: "lesson / curl", of: ratio("lesson", "curl"), atLeast: 0.9 },
    ],
  }];
}

/** Whether a command can be run here, without waiting as `works` does. */
function runs([program, ...args]: string[]): boolean {
  try {
    const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
    return new Deno.Command(program!, { args, ...quiet }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** An nginx in one process, on a port that the system does not hand out by itself. */
async function startNginx(serving: string[], folder: string) {
  const port = 20_000 + Math.floor(Math.random() * 12_000);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(" ");
  const settings = `daemon off; master_process off; pid ${folder}/pid; error_log stderr notice;
    events { worker_connections 16; }
    http { ${temporary} access_log off; sendfile on;
      server { listen 127.0.0.1:${port}; root ${folder}/served; } }`;
  await Deno.writeTextFile(`${folder}/nginx.conf`, settings);
  await Deno.mkdir(`${folder}/served`);
  await Deno.writeFile(`${folder}/served/hole`, new Uint8Array());
  await Deno.truncate(`${folder}/served/hole`, SIZE);
  const words = ["-p", folder, "-e", "stderr", "-c", `${folder}/nginx.conf`];
  const nginx = new Process([...serving, NGINX, ...words], { stream: "stderr" });
  try {
    // it listens before it says anything of the system
    await nginx.line(/getrlimit/, { among: 20 });
    return { nginx, url: `http://127.0.0.1:${port}/hole` };
  } catch (error) {
    await nginx[Symbol.asyncDispose]();
    throw error;
  }
}
