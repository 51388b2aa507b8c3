import { assert, assertEquals, assertRejects } from "@std/assert";
import { addressesOf } from "../../lib/host_addresses.ts";

Deno.test("addressesOf gives an address as it is", async () => {
  for (const address of ["127.0.0.1", "::1", "fe80::1%eth0"]) {
    assertEquals(await addressesOf(address, 80), [address]);
  }
});

Deno.test("addressesOf gives the loopback addresses of localhost, each once", async () => {
  const addresses = await addressesOf("localhost", 80);
  assert(addresses.every((address) => ["127.0.0.1", "::1"].includes(address)), addresses.join());
  assertEquals(new Set(addresses).size, addresses.length);
});

Deno.test("addressesOf fails when there is no such host", async () => {
  const error = await assertRejects(() => addressesOf("no-such-host.invalid", 80), Error);
  assert(/ENOTFOUND|EAI_AGAIN/.test(String(error)));
});

Deno.test({
  name: "addressesOf gives the name when its addresses may not be connected to",
  permissions: { net: ["localhost"] },
  fn: async () => assertEquals(await addressesOf("localhost", 80), ["localhost"]),
});

Deno.test({
  name: "addressesOf gives the name, and asks nothing, when only the name and port are granted",
  permissions: { net: ["localhost:80"] },
  fn: async () => assertEquals(await addressesOf("localhost", 80), ["localhost"]),
});
