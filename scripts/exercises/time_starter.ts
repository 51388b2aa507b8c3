#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10037
/**
 * To do: a time server
 *
 * The task, Exercise 9-1: a client sends "reqtime", the server sends the current time, to the second. The format
 * is yours. A client that sends something else is told so. The question may come with an end of line behind it,
 * or in two pieces. No client may end the server.
 *
 * This is an echo server, as ex91S.py, which the exercise starts from: change it in a copy, such as my_time.ts,
 * and try it while you work, in another terminal:
 *
 *     deno run --allow-net=127.0.0.1:10037 scripts/exercises/check_time.ts
 *
 * The check takes servers in other languages as well. One answer is scripts/time/time_server.ts.
 *
 * @lecture 003 Exercise 9-1, ex91S
 * @python  time.strftime("%c") → Date.toString, socket.recv → connection.read
 * @run     deno run --allow-net=127.0.0.1:10037 scripts/exercises/time_starter.ts
 * @expect  listening on 127.0.0.1:10037
 * @log     still to do: answer "reqtime" with the time
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 10037)
 * @see     https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/Date
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { writeAll } from "../../lib/write_all.ts";

/** One conversation, to its end. */
export async function converse(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(1024);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    // yours: this sends back what came. The text of it is new TextDecoder().decode(buffer.subarray(0, count))
    await writeAll(connection, buffer.subarray(0, count));
  }
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  using listener = await attempt(
    `listen on ${host} port ${port}`,
    () => Deno.listen({ hostname: host, port }),
  );
  using _stopping = onInterrupt(() => listener.close());
  console.log(`listening on ${formatEndpoint(listener.addr)}`);
  console.error('still to do: answer "reqtime" with the time');
  for await (const connection of listener) {
    try {
      await converse(connection);
    } catch (error) {
      console.error(explain(error).reason);
    }
    connection.close();
  }
}

if (import.meta.main) await run(main);
