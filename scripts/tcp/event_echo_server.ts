#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8000
/**
 * An echo server made of events, as Twisted has it
 *
 * In the other lessons the program asks: read, and wait for what comes. Here it is told: it hands an engine
 * an object with three methods, and the engine calls them when a connection is made, when data come, and
 * when the connection is lost. A factory makes one such object per connection, so each can remember what
 * belongs to its own client.
 *
 * Nobody awaits a write here, so what a client does not read would pile up. The transport says when it has
 * enough, and stops reading from that client until all has gone: pause and resume.
 *
 * @lecture 003 Twisted, ex95S
 * @python  protocol.Protocol → interface Protocol, protocol.Factory → interface Factory,
 *          transport.write → transport.write, transport.loseConnection → transport.loseConnection,
 *          transport.registerProducer → transport.registerProducer, reactor.listenTCP → listenTCP
 * @run     deno run --allow-net=127.0.0.1:8000 scripts/tcp/event_echo_server.ts
 * @client  deno run --allow-net=127.0.0.1:8000 scripts/tcp/echo_client.ts --port 8000 "this is my message"
 * @expect  listening on 127.0.0.1:8000
 * @log     127.0.0.1:*: connection made, 1 open
 * @log     127.0.0.1:*: connection lost after 18 bytes: closed cleanly
 * @option  --host HOST   the address to listen on (default: 127.0.0.1)
 * @option  --port PORT   the port to listen on, 0 for a free one (default: 8000)
 * @option  --most COUNT  how many connections are served at once (default: 9000)
 * @see     https://docs.twisted.org/en/stable/core/howto/servers.html
 * @see     https://docs.twisted.org/en/stable/core/howto/producers.html
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { explain } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type Connection, serve, type Server } from "../../lib/tcp.ts";

/** What a program gives to the engine: one object per connection. */
export interface Protocol {
  connectionMade(transport: Transport): void;
  dataReceived(data: Uint8Array): void;
  /** Called once, last. Without a reason the connection was closed cleanly. */
  connectionLost(reason?: Error): void;
}

/** Makes the protocol object of each connection. */
export interface Factory {
  buildProtocol(client: string): Protocol;
}

/** Where data come from that somebody may want less of for a while. */
export interface Producer {
  pauseProducing(): void;
  resumeProducing(): void;
}

// what may wait to be sent; a piece of one byte takes memory for many
const ENOUGH = 64 * 1024; // bytes
const MANY = 500; // pieces

/** The engine's side of a connection: reads, and calls the protocol; none of its methods waits. */
export class Transport implements Producer {
  #waiting: Uint8Array[] = [];
  #size = 0;
  #flushing: Promise<void> | undefined;
  #paused: PromiseWithResolvers<void> | undefined;
  #producer: Producer | undefined;
  #losing = false;

  constructor(readonly connection: Connection) {}

  /** Puts data in line to be sent. */
  write(data: Uint8Array): void {
    if (this.#losing) return;
    this.#waiting.push(data);
    this.#size += data.length;
    if (this.#size > ENOUGH || this.#waiting.length > MANY) this.#producer?.pauseProducing();
    this.#flushing ??= this.#flush().catch((error) => {
      this.connection.close(error);
      this.resumeProducing(); // the read that follows fails and tells why
    });
  }

  /** Names who is to be paused when too much waits, and resumed when all has gone. */
  registerProducer(producer: Producer): void {
    this.#producer = producer;
  }

  /** Stops reading: what comes waits in the system's buffers and then, as TCP has it, at the client. */
  pauseProducing(): void {
    if (this.#paused) return;
    console.error(`${this.connection.remote}: paused, ${this.#size} bytes wait to be sent`);
    this.#paused = Promise.withResolvers();
  }

  resumeProducing(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  /** Closes the connection when all that waits has been sent. */
  loseConnection(): void {
    this.#losing = true;
    this.resumeProducing();
    Promise.resolve(this.#flushing).then(() => this.connection.finish());
  }

  async #flush(): Promise<void> {
    for (let data; (data = this.#waiting.shift());) {
      await this.connection.write(data);
      this.#size -= data.length;
    }
    this.#flushing = undefined;
    this.#producer?.resumeProducing();
  }

  /** The engine's loop: makes calls out of what happens on the connection. */
  async run(protocol: Protocol): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    let reason: Error | undefined;
    try {
      protocol.connectionMade(this);
      while (!this.#losing) {
        const count = await this.connection.read(buffer);
        if (count === null) break;
        // a copy, since the protocol may keep it
        if (!this.#losing) protocol.dataReceived(buffer.slice(0, count));
        await this.#paused?.promise;
      }
      await this.#flushing;
    } catch (error) {
      if (!this.#losing) reason = this.connection.closedFor ?? error as Error;
    }
    protocol.connectionLost(reason);
  }
}

/** Twisted's reactor.listenTCP: has the factory make a protocol for each connection. */
export function listenTCP(hostname: string, port: number, factory: Factory): Promise<Server> {
  return serve(
    { hostname, port },
    (connection) => new Transport(connection).run(factory.buildProtocol(connection.remote)),
  );
}

/** The program's own part: an echo. */
class Echo implements Protocol {
  #transport!: Transport;
  #bytes = 0;

  constructor(readonly factory: Echoes, readonly client: string) {}

  connectionMade(transport: Transport): void {
    this.#transport = transport;
    // when what this writes is not taken, less shall be read
    transport.registerProducer(transport);
    console.error(`${this.client}: connection made, ${++this.factory.open} open`);
    if (this.factory.open > this.factory.most) {
      transport.write(new TextEncoder().encode("too many connections, try later\n"));
      transport.loseConnection();
    }
  }

  dataReceived(data: Uint8Array): void {
    this.#bytes += data.length;
    this.#transport.write(data);
  }

  connectionLost(reason?: Error): void {
    this.factory.open--;
    const why = reason ? explain(reason).reason : "closed cleanly";
    console.error(`${this.client}: connection lost after ${this.#bytes} bytes: ${why}`);
  }
}

/** What all connections share. */
class Echoes implements Factory {
  open = 0;

  constructor(readonly most: number) {}

  buildProtocol(client: string): Protocol {
    return new Echo(this, client);
  }
}

export async function main(
  { host, port, most }: { host: string; port: number; most: number },
): Promise<void> {
  const server = await listenTCP(host, port, new Echoes(most));
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
