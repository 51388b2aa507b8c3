/**
 * Packets in a file that Wireshark, tshark and tcpdump read: the classic pcap format. A header of 24 bytes
 * is followed by the packets, each behind a header of 16.
 *
 * @see {@link https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-06.html PCAP Capture File Format}
 * @module
 */

/** The most bytes of one packet that readers accept: Wireshark's limit. */
const LONGEST = 262_144;

/** One packet as it was on the wire. */
export interface Captured {
  /** The Ethernet frame, from its destination address on, without preamble and check sequence. */
  frame: Uint8Array;
  /** When it was seen, in milliseconds since 1970; parts of a millisecond count down to 1 µs. */
  time: number;
}

/**
 * Makes a pcap file of Ethernet frames.
 *
 * @throws {RangeError} for a frame of more than 262,144 bytes, or a time before 1970 or after 2106
 *
 * @example
 * ```ts
 * import { pcapFile } from "./pcap.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const file = pcapFile([{ frame: new Uint8Array(60), time: Date.now() }]);
 * assertEquals(file.length, 24 + 16 + 60);
 * ```
 */
export function pcapFile(packets: Captured[]): Uint8Array<ArrayBuffer> {
  const size = packets.reduce((sum, { frame }) => sum + 16 + frame.length, 24);
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0xa1b2c3d4); // its order tells a reader the order of bytes, and that it counts µs
  view.setUint16(4, 2); // version 2.4, since 1998
  view.setUint16(6, 4);
  // 8 to 15: two fields that nobody fills
  view.setUint32(16, LONGEST);
  view.setUint32(20, 1); // link type 1: Ethernet
  let at = 24;
  for (const { frame, time } of packets) {
    if (frame.length > LONGEST) {
      throw new RangeError(`a frame has at most ${LONGEST} bytes in a pcap file: ${frame.length}`);
    }
    const microseconds = Math.round(time * 1_000);
    if (!(microseconds >= 0 && microseconds < 2 ** 32 * 1e6)) {
      throw new RangeError(
        `a pcap file holds times from 1970 to 2106 in milliseconds, not ${time}`,
      );
    }
    view.setUint32(at, Math.floor(microseconds / 1e6));
    view.setUint32(at + 4, microseconds % 1e6);
    view.setUint32(at + 8, frame.length); // how much of it stands here
    view.setUint32(at + 12, frame.length); // how long it was
    file.set(frame, at + 16);
    at += 16 + frame.length;
  }
  return file;
}
