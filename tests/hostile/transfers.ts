/**
 * Transfers by reliable_sender.ts and reliable_receiver.ts as processes, with lossy_link.ts between them.
 *
 * @module
 */

import { type Script, startDeno } from "./script.ts";
import { within } from "./waits.ts";

/** Long enough for 10 MiB at 20% loss on a busy machine. */
const LATE = 180_000;

/** Starts a receiver on a free port, with flags for its output alone. */
export async function startReceiver(
  output: string,
  ...words: string[]
): Promise<{ receiver: Script; port: string }> {
  const flags = [
    "--allow-net=127.0.0.1",
    `--allow-read=${output},${output}.part`,
    `--allow-write=${output},${output}.part`,
  ];
  const receiver = startDeno(flags, "scripts/udp/reliable_receiver.ts", {
    words: ["--port", "0", "--output", output, ...words],
  });
  return { receiver, port: await receiver.printed(/^listening on 127\.0\.0\.1:(\d+)$/m) };
}

/** Starts a link to a port of this machine. */
export async function startLink(
  to: string,
  ...words: string[]
): Promise<{ link: Script; port: string }> {
  const link = startDeno(["--allow-net=127.0.0.1"], "scripts/udp/lossy_link.ts", {
    words: ["--port", "0", "--to", `127.0.0.1:${to}`, ...words],
  });
  return { link, port: await link.printed(/^listening on 127\.0\.0\.1:(\d+)$/m) };
}

/** Starts a sender to a port of this machine. */
export function startSender(path: string, port: string, ...words: string[]): Script {
  const flags = [`--allow-read=${path}`, `--allow-net=127.0.0.1:0,127.0.0.1:${port}`];
  return startDeno(flags, "scripts/udp/reliable_sender.ts", {
    words: [path, "--port", port, ...words],
  });
}

/** Sends a file to another through a link; both sides must end by themselves. */
export async function transfer(
  path: string,
  output: string,
  words: { link?: string[]; sender?: string[]; receiver?: string[] },
): Promise<{ code: number; said: string; link: string }> {
  const { receiver, port } = await startReceiver(
    output,
    "--transfers",
    "1",
    ...words.receiver ?? [],
  );
  await using _receiving = receiver;
  const { link, port: linkPort } = await startLink(port, ...words.link ?? []);
  await using _linking = link;
  await using sender = startSender(path, linkPort, ...words.sender ?? []);
  const code = await within("the sender's end", sender.ended, LATE);
  const received = await within("the receiver's end", receiver.ended, LATE);
  await link.stop("SIGINT");
  const said = code === 0 ? sender.stdout.trim() : sender.stderr.slice(-500);
  return { code: code || received, said, link: link.stdout };
}
