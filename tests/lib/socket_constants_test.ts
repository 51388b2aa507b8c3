import { assert, assertEquals, assertThrows } from "@std/assert";
import { socketConstants } from "../../lib/socket_constants.ts";
import { CALLS } from "../../scripts/hosts/socket_constants.ts";

Deno.test("socketConstants gives each system its own numbers, and all the same protocols", () => {
  const [linux, macos] = [socketConstants("linux"), socketConstants("darwin")];
  // the lecture's are those of macOS
  const lecture = { AF_UNSPEC: 0, AF_UNIX: 1, AF_INET: 2, AF_SNA: 11, AF_DECnet: 12 };
  const more = { AF_APPLETALK: 16, AF_ROUTE: 17, AF_IPX: 23, AF_INET6: 30, IPPROTO_RAW: 255 };
  for (const [name, number] of Object.entries({ ...lecture, ...more })) {
    assertEquals(macos[name], number, name);
  }
  assertEquals([linux["AF_INET6"], linux["AF_APPLETALK"]], [10, 5]);
  for (const [name, number] of Object.entries(linux)) {
    assert(Number.isInteger(number), name);
    if (name in macos && name.startsWith("IPPROTO_")) assertEquals(macos[name], number, name);
  }
  for (const [, ...names] of CALLS) {
    for (const name of names.filter((name) => /^[A-Z0-9_]+$/.test(name) && name !== "0")) {
      assert(name in linux && name in macos, name);
    }
  }
});

Deno.test("socketConstants refuses a system that it does not know", () => {
  assertThrows(() => socketConstants("plan9"), RangeError, "constants of plan9 are not known");
});
