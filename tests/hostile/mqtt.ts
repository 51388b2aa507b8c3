/**
 * MQTT 3.1.1 by hand: a client that can send whatever it likes, packet by packet.
 *
 * @module
 */

import { SocketReader } from "../../lib/reader.ts";
import { concat, encode } from "../lib/helpers.ts";

/** A text as MQTT writes it: two bytes of length, then UTF-8. */
function text(value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === "string" ? encode(value) : value;
  return concat(new Uint8Array([bytes.length >> 8, bytes.length & 0xff]), bytes);
}

/** A packet: its first byte, the length of the rest, the rest. */
export function packet(first: number, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concat(...parts);
  const length: number[] = [];
  for (let rest = body.length; rest > 0 || length.length === 0; rest >>= 7) {
    length.push(rest & 0x7f | (rest > 0x7f ? 0x80 : 0));
  }
  return concat(new Uint8Array([first, ...length]), body);
}

const number = (value: number) => new Uint8Array([value >> 8, value & 0xff]);

/** Who one is; the keep-alive is 60 s. */
export function connecting(id: string): Uint8Array<ArrayBuffer> {
  return packet(0x10, text("MQTT"), new Uint8Array([4, 2, 0, 60]), text(id));
}

export function subscribing(filter: string, qos = 0): Uint8Array<ArrayBuffer> {
  return packet(0x82, number(1), text(filter), new Uint8Array([qos]));
}

export function publishing(
  topic: string | Uint8Array,
  payload: string | Uint8Array,
  qos = 0,
): Uint8Array<ArrayBuffer> {
  const bytes = typeof payload === "string" ? encode(payload) : payload;
  return packet(0x30 | qos << 1, text(topic), ...(qos > 0 ? [number(7)] : []), bytes);
}

/** What came from the broker. */
export interface Received {
  /** The upper half of the first byte: 2 CONNACK, 3 PUBLISH, 4 PUBACK, 9 SUBACK. */
  type: number;
  topic: string;
  payload: Uint8Array;
}

/** A client that is connected. */
export class RawClient implements Disposable {
  readonly connection: Deno.Conn;
  readonly #reader: SocketReader;

  private constructor(connection: Deno.Conn) {
    this.connection = connection;
    this.#reader = new SocketReader(connection, { timeout: 15_000, limit: 1024 * 1024 });
  }

  /** Connects, and subscribes to filters at QoS 0. */
  static async open(port: number, id: string, ...filters: string[]): Promise<RawClient> {
    const client = new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
    try {
      await client.send(connecting(id));
      await client.next(2);
      for (const filter of filters) {
        await client.send(subscribing(filter));
        await client.next(9);
      }
      return client;
    } catch (error) {
      client.connection.close();
      throw error;
    }
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.connection.write(bytes.subarray(sent));
    }
  }

  /** Publishes at QoS 1, and waits for the confirmation. */
  async publish(topic: string | Uint8Array, payload: string | Uint8Array): Promise<void> {
    await this.send(publishing(topic, payload, 1));
    await this.next(4);
  }

  /** The next packet of a type; those of other types before it are thrown away. */
  async next(type: number): Promise<Received> {
    for (;;) {
      const [first] = await this.#exactly(1);
      let length = 0;
      for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
        [byte = 0] = await this.#exactly(1);
        length |= (byte & 0x7f) << shift;
      }
      const body = length > 0 ? await this.#exactly(length) : new Uint8Array();
      if (first! >> 4 !== type) continue;
      if (type !== 3) return { type, topic: "", payload: body };
      const end = 2 + (body[0]! << 8 | body[1]!);
      const topic = new TextDecoder().decode(body.subarray(2, end));
      return { type, topic, payload: body.slice(first! & 6 ? end + 2 : end) };
    }
  }

  async #exactly(count: number): Promise<Uint8Array> {
    const bytes = await this.#reader.readExactly(count);
    if (!bytes) throw new Error("the broker has closed the connection");
    return bytes;
  }

  /** The next message, as text. */
  async message(): Promise<string> {
    return new TextDecoder().decode((await this.next(3)).payload);
  }

  /** Reads until the broker has ended the connection. */
  async closed(): Promise<void> {
    const scratch = new Uint8Array(65_536);
    try {
      while (await this.connection.read(scratch) !== null);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}
