/**
 * The server's side of STARTTLS: a conversation that begins in clear text and goes on over TLS on the same
 * connection, as SMTP, IMAP and POP3 have it. The client's side is `Deno.startTls`.
 *
 * @module
 */

import type { TLSSocket } from "node:tls";
import type { Connection } from "./connection.ts";
import { within } from "./deadline.ts";
import { attempt } from "./errors.ts";
import { serve, type ServeOptions, type Server } from "./server.ts";

/** What a server shows to say who it is: the certificate chain and its key, as PEM texts. */
export interface ServerIdentity {
  cert: string;
  key: string;
}

/** A connection that can be upgraded to TLS; before and after that it reads and writes alike. */
export class Upgradable implements Disposable {
  #secure: SecureStream | undefined;

  constructor(readonly plain: Connection) {}

  /** The other side, as `127.0.0.1:50000`. */
  get remote(): string {
    return this.plain.remote;
  }

  get localAddr(): Deno.Addr {
    return this.plain.localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.plain.remoteAddr;
  }

  /** Whether TLS is spoken. */
  get secure(): boolean {
    return this.#secure !== undefined;
  }

  /** Why it was closed from this side, if it was: idle for too long, the server shut down. */
  get closedFor(): Error | undefined {
    return this.plain.closedFor;
  }

  /** Reads what is there; `null` when the other side has ended its stream. */
  read(into: Uint8Array): Promise<number | null> {
    return (this.#secure ?? this.plain).read(into);
  }

  /** Writes all of `bytes`, and gives their number. One write at a time. */
  write(bytes: Uint8Array): Promise<number> {
    return (this.#secure ?? this.plain).write(bytes);
  }

  /** Ends this side's stream, over TLS with its farewell (close_notify). */
  closeWrite(): Promise<void> {
    return (this.#secure ?? this.plain).closeWrite();
  }

  close(reason?: Error): void {
    this.plain.close(reason);
    this.#secure?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Goes on over TLS. To be called when the go-ahead has been written.
   *
   * What the client has sent in clear text behind its STARTTLS must be thrown away: it may be somebody
   * else's (CVE-2011-0411). So read on with a new reader, never with one that was used before.
   *
   * @param options.timeout how long the client has for its handshake, in milliseconds; 10,000 unless told
   * @throws {ActionError} when the client does not speak TLS, or refuses the certificate; the connection is
   * of no use any more then
   */
  async startTls(identity: ServerIdentity, options: { timeout?: number } = {}): Promise<void> {
    if (this.#secure) throw new Error("this connection speaks TLS already");
    const { timeout = 10_000 } = options;
    await attempt("agree on TLS with the client", async () => {
      this.#secure = await secured(this.plain, identity);
      try {
        await within(timeout, this.#secure.handshake);
      } catch (error) {
        this.close();
        throw error;
      }
    }, { timeout: Infinity });
  }
}

/**
 * As `serve`, with connections that can be upgraded: see {@linkcode Upgradable}. One client's error ends its
 * own conversation only.
 *
 * @example
 * ```ts
 * import { serveUpgradable } from "./upgradable.ts";
 * import { connect } from "./tcp.ts";
 * import { createAuthority, issueCertificate } from "./certificate.ts";
 *
 * const authority = await createAuthority();
 * const { certificate, key } = await issueCertificate(authority, ["localhost"]);
 * await using server = await serveUpgradable({ hostname: "127.0.0.1", port: 0 }, async (connection) => {
 *   await connection.startTls({ cert: certificate, key });
 *   await connection.write(new TextEncoder().encode("secret"));
 * });
 * const { hostname, port } = server.addr as Deno.NetAddr;
 * const tls = { hostname: "localhost", caCerts: [authority.certificate] };
 * using client = await connect({ hostname, port, tls });
 * await client.read(new Uint8Array(16));
 * ```
 */
export function serveUpgradable(
  options: ServeOptions,
  handler: (connection: Upgradable) => Promise<void> | void,
): Promise<Server> {
  return serve(options, async (plain) => {
    const connection = new Upgradable(plain);
    try {
      await handler(connection);
      if (connection.secure) await connection.closeWrite();
    } catch (error) {
      connection.close();
      throw error;
    }
  });
}

/** A TLS stream as `Deno.Conn` reads and writes. */
interface SecureStream {
  handshake: Promise<void>;
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/**
 * Deno itself has only listeners that speak TLS from the first byte. Node's TLS runs over any stream; it is
 * loaded here, where it is needed, since it would cost every server 30 ms at its start.
 */
async function secured(plain: Connection, { cert, key }: ServerIdentity): Promise<SecureStream> {
  const [{ Duplex }, { createSecureContext, TLSSocket }] = await Promise.all([
    import("node:stream"),
    import("node:tls"),
  ]);
  const wire = new Duplex({
    read() {
      const buffer = new Uint8Array(16 * 1024);
      plain.read(buffer).then(
        (count) => this.push(count === null ? null : buffer.subarray(0, count)),
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
  socket.on("secure", () => handshake.resolve());
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
