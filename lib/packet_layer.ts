/**
 * What all layers of a packet have in common; `packets.ts` has the layers.
 *
 * @module
 */

/** Bytes that are not what a header says, or end before it does. */
export class PacketError extends Error {
  override name = "PacketError";
}

/** One layer of a packet, taken apart. */
export interface Layer<Fields> {
  fields: Fields;
  /** The bytes of this layer's own header. */
  header: Uint8Array;
  /** What this layer carries for the one above. */
  payload: Uint8Array;
}

/** A view of a header that can refuse the packet. */
export class HeaderView extends DataView<ArrayBufferLike> {
  #name: string;

  constructor(name: string, bytes: Uint8Array) {
    super(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#name = name;
  }

  /** @throws {PacketError} that names the layer and says what is wrong with it */
  refuse(why: string): never {
    throw new PacketError(`cannot read the ${this.#name} header: ${why}`);
  }
}

/**
 * The fields of a header that has at least so many bytes.
 *
 * @throws {PacketError} when there are fewer
 */
export function fieldsOf(name: string, bytes: Uint8Array, least: number): HeaderView {
  const view = new HeaderView(name, bytes);
  if (bytes.length < least) {
    view.refuse(`there are ${bytes.length} bytes, and it has at least ${least}`);
  }
  return view;
}

/**
 * Puts pieces of bytes together into one.
 *
 * @example
 * ```ts
 * import { joined } from "./packet_layer.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(joined(new Uint8Array([1]), new Uint8Array([2, 3])), new Uint8Array([1, 2, 3]));
 * ```
 */
export function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
