/**
 * The reliable transfer with a Python implementation of its segments at either end, and with socat as the way
 * between.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { assertSame, random } from "./payloads.ts";
import { freePort, peerTest, python, temporaryFolder } from "./peers.ts";
import { Process, within } from "./process.ts";
import { pathOf } from "./scripts.ts";

const BAD = ["--drop", "20", "--duplicate", "5", "--reorder", "10", "--corrupt", "5"];

function start(script: string, flags: string[], ...words: (string | number)[]): Process {
  const command = [Deno.execPath(), "run", "--no-prompt", ...flags, pathOf(script)];
  return new Process([...command, ...words.map(String)]);
}

function startReceiver(output: string, port: number): Process {
  return start(
    "udp/reliable_receiver",
    [
      "--allow-net=127.0.0.1",
      `--allow-read=${output},${output}.part`,
      `--allow-write=${output},${output}.part`,
    ],
    ...["--output", output, "--port", port, "--transfers", 1, "--linger", 2],
  );
}

function startSender(path: string, port: number): Process {
  const flags = [`--allow-read=${path}`, `--allow-net=127.0.0.1:0,127.0.0.1:${port}`];
  return start("udp/reliable_sender", flags, path, "--port", port);
}

async function startLink(port: number, to: number): Promise<Process> {
  const words = ["--port", port, "--to", `127.0.0.1:${to}`, ...BAD];
  const link = start("udp/lossy_link", ["--allow-net=127.0.0.1"], ...words);
  await link.stdout.line(/^listening on /);
  return link;
}

for (const length of [0, 1_000, 200_001]) {
  peerTest(
    `reliable_sender brings ${length} bytes to Python through a bad link`,
    ["python3"],
    async () => {
      using folder = temporaryFolder();
      const [path, output] = [`${folder.path}/sent`, `${folder.path}/received`];
      Deno.writeFileSync(path, random(length));
      const [port, linkPort] = [freePort(), freePort()];
      await using receiver = new Process(python("reliable.py", "receive", port, output));
      await receiver.stdout.line(/^listening/);
      await using _link = await startLink(linkPort, port);
      await using sender = startSender(path, linkPort);
      assertEquals(await sender.end(), 0, sender.stderr.text);
      // Python's receiver has no linger: it waits for the leave, which may be lost
      const leave = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0]);
      await within(endOf(receiver, leave, port), () => "the end of Python's receiver");
      assertSame(Deno.readFileSync(output), Deno.readFileSync(path));
    },
  );

  peerTest(
    `reliable_receiver gets ${length} bytes from Python through a bad link`,
    ["python3"],
    async () => {
      using folder = temporaryFolder();
      const [path, output] = [`${folder.path}/sent`, `${folder.path}/received`];
      Deno.writeFileSync(path, random(length));
      const [port, linkPort] = [freePort(), freePort()];
      await using receiver = startReceiver(output, port);
      await receiver.stdout.line(/^listening on /);
      await using _link = await startLink(linkPort, port);
      await using sender = new Process(python("reliable.py", "send", linkPort, path, 16));
      assertEquals(await sender.end(), 0, sender.stderr.text);
      assertEquals(await receiver.end(), 0, receiver.stderr.text);
      assertSame(Deno.readFileSync(output), Deno.readFileSync(path));
    },
  );
}

peerTest("reliable_sender and reliable_receiver meet through socat", ["socat"], async () => {
  using folder = temporaryFolder();
  const [path, output] = [`${folder.path}/sent`, `${folder.path}/received`];
  Deno.writeFileSync(path, random(300_000));
  const [port, relayPort] = [freePort(), freePort()];
  await using receiver = startReceiver(output, port);
  await receiver.stdout.line(/^listening on /);
  await using relay = new Process([
    ...["socat", "-d", "-d", `UDP4-LISTEN:${relayPort},bind=127.0.0.1`, `UDP4:127.0.0.1:${port}`],
  ]);
  await relay.stderr.line(/listening on/);
  await using sender = startSender(path, relayPort);
  assertEquals(await sender.end(), 0, sender.stderr.text);
  assertEquals(await receiver.end(), 0, receiver.stderr.text);
  assertSame(Deno.readFileSync(output), Deno.readFileSync(path));
});

/** Sends a leave, with its checksum, until the process ends. */
async function endOf(process: Process, leave: Uint8Array, port: number): Promise<void> {
  const { crc32 } = await import("node:zlib");
  new DataView(leave.buffer).setUint32(0, crc32(leave.subarray(4)));
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const timer = setInterval(
    () => socket.send(leave, { transport: "udp", hostname: "127.0.0.1", port }).catch(() => {}),
    100,
  );
  try {
    assertEquals(await process.end(), 0, process.stderr.text);
  } finally {
    clearInterval(timer);
    socket.close();
  }
}
