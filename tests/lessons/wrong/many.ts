/**
 * Servers for many clients with the mistakes that students make, and what the checker must say of each.
 *
 * @module
 */

import { accepted } from "../../../lib/accept.ts";
import { after } from "../../../lib/deadline.ts";
import { writeAll } from "../../../lib/write_all.ts";
import { atOnce, inTurn, type Way } from "./serving.ts";

/** A right conversation. */
export async function echo(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4_096);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    await writeAll(connection, buffer.subarray(0, count), { timeout: Infinity });
  }
}

/** One loop that reads from all and writes to one after another, as with select and sendall. */
const oneWriter: Way = async (listener, open) => {
  let writing = Promise.resolve();
  await atOnce(async (connection) => {
    const buffer = new Uint8Array(64 * 1024);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      const piece = buffer.slice(0, count);
      writing = writing
        .then(() => writeAll(connection, piece, { timeout: Infinity }))
        .catch(() => {});
      await writing;
    }
  })(listener, open, Promise.resolve());
};

/** Everything that comes goes to everybody. */
const broadcast: Way = async (listener, open) => {
  await atOnce(async (connection) => {
    const buffer = new Uint8Array(4_096);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      const piece = buffer.slice(0, count);
      await Promise.all([...open].map((one) => writeAll(one, piece).catch(() => {})));
    }
  })(listener, open, Promise.resolve());
};

/** One buffer for all conversations. */
function shared(): Way {
  const buffer = new Uint8Array(4_096);
  return atOnce(async (connection) => {
    for (let count; (count = await connection.read(buffer)) !== null;) {
      await new Promise<void>((resolve) => after(1, resolve)); // something else is done
      await writeAll(connection, buffer.subarray(0, count));
    }
  });
}

/** All conversations take the connection from a variable that they share. */
export const sharedConnection: Way = async (listener, open, stopped) => {
  let current: Deno.Conn;
  await atOnce(async (connection) => {
    current = connection;
    const buffer = new Uint8Array(1_024);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      await writeAll(current, buffer.subarray(0, count));
    }
  })(listener, open, stopped);
};

/** At most so many clients at once; the others wait. */
function pool(most: number): Way {
  return async (listener, open) => {
    const busy = new Set<Promise<void>>();
    for (;;) {
      while (busy.size >= most) await Promise.race(busy);
      const connection = await listener.accept();
      open.add(connection);
      const work: Promise<void> = echo(connection).catch(() => {}).finally(() => {
        try {
          connection.close();
        } catch {
          // it is closed already, at the test's end
        }
        open.delete(connection);
        busy.delete(work);
      });
      busy.add(work);
    }
  };
}

/** A place for each client, and none is ever free again. */
function places(most: number): Way {
  let taken = 0;
  return atOnce(async (connection) => {
    if (++taken > most) return;
    await echo(connection);
  });
}

/** Nobody closes what a client has left. */
const keeping: Way = async (listener, open) => {
  for await (const connection of accepted(listener)) {
    open.add(connection);
    echo(connection).catch(() => {});
  }
};

/** What goes wrong with one client is thrown in the loop of all. */
const noCatch: Way = async (listener, open) => {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {});
  for (;;) {
    const connection = await Promise.race([listener.accept(), failed]);
    open.add(connection);
    echo(connection).then(() => {
      connection.close();
      open.delete(connection);
    }).catch(reject);
  }
};

/** Answers each client's first message, and closes. */
export const answersOnce = atOnce(async (connection) => {
  const buffer = new Uint8Array(1_024);
  const count = await connection.read(buffer);
  await writeAll(connection, buffer.subarray(0, count ?? 0));
});

/** What the mistake is, the server that makes it, and the checker's words for it. */
export const WRONG_MANY: [mistake: string, server: Way, verdict: RegExp][] = [
  ["serves one client at a time", inTurn(echo), /it serves one client at a time/],
  [
    "answers each client once",
    answersOnce,
    /after the first message of a client: loop until the end/,
  ],
  ["has room for five clients", pool(5), /some of 20 clients are not served/],
  [
    "sends to everybody",
    broadcast,
    /it sends to all clients/,
  ],
  ["shares one buffer among all", shared(), /clients get each other's answers/],
  ["shares the connection", sharedConnection, /clients get each other's answers/],
  [
    "waits for a client that does not read",
    oneWriter,
    /sendall to a client that does not read waits/,
  ],
  ["never frees a client's place", places(100), /there is no place for one more/],
  ["keeps each client's connection", keeping, /it keeps the connection of a client that has ended/],
  ["ends when one client resets", noCatch, /what goes wrong with one client ends the whole server/],
];
