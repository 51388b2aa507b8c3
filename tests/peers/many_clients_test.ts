/**
 * The four servers for many clients, with Python's clients and nc; and our load with Python's socketserver, of
 * which the lectures' threads and processes come.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { converseWith } from "../../lib/conversations.ts";
import { freePort, PEERS, peerTest, python, startPeer } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const SERVERS = ["sequential", "async", "workers", "processes"];

async function started(way: string): Promise<{ server: Process; port: number }> {
  const port = freePort();
  const flags = [
    `--allow-net=127.0.0.1:${port}`,
    ...(way === "processes" ? ["--allow-run=deno"] : []),
  ];
  const script = pathOf(`tcp/many_clients_${way}`);
  const server = new Process([
    ...[Deno.execPath(), "run", "--no-prompt", ...flags, script, "--port", String(port)],
  ]);
  try {
    await server.stdout.line(/^listening on /);
    return { server, port };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

for (const way of SERVERS) {
  peerTest(
    `tcp/many_clients_${way} echoes exactly to 100 clients of python3 at once`,
    ["python3"],
    async () => {
      const { server, port } = await started(way);
      await using _ended = server;
      await using clients = new Process(python("many_clients.py", "clients", port, 100));
      assertEquals(await clients.end(), 0, clients.stderr.text);
      assertEquals(clients.stdout.text, "exact echoes for 100 of 100\n");
      assertEquals(await server.stop("SIGINT"), 0);
    },
  );

  const nc = PEERS[0]!;
  peerTest(
    `tcp/many_clients_${way} serves ${nc.name} when another ${nc.name} has gone`,
    [nc.name],
    async () => {
      const { server, port } = await started(way);
      await using _ended = server;
      const at = { transport: "tcp", hostname: "127.0.0.1", port } as const;
      for (const text of ["first", "second"]) {
        await using client = new Process(nc.client(at));
        await client.send(new TextEncoder().encode(text));
        await client.send();
        assertEquals(await client.end(), 0);
        assertEquals(client.stdout.text, text);
      }
      assertEquals(await server.stop("SIGTERM"), 0);
    },
  );
}

for (const kind of ["sequential", "threads", "processes"]) {
  peerTest(
    `conversations are served by python3's socketserver with ${kind}`,
    ["python3"],
    async () => {
      const port = freePort();
      await using _server = await startPeer(python("many_clients.py", kind, port), /^listening/);
      const load = { hostname: "127.0.0.1", port, clients: 16, time: 100 };
      const { served, fault, rate } = await converseWith(load);
      assertEquals({ served, fault }, { served: 16, fault: undefined });
      assertEquals(rate > 0, true);
    },
  );
}
