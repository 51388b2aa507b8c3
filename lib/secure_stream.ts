/**
 * The server's side of TLS over a connection that is there already.
 *
 * @module
 */

import type { TLSSocket } from "node:tls";
import type { Connection } from "./connection.ts";

/** What a server shows to say who it is: the certificate chain and its key, as PEM texts. */
export interface ServerIdentity {
  cert: string;
  key: string;
}

/** A TLS stream as `Deno.Conn` reads and writes. */
export interface SecureStream {
  handshake: Promise<void>;
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/**
 * Begins to speak TLS over a connection, as its server; `handshake` settles when both have agreed.
 *
 * Deno itself has only listeners that speak TLS from the first byte. Node's TLS runs over any stream; it is
 * loaded here, where it is needed, since it would cost every server 30 ms at its start.
 */
export async function secured(
  plain: Connection,
  { cert, key }: ServerIdentity,
): Promise<SecureStream> {
  const [{ Duplex }, { createSecureContext, TLSSocket }] = await Promise.all([
    import("node:stream"),
    import("node:tls"),
  ]);
  const wire = new Duplex({
    read() {
      const buffer = new Uint8Array(16 * 1024);
      plain.read(buffer).then(
        (count) => {
          this.push(count === null ? null : buffer.subarray(0, count));
          if (count === null) this.emit("gone");
        },
        (error) => this.destroy(error),
      );
    },
    write(bytes: Uint8Array, _encoding, done) {
      plain.write(bytes).then(() => done(), done);
    },
  });
  const options = { isServer: true, secureContext: createSecureContext({ cert, key }) };
  return streamOf(new TLSSocket(wire as never, options), wire);
}

function streamOf(socket: TLSSocket, wire: { on(event: string, listener: Listener): unknown }) {
  const handshake = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<never>();
  let ended = false;
  let failure: Error | undefined;
  let news = Promise.withResolvers<void>();
  const tell = () => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const fail = (error?: Error) => {
    failure ??= error ?? new Error("the connection is closed");
    handshake.reject(failure);
    failed.reject(failure);
    tell();
  };
  // whoever waits hears of it; nobody may be waiting
  handshake.promise.catch(() => {});
  failed.promise.catch(() => {});
  let greeted = false;
  socket.on("secure", () => {
    greeted = true;
    handshake.resolve();
  });
  // Node does not notice a client that goes in the middle of the handshake
  wire.on(
    "gone",
    () => greeted || fail(new Error("the client left in the middle of the greeting")),
  );
  socket.on("readable", tell);
  socket.on("end", () => {
    ended = true;
    tell();
  });
  for (const each of [socket, wire]) {
    each.on("error", fail);
    each.on("close", () => fail());
  }
  let rest: Uint8Array = new Uint8Array();
  return {
    handshake: handshake.promise,
    async read(into: Uint8Array) {
      while (rest.length === 0) {
        const piece = socket.read() as Uint8Array | null;
        if (piece) rest = piece;
        else if (ended) return null;
        else if (failure) throw failure;
        else await news.promise;
      }
      const count = Math.min(rest.length, into.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return count;
    },
    write(bytes: Uint8Array) {
      const writing = new Promise<number>((resolve, reject) =>
        socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length))
      );
      return Promise.race([writing, failed.promise]);
    },
    closeWrite() {
      const ending = new Promise<void>((resolve) => socket.end(resolve));
      return Promise.race([ending, failed.promise]).catch(() => {});
    },
    close() {
      socket.destroy();
      fail();
    },
  };
}

type Listener = (error?: Error) => void;
