/**
 * Sends a file of 10 MiB through lossy_link.ts, each time by another seed, at 20% loss, 5% duplicates and 10%
 * reordering in each direction, and compares the SHA-256 of what arrives. Ends with 1 when one differs. Both sides
 * are patient: on a busy machine a segment that is lost again and again waits 2 s for each try.
 *
 *     deno run -A tests/bench/loss.ts              20 seeds, two at a time
 *     deno run -A tests/bench/loss.ts 3 1048576    3 seeds of 1 MiB
 *
 * @module
 */

import { transfer } from "../hostile/transfers.ts";

const FAULTS = ["--drop", "20", "--duplicate", "5", "--reorder", "10"];
const [seeds = 20, bytes = 10 * 1024 * 1024] = Deno.args.map(Number);

const folder = Deno.makeTempDirSync({ prefix: "loss-" });
const path = `${folder}/sent`;
const content = new Uint8Array(bytes);
for (let at = 0; at < bytes; at += 65_536) {
  crypto.getRandomValues(content.subarray(at, at + 65_536));
}
await Deno.writeFile(path, content);
const sent = await sha256(path);
console.log(`${bytes} bytes with SHA-256 ${sent}; ${FAULTS.join(" ")}, each way`);

let next = 1;
let whole = 0;
const worker = async () => {
  for (let seed; (seed = next++) <= seeds;) {
    const output = `${folder}/received-${seed}`;
    const result = await transfer(path, output, {
      link: [...FAULTS, "--seed", String(seed)],
      sender: ["--window", "64", "--patience", "60"],
      receiver: ["--patience", "60"],
    });
    const same = result.code === 0 && await sha256(output) === sent;
    if (same) whole++;
    console.log(`seed ${seed}: ${same ? "the same SHA-256" : "DIFFERENT"}; ${result.said}`);
    await Deno.remove(output).catch(() => {});
  }
};
await Promise.all([worker(), worker()]);
await Deno.remove(folder, { recursive: true });
console.log(`${whole} of ${seeds} arrived with the same SHA-256`);
Deno.exit(whole === seeds ? 0 : 1);

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}
