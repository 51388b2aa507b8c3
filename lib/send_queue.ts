/**
 * Datagrams that leave in the order in which they are given.
 *
 * @module
 */

/**
 * Sends datagrams by a socket to one address, one after the other. Several sends at once on a new socket all
 * wait for it to be ready, and then go out in any order, mostly the last first.
 *
 * @example
 * ```ts
 * import { SendQueue } from "./send_queue.ts";
 * import { bind } from "./udp_socket.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const socket = await bind();
 * const queue = new SendQueue(socket, socket.addr);
 * const came: number[] = [];
 * for (let byte = 0; byte < 5; byte++) queue.send(new Uint8Array([byte]));
 * while (came.length < 5) came.push((await socket.receive())[0][0]!);
 * assertEquals(came, [0, 1, 2, 3, 4]);
 * socket.close();
 * ```
 */
export class SendQueue {
  readonly #most: number;
  readonly #onError: (error: unknown) => void;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * @param options.most how many may wait at once; 1,000 unless told
   * @param options.onError told what goes wrong with one; the next is sent all the same
   */
  constructor(
    readonly socket: Pick<Deno.DatagramConn, "send">,
    readonly to: Deno.Addr,
    options: { most?: number; onError?: (error: unknown) => void } = {},
  ) {
    this.#most = options.most ?? 1_000;
    this.#onError = options.onError ?? (() => {});
  }

  /**
   * Sends a datagram when those before it are sent. Its memory must stay as it is until then.
   *
   * @param onDone told whether it could be sent
   * @returns false when too many are waiting already: it will not be sent
   */
  send(datagram: Uint8Array, onDone: (sent: boolean) => void = () => {}): boolean {
    if (this.#waiting >= this.#most) return false;
    this.#waiting++;
    this.#last = this.#last
      .then(() => this.socket.send(datagram, this.to))
      .then(() => onDone(true), (error) => {
        this.#onError(error);
        onDone(false);
      })
      .finally(() => this.#waiting--);
    return true;
  }
}
