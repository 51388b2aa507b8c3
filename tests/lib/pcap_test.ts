import { assertEquals, assertThrows } from "@std/assert";
import { pcapFile } from "../../lib/pcap.ts";

const HEADER = "a1b2c3d4" + "00020004" + "00000000" + "00000000" + "00040000" + "00000001";

Deno.test("pcapFile begins with the 24 bytes of the format, also when there is no packet", () => {
  assertEquals(pcapFile([]).toHex(), HEADER);
});

Deno.test("pcapFile writes seconds, microseconds and the length twice before each packet", () => {
  const file = pcapFile([
    { frame: new Uint8Array([1, 2, 3]), time: 1_000_000_001_234.567 },
    { frame: new Uint8Array(0), time: 0 },
  ]);
  assertEquals(
    file.toHex(),
    HEADER + "3b9aca01" + "00039447" + "0000000300000003" + "010203" + "0".repeat(32),
  );
});

Deno.test("pcapFile carries a rounded time over into the next second", () => {
  const file = pcapFile([{ frame: new Uint8Array(0), time: 999.9999 }]);
  assertEquals(file.subarray(24, 32).toHex(), "0000000100000000");
});

Deno.test("pcapFile refuses what the format cannot hold", () => {
  const frame = new Uint8Array(1);
  for (const time of [-1, NaN, Infinity, 2 ** 32 * 1_000]) {
    assertThrows(() => pcapFile([{ frame, time }]), RangeError, `not ${time}`);
  }
  const long = new Uint8Array(262_145);
  assertThrows(() => pcapFile([{ frame: long, time: 0 }]), RangeError, "at most 262144 bytes");
});
