#!/usr/bin/env -S deno run --allow-net=127.0.0.1:0,127.0.0.1:10000
/**
 * UDP echo client
 *
 * Sends a datagram and waits for its echo. UDP promises nothing: the datagram or its echo may be lost, and
 * nobody says so. The client therefore waits only so long and sends again, each time with more patience.
 * What comes from anyone but the server is ignored: a UDP port is open to all.
 *
 * Port 0 in the grant is the client's own port, which the system chooses.
 *
 * @lecture 003 ex92C
 * @python  socket(AF_INET, SOCK_DGRAM) → Deno.listenDatagram, socket.sendto → socket.send,
 *          socket.recvfrom → socket.receive, socket.settimeout → within (lib/deadline.ts)
 * @partner scripts/udp/echo_server.ts
 * @run     deno run --allow-net=127.0.0.1:0,127.0.0.1:10000 scripts/udp/echo_client.ts "this is my other message"
 * @log     sending 24 bytes to 127.0.0.1:10000
 * @expect  this is my other message
 * @argument MESSAGE     the text to send, or - to send what comes on standard input
 * @option  --host HOST  where the server is, as an IP address (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 10000)
 * @see     https://docs.deno.com/api/deno/~/Deno.DatagramConn
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { DeadlineError, within } from "../../lib/deadline.ts";
import { attempt } from "../../lib/errors.ts";
import { NoAnswerError } from "../../lib/udp.ts";
import { localFor, senderAddress, senderOf } from "../../lib/udp_socket.ts";
import { UsageError } from "../../lib/usage.ts";
import { writeOutput } from "../../lib/write_output.ts";

const PATIENCE = [500, 1_000, 2_000]; // milliseconds, one for each try

/** Sends a datagram until its echo comes, and gives the echo. */
export async function ask(message: Uint8Array, server: Deno.NetAddr): Promise<Uint8Array> {
  const name = formatEndpoint(server);
  const hostname = localFor(server.hostname);
  // Python's socket gets its port with the first sendto; here it is bound to port 0 beforehand
  const socket = await attempt(
    `open a UDP socket on ${hostname}`,
    () => Deno.listenDatagram({ transport: "udp", hostname, port: 0 }),
  );
  try {
    // Python's recvfrom with settimeout: a receive cannot be taken back, so each wait goes on with the last
    let receiving = socket.receive(new Uint8Array(65_536));
    for (const patience of PATIENCE) {
      console.error(`sending ${message.length} bytes to ${name}`);
      await attempt(`send ${message.length} bytes to ${name}`, () => socket.send(message, server));
      const due = performance.now() + patience;
      try {
        for (;;) {
          const [echo, from] = await within(due - performance.now(), receiving);
          const same = echo.length === message.length &&
            echo.every((byte, at) => byte === message[at]);
          if (same && formatEndpoint(from) === senderOf(server)) return echo;
          console.error(`ignoring ${echo.length} bytes from ${formatEndpoint(from)}`);
          receiving = socket.receive(new Uint8Array(65_536));
        }
      } catch (error) {
        if (!(error instanceof DeadlineError)) throw error;
        console.error(`no answer in ${patience} ms`);
      }
    }
    receiving.catch(() => {}); // the close below ends it
    throw new NoAnswerError(name, PATIENCE.length);
  } finally {
    socket.close();
  }
}

export async function main(
  { message, host, port }: { message: string; host: string; port: number },
): Promise<void> {
  // a datagram tells its sender as an address, and that is compared with this one
  if (!/^[\d.]+$|:/.test(host)) throw new UsageError(`--host must be an IP address, not "${host}"`);
  const bytes = message === "-"
    ? await new Response(Deno.stdin.readable).bytes()
    : new TextEncoder().encode(message);
  const echo = await ask(bytes, { transport: "udp", hostname: senderAddress(host), port });
  await writeOutput(Deno.stdout, echo);
  if (message !== "-") console.log();
}

if (import.meta.main) await run(main);
