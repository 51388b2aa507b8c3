#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5012,[::1]:5012
/**
 * One server for IPv4 and IPv6
 *
 * There are two ways. A socket for each family, and one loop per socket: so this serves 127.0.0.1 and ::1,
 * which only programs on this machine can reach. Or, with --host ::, a single IPv6 socket on all addresses,
 * to which IPv4 clients come as well: their addresses then look like ::ffff:127.0.0.1 (IPv4-mapped, RFC 3493
 * section 3.7). There is no single socket for the two loopback addresses, since ::1 takes IPv6 clients only
 * and ::ffff:127.0.0.1 IPv4 clients only.
 *
 * An IPv6 socket address has four parts in Python: host, port, flow information and scope ID. Deno takes a
 * scope in the host, as in fe80::1%eth0, where a link-local address needs one, and tells host and port only.
 *
 * @lecture 003 extension for IPv6 (RFC 3493), Address
 * @python  socket.bind → Deno.listen, socket.listen → Deno.listen,
 *          socket.accept → listener.accept, socket.has_dualstack_ipv6 → Deno.listen
 * @run     deno run --allow-net=127.0.0.1:5012,[::1]:5012 scripts/tcp/dual_stack.ts
 * @client  deno run --allow-net=[::1]:5012 scripts/tcp/hello_client.ts --host ::1 --port 5012
 * @expect  listening on 127.0.0.1:5012
 * @expect  listening on [::1]:5012
 * @expect  a client over IPv6: host ::1, port *
 * @run     deno run --allow-net=[::]:5012 scripts/tcp/dual_stack.ts --host ::
 * @client  deno run --allow-net=127.0.0.1:5012 scripts/tcp/hello_client.ts --port 5012
 * @expect  listening on [::]:5012
 * @expect  a client over IPv4: host 127.0.0.1, port * (as ::ffff:127.0.0.1)
 * @option  --host HOST...  an address to listen on; 127.0.0.1 and ::1 unless told
 * @option  --port PORT     the port to listen on, 0 for a free one of each address (default: 5012)
 * @see     https://www.rfc-editor.org/rfc/rfc3493
 * @module
 */

import { accepted } from "../../lib/accept.ts";
import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { finish } from "../../lib/finish.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { writeAll } from "../../lib/write_all.ts";

/** An address as people write it, and the family that the client speaks. */
export function clientOf(hostname: string): { family: string; host: string; mapped: boolean } {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(hostname);
  if (mapped) return { family: "IPv4", host: mapped[1]!, mapped: true };
  return { family: hostname.includes(":") ? "IPv6" : "IPv4", host: hostname, mapped: false };
}

/** Tells a client how it is seen from here. */
async function greet(connection: Deno.TcpConn): Promise<void> {
  const { hostname, port } = connection.remoteAddr;
  const { family, host, mapped } = clientOf(hostname);
  // Python: ('::1', 50000, 0, 0) for IPv6, ('127.0.0.1', 50000) for IPv4
  const seen = `host ${host}, port ${port}${mapped ? ` (as ${hostname})` : ""}`;
  console.log(`a client over ${family}: ${seen}`);
  try {
    await writeAll(connection, `You come over ${family}: ${seen}\n`);
  } catch (error) {
    console.error(`${host}: ${explain(error).reason}`);
  }
  await finish(connection);
}

async function serve(listener: Deno.TcpListener): Promise<void> {
  for await (const connection of accepted(listener)) greet(connection);
}

export async function main({ host, port }: { host: string[]; port: number }): Promise<void> {
  const hosts = host.length > 0 ? host : ["127.0.0.1", "::1"];
  using listeners = new DisposableStack();
  const all: Deno.TcpListener[] = [];
  for (const hostname of hosts) {
    const listener = await attempt(
      `listen on ${hostname} port ${port}`,
      () => Deno.listen({ hostname, port }),
    );
    all.push(listeners.use(listener));
  }
  using _stopping = onInterrupt(() => listeners.dispose());
  for (const [at, { addr }] of all.entries()) {
    // the scope is not told, but clients need it
    const scope = /%.*$/.exec(hosts[at]!)?.[0] ?? "";
    console.log(`listening on ${formatEndpoint({ ...addr, hostname: addr.hostname + scope })}`);
  }
  await Promise.all(all.map(serve));
}

if (import.meta.main) await run(main);
