/**
 * What clients do to a server out of malice or bad luck, over TCP or a Unix socket. Every attack is bounded
 * in count and time, and when it returns all its connections are closed.
 *
 * @module
 */

import { createConnection } from "node:net";
import { chance } from "../lib/helpers.ts";
import { pause, settles, times, within } from "./waits.ts";

/** When a connection is reset: at once, when bytes have been sent, or when the server has begun to answer. */
export type Moment = "connected" | "sent" | "answered";

/** Whom to attack. */
export interface Target {
  dial(): Promise<Deno.Conn>;
  /** Sends bytes and ends the connection in the rudest way there is. */
  reset(bytes: Uint8Array, moment: Moment): Promise<void>;
}

/** An attack; while it holds connections open, it calls `meanwhile`. */
export type Attack = (target: Target, meanwhile: () => Promise<void>) => Promise<void>;

/** A TCP port of this machine. */
export function tcpTarget(port: number, hostname = "127.0.0.1"): Target {
  return {
    dial: () => Deno.connect({ hostname, port }),
    // Deno.Conn cannot send a reset (SO_LINGER 0); node's socket can
    reset: (bytes, moment) =>
      within(
        "a reset",
        new Promise((resolve) => {
          const socket = createConnection({ host: hostname, port });
          socket.on("close", () => resolve());
          // the server may have been faster to end it
          socket.on("error", () => {});
          if (moment === "answered") socket.once("data", () => socket.resetAndDestroy());
          socket.on("connect", () => {
            if (moment === "connected") socket.resetAndDestroy();
            else socket.write(bytes, () => moment === "sent" && socket.resetAndDestroy());
          });
        }),
      ),
  };
}

/**
 * A Unix socket: closing it while an answer lies unread resets the other side. Where TCP lets a client
 * wait, a full backlog is an error here, and the client has to try again.
 */
export function unixTarget(path: string): Target {
  const dial = async () => {
    for (let tries = 1;; tries++) {
      try {
        return await Deno.connect({ transport: "unix", path });
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock) || tries === 500) throw error;
        await pause(10);
      }
    }
  };
  return {
    dial,
    async reset(bytes, moment) {
      using connection = await dial();
      if (moment === "connected") return;
      const writing = sendAll(connection, bytes);
      if (moment === "sent") await writing;
      await within("an answer", connection.read(new Uint8Array(1)));
      connection.close();
      await writing;
    },
  };
}

const LINES = new TextEncoder().encode("half of a message\n".repeat(2_000) + "and no more");
const SEED = 20_240_611;

/** All attacks, named by what the clients do. */
export const attacks: Record<string, Attack> = {
  "clients reset the connection in mid-message": (target) =>
    done(times(20, 10, () => target.reset(LINES.subarray(-8), "sent"))),

  // while another is served, these wait in the backlog: they are dead before they are accepted
  "clients reset the connection before it is accepted": async (target) => {
    using first = await target.dial();
    await times(200, 20, () => target.reset(new Uint8Array(), "connected"));
    first.close();
  },

  "clients end their side in mid-message": (target) =>
    done(times(10, 10, async () => {
      using connection = await target.dial();
      await sendAll(connection, LINES.subarray(-8));
      await connection.closeWrite();
      await within("the end of the stream", drain(connection));
    })),

  "clients send a byte every 50 ms": (target) =>
    done(times(10, 10, async () => {
      using connection = await target.dial();
      const answers = drain(connection);
      for (let byte = 0; byte < 10; byte++) {
        await sendAll(connection, LINES.subarray(byte, byte + 1));
        await pause(50);
      }
      connection.close();
      await answers;
    })),

  "a client's line never ends": async (target) => {
    using connection = await target.dial();
    const answers = drain(connection);
    await flood(connection, new Uint8Array(64 * 1024).fill(0x78));
    await answers;
  },

  "500 clients connect and stay silent": async (target, meanwhile) => {
    const crowd = await times(500, 20, () => target.dial());
    try {
      await meanwhile();
    } finally {
      for (const connection of crowd) connection.close();
    }
  },

  "2,000 clients connect and close": (target) =>
    done(times(2_000, 50, async () => (await target.dial()).close())),

  [`200 clients send random bytes (seed ${SEED})`]: (target) => {
    const random = chance(SEED);
    return done(times(200, 50, async () => {
      using connection = await target.dial();
      const answers = drain(connection);
      await sendAll(connection, Uint8Array.from({ length: random(2_048) }, () => random(256)));
      await connection.closeWrite().catch(expected);
      await within("the end of the stream", answers, 20_000);
    }));
  },

  "a client sends much and never reads": async (target) => {
    await flood(await target.dial(), LINES);
  },

  "clients vanish while they are written to": (target) =>
    done(times(20, 10, () => target.reset(LINES, "answered"))),
};

async function done(work: Promise<unknown>): Promise<void> {
  await work;
}

/** Sends until 16 MiB, half a second, or a fifth of a second in which nothing was taken; then closes. */
async function flood(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  const due = performance.now() + 500;
  let writing = Promise.resolve(true);
  for (let sent = 0; sent < 16 * 1024 * 1024 && performance.now() < due; sent += bytes.length) {
    writing = sendAll(connection, bytes);
    if (!await settles(writing, 200) || !await writing) break;
  }
  connection.close();
  await writing;
}

/** Sends all bytes; false when the server has ended the connection, as it may. */
async function sendAll(connection: Deno.Conn, bytes: Uint8Array): Promise<boolean> {
  try {
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
    return true;
  } catch (error) {
    expected(error);
    return false;
  }
}

/** Reads until the end, and gives how much came. */
async function drain(connection: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(64 * 1024);
  let received = 0;
  try {
    for (let count; (count = await connection.read(buffer)) !== null;) received += count;
  } catch (error) {
    expected(error);
  }
  return received;
}

/** A server may end the connection of who misbehaves, and an attack closes its own. */
function expected(error: unknown): void {
  const { ConnectionReset, BrokenPipe, NotConnected, BadResource, Interrupted } = Deno.errors;
  const kinds = [ConnectionReset, BrokenPipe, NotConnected, BadResource, Interrupted];
  if (!kinds.some((kind) => error instanceof kind)) throw error;
}
