/**
 * What servers do to a client out of malice or bad luck. A peer misbehaves until its client has ended.
 *
 * @module
 */

import { createServer } from "node:net";
import { encode } from "../lib/helpers.ts";
import { pause } from "./waits.ts";

/** A server that runs. */
export interface Peer extends AsyncDisposable {
  /** Its port, or its path. */
  address: string;
  /** Ends the misbehaviour: the client has gone. */
  release(): void;
}

/** Answers one client; returns when the client has ended, or before. */
type Behaviour = (connection: Deno.Conn, gone: () => boolean) => Promise<unknown>;

/** Control characters and escape sequences, as UTF-8 and as single bytes, an end of line, and more. */
export const NONSENSE = new Uint8Array([
  ...encode("\x1b]0;owned\x07\x1b[2J\u009b31m\r\n\0\b"),
  ...[0x9b, 0x41, 0xff, 0xfe, 0xc0, 0x80, 0x0c, 0x7f],
  ...encode("\u202etxt.exe\u2028\r\x1b[8m"),
]);

/** Holds the connection and reads nothing. */
export async function beSilent(_connection: Deno.Conn, gone: () => boolean): Promise<void> {
  while (!gone()) await pause(50);
}

/** Ways to misbehave as a server, but for the reset. */
export const behaviours: Record<string, Behaviour> = {
  "is silent": beSilent,
  "sends a byte every 50 ms": async (connection, gone) => {
    while (!gone()) {
      await connection.write(encode("x"));
      await pause(50);
    }
  },
  "closes without a word": () => Promise.resolve(),
  "closes in mid-answer": (connection) => connection.write(encode("Yes")),
  "never stops sending": async (connection, gone) => {
    const bytes = new Uint8Array(64 * 1024).fill(0x78);
    while (!gone()) await connection.write(bytes);
  },
  "sends nonsense": async (connection) => {
    await connection.write(NONSENSE);
    await connection.closeWrite();
    while (await connection.read(new Uint8Array(64 * 1024)) !== null);
  },
};

/** Serves one client on a free port, or on a path. */
export function misbehave(behaviour: Behaviour, path?: string): Peer {
  const listener = path
    ? Deno.listen({ transport: "unix", path })
    : Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let gone = false;
  const serving = (async () => {
    try {
      using connection = await listener.accept();
      await behaviour(connection, () => gone);
    } catch (error) {
      // the client has ended the connection, or never came
      const { BadResource, BrokenPipe, ConnectionReset, NotConnected } = Deno.errors;
      const kinds = [BadResource, BrokenPipe, ConnectionReset, NotConnected];
      if (!kinds.some((kind) => error instanceof kind)) throw error;
    }
  })();
  const { addr } = listener;
  return {
    address: addr.transport === "tcp" ? String(addr.port) : path ?? "",
    release: () => gone = true,
    async [Symbol.asyncDispose]() {
      gone = true;
      listener.close();
      await serving;
    },
  };
}

/** Resets the connection when the client has spoken, or at once. */
export async function reset(when: "connection" | "data", path?: string): Promise<Peer> {
  if (path) {
    // closing a Unix socket with bytes unread resets the other side
    return misbehave((connection) => connection.read(new Uint8Array(1)), path);
  }
  const server = createServer((socket) => {
    if (when === "connection") socket.resetAndDestroy();
    else socket.once("data", () => socket.resetAndDestroy());
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    address: String(address.port),
    release() {},
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Answers one client's datagrams, each from the server's own socket or from a stranger's. */
type DatagramBehaviour = (
  answer: (bytes: Uint8Array) => Promise<number>,
  strangerSays: (bytes: Uint8Array) => Promise<number>,
  question: Uint8Array,
  gone: () => boolean,
) => Promise<unknown>;

/** Ways to misbehave with datagrams. */
export const datagramBehaviours: Record<string, DatagramBehaviour> = {
  "is silent": () => Promise.resolve(),
  "is silent while a stranger answers every 50 ms": async (
    _answer,
    strangerSays,
    question,
    gone,
  ) => {
    while (!gone()) {
      await strangerSays(question);
      await pause(50);
    }
  },
  "answers after a stranger": async (answer, strangerSays, question) => {
    await strangerSays(encode("trust me"));
    await answer(question);
  },
  "sends nonsense": (answer) => answer(NONSENSE),
  "never stops sending": async (answer, _strangerSays, _question, gone) => {
    while (!gone()) {
      for (let burst = 0; burst < 50; burst++) await answer(new Uint8Array(1_000).fill(0x78));
      await pause(10);
    }
  },
};

/** Gets datagrams from one client on a free port, and misbehaves from the first one on. */
export function misbehaveByDatagrams(behaviour: DatagramBehaviour): Peer {
  const open = () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const socket = open();
  const stranger = open();
  let gone = false;
  const serving = (async () => {
    try {
      const [question, client] = await socket.receive();
      await behaviour(
        (bytes) => socket.send(bytes, client),
        (bytes) => stranger.send(bytes, client),
        question,
        () => gone,
      );
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  })();
  const { addr } = socket;
  return {
    address: "port" in addr ? String(addr.port) : "",
    release: () => gone = true,
    async [Symbol.asyncDispose]() {
      gone = true;
      socket.close();
      await serving;
      stranger.close();
    },
  };
}
