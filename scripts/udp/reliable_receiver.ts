#!/usr/bin/env -S deno run --allow-net=127.0.0.1 --allow-read=/tmp/received,/tmp/received.part --allow-write=/tmp/received,/tmp/received.part
/**
 * A file over UDP that arrives whole: the receiver
 *
 * Keeps what comes early until the gap before it is filled, throws away what comes twice, damaged or from
 * strangers, and answers each segment with the number of the next one that it awaits, and which later ones
 * are here. Only when all has come
 * does the file get its name: half a file is never there.
 *
 * The last acknowledgement may be lost like any other, and nobody acknowledges it. So the receiver stays a
 * moment after the end and answers once more if it is asked once more: TCP calls that TIME-WAIT.
 *
 * Anybody can send to this port, and nothing is encrypted: TLS is for that. One sender is served at a time.
 *
 * @lecture 001 Transport layer: TCP and UDP · 004 TCP
 * @python  socket.bind → Deno.listenDatagram, socket.recvfrom → socket.receive, socket.sendto → socket.send
 * @run     deno run --allow-net=127.0.0.1 --allow-read=/tmp/received,/tmp/received.part \
 *          --allow-write=/tmp/received,/tmp/received.part \
 *          scripts/udp/reliable_receiver.ts --output /tmp/received
 * @expect  listening on 127.0.0.1:10014
 * @log     127.0.0.1:* sends a file
 * @expect  saved * bytes to /tmp/received
 * @client  deno run --allow-read=/etc/services --allow-net=127.0.0.1:0,127.0.0.1:10014 \
 *          scripts/udp/reliable_sender.ts /etc/services --patience 2
 * @option  --output FILE         where to save what comes (default: /tmp/received)
 * @option  --host HOST           the address to listen on (default: 127.0.0.1)
 * @option  --port PORT           the port to listen on, 0 for a free one (default: 10014)
 * @option  --transfers COUNT     end after so many files, 0 for no limit (default: 0)
 * @option  --limit BYTES         refuse more (default: 1073741824)
 * @option  --patience SECONDS    give a transfer up when nothing comes for so long (default: 10)
 * @option  --linger SECONDS      how long to stay after the last (default: 5)
 * @see     https://www.rfc-editor.org/rfc/rfc9293#section-3.6
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { datagramLoop } from "../../lib/datagram_loop.ts";
import { attempt } from "../../lib/errors.ts";
import { Kind, MOST_AHEAD, type Segment } from "../../lib/reliable_segment.ts";
import { ReliableService, type Transfer } from "../../lib/reliable_service.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { bind } from "../../lib/udp_socket.ts";
import { WholeFile } from "../../lib/whole_file.ts";

/** Where the data goes. */
export interface Sink extends Disposable {
  write(bytes: Uint8Array): void;
  finish(): void;
}

/** Puts segments in order: whatever comes, the sink gets every byte once, and the file's name at the end. */
export class Incoming implements Transfer {
  awaited = 1; // the start, 0, has come
  ended = false;
  readonly #early = new Map<number, Segment>();
  #bytes = 0;

  constructor(readonly sink: Sink, readonly limit = 1024 ** 3) {}

  take(segment: Segment): void {
    const ahead = segment.number - this.awaited;
    if (ahead < 0 || ahead >= MOST_AHEAD) return; // here already, or more than is kept
    this.#early.set(segment.number, { ...segment, payload: segment.payload.slice() });
    // one that fills a gap brings all behind it
    for (let next; !this.ended && (next = this.#early.get(this.awaited));) {
      this.#early.delete(this.awaited++);
      this.#bytes += next.payload.length;
      if (this.#bytes > this.limit) throw new RangeError(`more than ${this.limit} bytes: refused`);
      if (next.kind === Kind.Data) this.sink.write(next.payload);
      if (next.kind === Kind.End) {
        // before it is acknowledged: what a sender is told to be saved is saved
        this.sink.finish();
        this.ended = true;
      }
    }
  }

  early(): Iterable<number> {
    return this.#early.keys().map((number) => number - this.awaited - 1);
  }

  [Symbol.dispose](): void {
    this.sink[Symbol.dispose]();
  }
}

interface Options {
  output: string;
  host: string;
  port: number;
  transfers: number;
  limit: number;
  patience: number;
  linger: number;
}

export async function main(options: Options): Promise<void> {
  const { output, host: hostname, port, transfers, limit, patience, linger } = options;
  const create = () => new WholeFile(output);
  const socket = await bind({ hostname, port });
  const loop = datagramLoop(socket);
  // whether it can be written shows better now than when the first sender comes
  const probe = await attempt(`write ${output}`, create).catch((error) => {
    loop.close();
    throw error;
  });
  probe[Symbol.dispose]();
  using service = new ReliableService({
    begin(from) {
      console.error(`${from} sends a file`);
      const file = create();
      return new Incoming({
        write: (bytes) => file.write(bytes),
        finish() {
          file.finish();
          console.log(`saved ${file.bytes} bytes to ${output}`);
        },
        [Symbol.dispose]: () => file[Symbol.dispose](),
      }, limit);
    },
    send: loop.send,
    transfers,
    patience: patience * 1000,
    linger: linger * 1000,
  });
  using _stopping = onInterrupt(() => loop.close());
  console.log(`listening on ${formatEndpoint(socket.addr)}`);
  await loop.run(service);
}

if (import.meta.main) await run(main);
