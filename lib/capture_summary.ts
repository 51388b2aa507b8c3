/**
 * The answer to exercise 9-2: how often does a message appear in a capture, and in which packets?
 *
 * @module
 */

import { type Flow, type FlowPiece, flowsOf } from "./capture_flows.ts";
import { CaptureError, readCapture } from "./capture_reader.ts";
import { quoted } from "./display.ts";
import { attempt } from "./errors.ts";
import { finderOf } from "./find_bytes.ts";

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
  const runs = flows.flatMap(runsOf);
  const wanted = message === undefined
    ? spoken(flows)
    : [message].map((text) => new TextEncoder().encode(text));
  if (wanted.length > mostMessages) {
    lines.push(`${wanted.length} messages, the first ${mostMessages}:`);
  }
  for (const bytes of wanted.slice(0, mostMessages)) {
    const found = appearances(runs, bytes);
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
  const sides = new Map(flows.map((flow) => [`${flow.protocol} ${flow.from} ${flow.to}`, flow]));
  const seen = new Set<Flow>();
  for (const flow of flows) {
    if (seen.has(flow)) continue;
    const back = sides.get(`${flow.protocol} ${flow.to} ${flow.from}`);
    if (back) seen.add(back);
    // whoever spoke first may be the server, as in SMTP; the client is the one that is seen first
    for (const turn of turnsOf(flow, back?.pieces ?? [])) {
      const bytes = bytesOf(turn);
      messages.set(bytes.toHex(), bytes);
    }
  }
  return [...messages.values()];
}

/** Pieces up to an answer of the other side, or to a hole. */
function turnsOf({ pieces }: Flow, answers: FlowPiece[]): FlowPiece[][] {
  const answered = answers.map(({ packet }) => packet).sort((a, b) => a - b);
  const turns: FlowPiece[][] = [];
  let next = 0;
  // a piece that came late held back all that stands behind it
  let arrived = 0;
  for (const piece of pieces) {
    while (next < answered.length && answered[next]! < arrived) next++;
    arrived = Math.max(arrived, piece.packet);
    const turn = turns.at(-1);
    const ends = next < answered.length && answered[next]! < arrived;
    if (turn && !ends && endOf(turn.at(-1)!) === piece.offset) turn.push(piece);
    else turns.push([piece]);
  }
  return turns;
}

/** Pieces that follow each other without a hole. */
interface Run {
  flow: Flow;
  pieces: FlowPiece[];
  bytes: Uint8Array;
}

function runsOf(flow: Flow): Run[] {
  return turnsOf(flow, []).map((pieces) => ({ flow, pieces, bytes: bytesOf(pieces) }));
}

const endOf = ({ offset, bytes }: FlowPiece) => offset + bytes.length;

/** Where the bytes stand. */
function appearances(runs: Run[], wanted: Uint8Array): Appearance[] {
  if (wanted.length === 0) return [];
  const found: Appearance[] = [];
  const find = finderOf(wanted);
  for (const { flow: { from, to }, pieces, bytes } of runs) {
    let first = 0;
    for (const place of find(bytes)) {
      const start = pieces[0]!.offset + place;
      // the next place is behind this one, and so are its pieces
      while (endOf(pieces[first]!) <= start) first++;
      const packets: number[] = [];
      for (let at = first; (pieces[at]?.offset ?? Infinity) < start + wanted.length; at++) {
        packets.push(pieces[at]!.packet);
      }
      found.push({ from, to, packets });
    }
  }
  return found;
}

/** As one; there may be more pieces than a call takes arguments. */
function bytesOf(pieces: FlowPiece[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!.bytes;
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.bytes.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece.bytes, at);
    at += piece.bytes.length;
  }
  return bytes;
}
