/**
 * The server's side of STARTTLS: a conversation that begins in clear text and goes on over TLS on the same
 * connection, as SMTP, IMAP and POP3 have it. The client's side is `Deno.startTls`.
 *
 * @module
 */

import type { Connection } from "./connection.ts";
import { within } from "./deadline.ts";
import { attempt } from "./errors.ts";
import { secured, type SecureStream, type ServerIdentity } from "./secure_stream.ts";
import { serve, type ServeOptions, type Server } from "./server.ts";

export type { ServerIdentity };

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
