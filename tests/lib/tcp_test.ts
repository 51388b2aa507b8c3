import { assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import type { Endpoint } from "../../lib/address.ts";
import { DeadlineError } from "../../lib/deadline.ts";
import { ActionError } from "../../lib/errors.ts";
import { connect } from "../../lib/tcp.ts";
import { freePort } from "../peers/peers.ts";
import { leaveStaleSocket, temporaryFolder } from "./helpers.ts";

/** A TCP listener whose backlog is full: who connects to it gets no answer. */
async function full(): Promise<Disposable & { port: number }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 0 });
  const { port } = listener.addr;
  const waiting = await Deno.connect({ hostname: "127.0.0.1", port });
  return {
    port,
    [Symbol.dispose]() {
      waiting.close();
      listener.close();
    },
  };
}

Deno.test("connect names the endpoint and tells why when it fails", async () => {
  using folder = temporaryFolder();
  const port = freePort();
  const stale = `${folder.path}/stale`;
  await leaveStaleSocket(stale);
  const long = `${folder.path}/${"x".repeat(120)}`;
  const cases: [endpoint: Endpoint, message: string, partner?: boolean][] = [
    [
      { hostname: "127.0.0.1", port },
      `127.0.0.1:${port}: connection refused, nothing is listening there`,
      true,
    ],
    [
      { hostname: "::1", port },
      `[::1]:${port}: connection refused, nothing is listening there`,
      true,
    ],
    [
      { hostname: "no-such-host.invalid", port: 80 },
      "no-such-host.invalid:80: no such host is known",
    ],
    [
      { transport: "unix", path: `${folder.path}/none` },
      `unix:${folder.path}/none: there is no such file`,
      true,
    ],
    [
      { transport: "unix", path: stale },
      `unix:${stale}: connection refused, nothing is listening there`,
      true,
    ],
    [{ transport: "unix", path: long }, `unix:${long}: a socket path has at most 107 bytes`],
  ];
  for (const [endpoint, message, partner] of cases) {
    const error = await assertRejects(() => connect(endpoint), ActionError);
    assertEquals(error.message, `cannot connect to ${message}`);
    assertEquals(error.explanation.reason, error.message);
    assertEquals(error.explanation.partner, partner);
  }
});

Deno.test("connect gives up when no answer comes in time", async () => {
  using listener = await full();
  const error = await assertRejects(
    () => connect({ hostname: "127.0.0.1", port: listener.port, timeout: 20 }),
    ActionError,
    `cannot connect to 127.0.0.1:${listener.port}: nothing came within 0.02 s`,
  );
  assertInstanceOf(error.cause, DeadlineError);
});

Deno.test("connect gives up when it is aborted, before or while it waits", async () => {
  using listener = await full();
  const where = { hostname: "127.0.0.1", port: listener.port };
  const reason = new Error("no longer wanted");
  const early = await assertRejects(() => connect({ ...where, signal: AbortSignal.abort(reason) }));
  assertStrictEquals(early, reason);
  const abort = new AbortController();
  const connecting = connect({ ...where, signal: abort.signal });
  abort.abort(reason);
  assertStrictEquals(await connecting.catch((error) => error), reason);
});

Deno.test("connect is not touched any more when its signal is aborted after it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  const abort = new AbortController();
  using client = await connect({ hostname, port, signal: abort.signal });
  using server = await listener.accept();
  abort.abort();
  assertEquals(await client.write(new Uint8Array(3)), 3);
  assertEquals(await server.read(new Uint8Array(3)), 3);
});
