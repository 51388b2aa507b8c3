/**
 * Writes what a tap sees into a file for Wireshark, packet by packet: it can be opened while it grows, and
 * is whole but for the last packet when the process is killed.
 *
 * @module
 */

import { explain } from "./errors.ts";
import { joined } from "./packets.ts";
import { fileStart, LINK_TYPE, type NamedAddress, packetBlock } from "./pcapng.ts";
import { openPrivate } from "./private_file.ts";
import type { TapConversation, TapEvent, TapRecorder } from "./tap_event.ts";
import { TapPackets } from "./tap_packets.ts";

/** What a capture is told at its beginning. */
export interface CaptureOptions {
  /** What Wireshark shows as the interface. */
  from: string;
  /** What addresses are called. */
  names?: NamedAddress[];
}

/** A capture in a file. */
export class TapCapture implements TapRecorder, Disposable {
  /** How many packets were written. */
  packets = 0;
  readonly #path: string;
  #file: Deno.FsFile | undefined;
  /** Those of conversations that are over go with them. */
  readonly #conversations = new WeakMap<TapConversation, TapPackets>();

  /**
   * Begins the file anew. Only its owner may read it: what goes over a network may be secret.
   *
   * @throws {Deno.errors.PermissionDenied} and others, when it cannot be written, or others could read it
   */
  constructor(path: string, options: CaptureOptions) {
    this.#path = path;
    this.#file = openPrivate(path);
    this.#write(fileStart({ linkType: LINK_TYPE.RAW_IP, ...options }));
  }

  record(event: TapEvent): void {
    const { conversation, time } = event;
    let made = this.#conversations.get(conversation);
    if (!made) this.#conversations.set(conversation, made = new TapPackets(conversation));
    const packets = made.of(event);
    if (packets.length === 0 || !this.#file) return;
    try {
      this.#write(joined(...packets.map((bytes) => packetBlock({ bytes, time }))));
      this.packets += packets.length;
    } catch (error) {
      // the conversation is worth more than what is written of it
      this[Symbol.dispose]();
      console.error(`cannot write ${this.#path} any further: ${explain(error).reason}`);
    }
  }

  #write(bytes: Uint8Array): void {
    for (let written = 0; written < bytes.length;) {
      written += this.#file!.writeSync(bytes.subarray(written));
    }
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
