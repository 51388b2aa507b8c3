/**
 * Reads what tcpdump, Wireshark and `analyzer/tap.ts` have captured: pcapng and classic pcap, of either
 * order of bytes.
 *
 * @see {@link https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html PCAP Next Generation}
 * @see {@link https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-06.html PCAP Capture File Format}
 * @module
 */

/** A packet of a capture. */
export interface CapturedPacket {
  /** As Wireshark counts: from 1. */
  number: number;
  /** When it was seen, in milliseconds since 1970. */
  time: number;
  /** What its bytes begin with (a "link-layer header type"). */
  linkType: number;
  bytes: Uint8Array;
}

/** A file that is no capture, or a damaged one. */
export class CaptureError extends Error {
  override name = "CaptureError";
}

/** The most bytes of one packet that Wireshark reads. */
const LONGEST = 262_144;

/** Where packets come from, and how their times are counted. */
interface Source {
  linkType: number;
  /** Ticks a millisecond. */
  ticks: number;
}

/**
 * The packets of a capture, in their order. A file that ends within a block, as while it is being written,
 * gives those before it.
 *
 * @throws {CaptureError} for what is neither pcapng nor pcap, and for a block that contradicts itself
 */
export function readCapture(file: Uint8Array): CapturedPacket[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (file.length < 24) throw new CaptureError(`${file.length} bytes are too few for a capture`);
  if (view.getUint32(0) === 0x0a0d0d0a) return readBlocks(view);
  for (const [magic, ticks] of [[0xa1b2c3d4, 1e3], [0xa1b23c4d, 1e6]] as const) {
    if (view.getUint32(0) === magic) return readRecords(view, false, ticks);
    if (view.getUint32(0, true) === magic) return readRecords(view, true, ticks);
  }
  throw new CaptureError("it begins neither as pcapng nor as pcap");
}

/** Classic pcap: a header of 24 bytes, then packets behind headers of 16. */
function readRecords(view: DataView, little: boolean, ticks: number): CapturedPacket[] {
  const linkType = view.getUint32(20, little) & 0xfff_ffff; // the highest bits tell something else
  const packets: CapturedPacket[] = [];
  for (let at = 24; at + 16 <= view.byteLength;) {
    const length = view.getUint32(at + 8, little);
    if (length > LONGEST) {
      throw new CaptureError(`packet ${packets.length + 1} has ${length} bytes`);
    }
    if (at + 16 + length > view.byteLength) break;
    const time = view.getUint32(at, little) * 1_000 + view.getUint32(at + 4, little) / ticks;
    packets.push(packet(packets.length + 1, time, linkType, view, at + 16, length));
    at += 16 + length;
  }
  return packets;
}

/** pcapng: blocks; those of which nothing is wanted are stepped over. */
function readBlocks(view: DataView): CapturedPacket[] {
  const packets: CapturedPacket[] = [];
  let sources: Source[] = [];
  let little = true;
  for (let at = 0; at + 12 <= view.byteLength;) {
    // a section header reads alike in both orders
    if (view.getUint32(at) === 0x0a0d0d0a) {
      little = view.getUint32(at + 8, true) === 0x1a2b3c4d;
      if (!little && view.getUint32(at + 8) !== 0x1a2b3c4d) {
        throw new CaptureError(`the section at byte ${at} tells no order of bytes`);
      }
      sources = [];
    }
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if (length < 12 || length % 4 !== 0 || length > 2 ** 24) {
      throw new CaptureError(`the block at byte ${at} cannot be ${length} bytes long`);
    }
    if (at + length > view.byteLength) break;
    const body = new DataView(view.buffer, view.byteOffset + at + 8, length - 12);
    if (type === 1 && body.byteLength >= 8) {
      sources.push({ linkType: body.getUint16(0, little), ticks: ticksOf(body, little) });
    }
    if (type === 6) {
      if (body.byteLength < 20) throw new CaptureError(`the packet at byte ${at} is too short`);
      const source = sources[body.getUint32(0, little)];
      const captured = body.getUint32(12, little);
      if (!source || captured > body.byteLength - 20 || captured > LONGEST) {
        throw new CaptureError(`the packet at byte ${at} contradicts itself`);
      }
      const count = body.getUint32(4, little) * 2 ** 32 + body.getUint32(8, little);
      const number = packets.length + 1;
      packets.push(packet(number, count / source.ticks, source.linkType, body, 20, captured));
    }
    at += length;
  }
  return packets;
}

/** How many ticks a millisecond has: option 9 of an interface, 10^-6 s unless told. */
function ticksOf(body: DataView, little: boolean): number {
  for (let at = 8; at + 4 <= body.byteLength;) {
    const code = body.getUint16(at, little);
    const length = body.getUint16(at + 2, little);
    if (code === 9 && length === 1 && at + 5 <= body.byteLength) {
      const value = body.getUint8(at + 4);
      return (value & 0x80 ? 2 ** (value & 0x7f) : 10 ** value) / 1_000;
    }
    if (code === 0) break;
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return 1_000;
}

function packet(
  number: number,
  time: number,
  linkType: number,
  view: DataView,
  at: number,
  length: number,
): CapturedPacket {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, length);
  return { number, time, linkType, bytes };
}
