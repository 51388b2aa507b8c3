/**
 * The answer to exercise 9-2: how often does a message appear in a capture, and in which packets?
 *
 * @module
 */

import { type Flow, flowsOf } from "./capture_flows.ts";
import { CaptureError, readCapture } from "./capture_reader.ts";
import { quoted } from "./display.ts";
import { attempt } from "./errors.ts";
import { joined } from "./packets.ts";

/** What to look for, and limits. */
export interface SummaryOptions {
  /** Count this text; all that the clients said unless told. */
  message?: string;
  /** The most bytes of the file; 256 MiB unless told. */
  size?: number;
  /** The most messages; 100 unless told. */
  messages?: number;
}

/** One place where a message stands. */
interface Appearance {
  from: string;
  to: string;
  packets: number[];
}

/**
 * Looks through a capture, pcapng or pcap. The messages are what each client said before the server answered,
 * or the one that is asked for; a message is found also where it was cut into several packets.
 *
 * @returns lines to print
 * @throws {ActionError} when the file cannot be read, is no capture, or is larger than the limit
 */
export async function summarize(path: string, options: SummaryOptions = {}): Promise<string[]> {
  const { message, size: most = 256 * 1024 * 1024, messages: mostMessages = 100 } = options;
  const packets = await attempt(`read the capture ${path}`, async () => {
    const { size } = await Deno.stat(path);
    if (size > most) throw new CaptureError(`it has ${size} bytes, more than ${most}`);
    return readCapture(await Deno.readFile(path));
  });
  const flows = flowsOf(packets);
  const carrying = flows.reduce((sum, { pieces }) => sum + pieces.length, 0);
  const lines = [`${packets.length} packets, ${carrying} of them carry something`];
  const wanted = message === undefined
    ? spoken(flows)
    : [message].map((text) => new TextEncoder().encode(text));
  if (wanted.length > mostMessages) {
    lines.push(`${wanted.length} messages, the first ${mostMessages}:`);
  }
  for (const bytes of wanted.slice(0, mostMessages)) {
    const found = flows.flatMap((flow) => appearances(flow, bytes));
    const numbers = [...new Set(found.flatMap(({ packets }) => packets))].sort((a, b) => a - b);
    const times = `${found.length} time${found.length === 1 ? "" : "s"}`;
    const where = numbers.length === 0
      ? ""
      : `, in the packet${numbers.length === 1 ? "" : "s"} ${numbers.join(", ")}`;
    lines.push(`${quoted(bytes, { limit: 60 })}  ${times}${where}`);
    for (const { from, to, packets } of found.slice(0, 20)) {
      lines.push(
        `  ${from} → ${to}  packet${packets.length === 1 ? "" : "s"} ${packets.join(", ")}`,
      );
    }
    if (found.length > 20) lines.push(`  … ${found.length - 20} more`);
  }
  return lines;
}

/** What the clients said, each run of packets before the server's next answer as one; once each. */
function spoken(flows: Flow[]): Uint8Array[] {
  const messages = new Map<string, Uint8Array>();
  const seen = new Set<Flow>();
  for (const flow of flows) {
    if (seen.has(flow)) continue;
    const back = flows.find(({ protocol, from, to }) =>
      protocol === flow.protocol && from === flow.to && to === flow.from
    );
    if (back) seen.add(back);
    // whoever spoke first may be the server, as in SMTP; the client is the one that is seen first
    const answers = back?.pieces.map(({ packet }) => packet) ?? [];
    let turn: Uint8Array[] = [];
    const finish = () => {
      const bytes = joined(...turn);
      if (bytes.length > 0) messages.set(bytes.toHex(), bytes);
      turn = [];
    };
    flow.pieces.forEach(({ bytes, packet, offset }, index) => {
      const before = flow.pieces[index - 1];
      const answered = before &&
        answers.some((answer) => answer > before.packet && answer < packet);
      const follows = before && before.offset + before.bytes.length === offset;
      if (answered || !follows) finish();
      turn.push(bytes);
    });
    finish();
  }
  return [...messages.values()];
}

/** Where the bytes stand in what one side sent. */
function appearances(flow: Flow, bytes: Uint8Array): Appearance[] {
  if (bytes.length === 0) return [];
  const found: Appearance[] = [];
  const wanted = characters(bytes);
  for (const run of runsOf(flow)) {
    const text = characters(joined(...run.map((piece) => piece.bytes)));
    const base = run[0]!.offset;
    for (
      let at = text.indexOf(wanted);
      at >= 0;
      at = text.indexOf(wanted, at + wanted.length)
    ) {
      const [start, end] = [base + at, base + at + wanted.length];
      const packets = run
        .filter((piece) => piece.offset < end && piece.offset + piece.bytes.length > start)
        .map(({ packet }) => packet);
      found.push({ from: flow.from, to: flow.to, packets });
    }
  }
  return found;
}

/** Pieces that follow each other without a hole. */
function runsOf({ pieces }: Flow): Flow["pieces"][] {
  const runs: Flow["pieces"][] = [];
  for (const piece of pieces) {
    const last = runs.at(-1)?.at(-1);
    if (last && last.offset + last.bytes.length === piece.offset) runs.at(-1)!.push(piece);
    else runs.push([piece]);
  }
  return runs;
}

/** A character for each byte: texts are searched faster than bytes. */
function characters(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
