/** What `@std/net` exports does as its documentation says, stand-in or not. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { getAvailablePort as fromRoot } from "@std/net";
import { getAvailablePort } from "@std/net/get-available-port";
import { soon } from "../helpers.ts";

Deno.test("@std/net exports the same from its root and from its part", () => {
  assertEquals(fromRoot, getAvailablePort);
});

Deno.test("getAvailablePort gives a port that can be listened on", async () => {
  const port = getAvailablePort();
  assert(Number.isInteger(port) && port > 0 && port <= 65_535);
  using listener = await soon(() => Deno.listen({ port }));
  assertEquals(listener.addr.port, port);
});

Deno.test("getAvailablePort gives the preferred port when it is free, and another when not", async () => {
  const preferredPort = getAvailablePort();
  await soon(() => assertEquals(getAvailablePort({ preferredPort }), preferredPort));
  using _listener = await soon(() => Deno.listen({ port: preferredPort }));
  const other = getAvailablePort({ preferredPort });
  assertNotEquals(other, preferredPort);
  using _other = await soon(() => Deno.listen({ port: other }));
});
