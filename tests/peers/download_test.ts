/**
 * download with nginx: whole files, broken and slow connections, a terminal, and memory.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { bytesOfSize, NGINX, type Nginx, SIZES, startNginx } from "./nginx.ts";
import { peerTest, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf, startServer } from "./scripts.ts";
import { Terminal } from "./terminal.ts";

const MEBIBYTE = 1_048_576;

/** The command that downloads into a folder; where it puts the file it chooses unless it is told. */
function command(nginx: Nginx, folder: string, ...words: string[]): string[] {
  const net = `--allow-net=127.0.0.1:${nginx.port},127.0.0.1:${nginx.tlsPort}`;
  const flags = [net, `--allow-read=${folder}`, `--allow-write=${folder}`];
  return [Deno.execPath(), "run", "--no-prompt", ...flags, pathOf("http/download"), ...words];
}

async function download(nginx: Nginx, path: string, folder: string, ...words: string[]) {
  const url = path.includes("://") ? path : `http://127.0.0.1:${nginx.port}${path}`;
  await using process = new Process(
    command(nginx, folder, url, "--output", `${folder}/file`, ...words),
  );
  const code = await process.end();
  return { code, stdout: process.stdout.text, stderr: process.stderr.text };
}

const namesIn = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();

function assertFile(folder: string, size: number): void {
  const found = Deno.readFileSync(`${folder}/file`), expected = bytesOfSize(size);
  assertEquals(found.length, size);
  assert(found.every((byte, at) => byte === expected[at]), "the bytes differ");
  assertEquals(namesIn(folder), ["file"]);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Waits until a part has come. */
async function grows(path: string, size: number): Promise<void> {
  for (let tries = 0; tries < 3_000; tries++) {
    const found = await Deno.stat(path).catch(() => undefined);
    if (found && found.size >= size) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${path} does not reach ${size} bytes`);
}

peerTest(
  "download fetches every size from nginx, in every way it sends them",
  [NGINX],
  async () => {
    await using nginx = await startNginx();
    using folder = temporaryFolder();
    const checksum = await sha256(bytesOfSize(4_097));
    for (const size of SIZES) {
      const { code, stdout, stderr } = await download(nginx, `/${size}`, folder.path);
      assertEquals([code, stderr], [0, ""]);
      assertEquals(stdout, `saved ${folder.path}/file (${size} bytes)\n`);
      assertFile(folder.path, size);
    }
    for (const way of ["chunked", "close", "gzip", "moved/301?"]) {
      const path = way.startsWith("moved") ? "/moved/301" : `/${way}/4097`;
      const { code, stderr } = await download(nginx, path, folder.path, "--sha256", checksum);
      assertEquals([code, stderr], [0, ""]);
      assertFile(folder.path, 4_097);
    }
    const missing = await download(nginx, "/nowhere", folder.path);
    assertEquals([missing.code, missing.stdout], [1, ""]);
    assertMatch(missing.stderr, /: the server answered 404 Not Found\n$/);
    const ever = await download(nginx, "/moved/ever", folder.path);
    assertMatch(ever.stderr, /it was redirected more than 5 times\n$/);
    const untrusted = await download(nginx, "/moved/308", folder.path);
    assertMatch(untrusted.stderr, /issued by an authority that is not trusted here/);
    assertFile(folder.path, 4_097);
  },
);

peerTest("download names a file as nginx says, but never elsewhere", [NGINX], async () => {
  await using nginx = await startNginx();
  using folder = temporaryFolder();
  const [program, ...words] = command(nginx, ".", `http://127.0.0.1:${nginx.port}/moved/302`);
  const { code, stderr } = await new Deno.Command(program!, { args: words, cwd: folder.path })
    .output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assertEquals(namesIn(folder.path), ["downloads"]);
  assertEquals(namesIn(`${folder.path}/downloads`), ["evil name.bin"]);
});

peerTest("download goes on when nginx drops the connection, again and again", [NGINX], async () => {
  await using nginx = await startNginx();
  using folder = temporaryFolder();
  const { path } = folder;
  const url = `http://127.0.0.1:${nginx.port}/slow/${MEBIBYTE}`;
  await using process = new Process(command(nginx, path, url, "--output", `${path}/file`));
  for (const size of [100_000, 400_000, 700_000]) {
    await grows(`${path}/file.part`, size);
    await nginx.dropConnections();
  }
  assertEquals(await process.end(), 0, process.stderr.text);
  assertFile(path, MEBIBYTE);
  const broken = process.stderr.lines.filter((line) => line.includes("the connection broke after"));
  assertEquals(broken.length, 3, process.stderr.text);
  // a process that is killed writes nothing into its log, but the last one was not
  await nginx.logged(/^206 bytes=\d{6}- \/slow\/1048576$/);
});

peerTest("download gets through an nginx that proxies a server which drops connections", [
  NGINX,
], async () => {
  const local = { transport: "tcp", hostname: "127.0.0.1", port: 0 } as const;
  await using backend = await startServer("http/sample_server", local);
  const { port } = backend.at as Deno.NetAddr;
  await using nginx = await startNginx(port);
  using folder = temporaryFolder();
  const { code, stderr } = await download(nginx, "/proxied/dropping.bin", folder.path);
  assertEquals(code, 0, stderr);
  const numbers = Uint32Array.from({ length: 65_536 }, (_, number) => number);
  assertEquals(Deno.readFileSync(`${folder.path}/file`), new Uint8Array(numbers.buffer));
  for (const line of [/^200 - /, /^206 bytes=100000- /, /^206 bytes=200000- /]) {
    await nginx.logged(line);
  }
  assertEquals(nginx.log().length, 3);
});

peerTest("download stopped by Ctrl-C goes on later, unless nginx has a new version", [
  NGINX,
], async () => {
  await using nginx = await startNginx();
  for (const changed of [false, true]) {
    using folder = temporaryFolder();
    const { path } = folder;
    const url = `http://127.0.0.1:${nginx.port}/slow/${MEBIBYTE}`;
    await using first = new Process(command(nginx, path, url, "--output", `${path}/file`));
    await grows(`${path}/file.part`, 200_000);
    assertEquals(await first.stop("SIGINT"), 1);
    assertMatch(first.stderr.text, /bytes are kept in .*: the same command goes on with them\n/);
    assertEquals(namesIn(path), ["file.part", "file.part.version"]);
    if (changed) {
      const other = bytesOfSize(MEBIBYTE).fill(7);
      await Deno.writeFile(`${nginx.served}/${MEBIBYTE}`, other);
      // the same length, another second
      await Deno.utime(`${nginx.served}/${MEBIBYTE}`, 1_000_000_000, 1_000_000_000);
    }
    const requests = nginx.log().length;
    const second = await download(nginx, `/slow/${MEBIBYTE}`, path);
    assertEquals(second.code, 0, second.stderr);
    if (!changed) {
      assertMatch(second.stderr, /^going on after \d{6} bytes$/m);
      await nginx.logged(/^206 bytes=\d{6}- /);
      assertFile(path, MEBIBYTE);
    } else {
      assert(
        !nginx.log().slice(requests).some((line) => line.includes("bytes=")),
        "it asked for a part",
      );
      assert(Deno.readFileSync(`${path}/file`).every((byte) => byte === 7), "two versions in one");
    }
  }
});

peerTest("download shows in a terminal how far it is, and leaves no trace of that", [
  NGINX,
  "tmux",
], async () => {
  await using nginx = await startNginx();
  using folder = temporaryFolder();
  const url = `http://127.0.0.1:${nginx.port}/slow/${MEBIBYTE}`;
  // NO_COLOR, which is set where tests run for a log, would have it show nothing
  const words = ["env", "-u", "NO_COLOR"]
    .concat(command(nginx, folder.path, url, "--output", `${folder.path}/file`));
  await using terminal = await Terminal.open(words.map((word) => `'${word}'`).join(" "));
  await terminal.shows(/^\[#+ +\] +\d+% +\d+\.\d kB of 1\.0 MB +\d+\.\d kB\/s$/m);
  const screen = await terminal.shows(/ended with 0/);
  assertEquals(screen.split("\n").filter((line) => line !== ""), [
    ...`saved ${folder.path}/file (1048576 bytes)`.match(/.{1,100}/g)!,
    "ended with 0",
  ]);
  assertFile(folder.path, MEBIBYTE);
});

/** The most memory that a process has used so far, in bytes; 0 when it has just ended. */
function peakOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

peerTest("download needs no more memory for 256 MiB than for 16 MiB", [NGINX], async () => {
  await using nginx = await startNginx();
  using folder = temporaryFolder();
  const peaks: number[] = [];
  for (const size of [16, 256]) {
    // a file with a hole takes no room
    await Deno.writeFile(`${nginx.served}/hole`, new Uint8Array());
    await Deno.truncate(`${nginx.served}/hole`, size * MEBIBYTE);
    const url = `http://127.0.0.1:${nginx.port}/hole`;
    const [program, ...args] = command(nginx, folder.path, url, "--output", `${folder.path}/file`);
    const child = new Deno.Command(program!, { args, stdout: "null", stderr: "null" }).spawn();
    let peak = 0;
    const looking = setInterval(() => peak = Math.max(peak, peakOf(child.pid)), 20);
    try {
      assert((await child.status).success);
    } finally {
      clearInterval(looking);
    }
    assertEquals(Deno.statSync(`${folder.path}/file`).size, size * MEBIBYTE);
    peaks.push(peak);
  }
  const [small, large] = peaks as [number, number];
  const text = peaks.map((peak) => `${Math.round(peak / MEBIBYTE)} MiB`).join(", then ");
  console.log(`download used ${text}`);
  assert(small > 0 && large - small < 48 * MEBIBYTE, text);
});
