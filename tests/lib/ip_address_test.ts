import { assertEquals, assertThrows } from "@std/assert";
import { formatAddress, mappedAddress, parseAddress } from "../../lib/ip_address.ts";
import { chance } from "./helpers.ts";

const SEED = 5952;

Deno.test("formatAddress writes what parseAddress reads in the one short form of RFC 5952", () => {
  const cases: [text: string, short: string, long?: string][] = [
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::", "0000:0000:0000:0000:0000:0000:0000:0000"],
    ["::1", "::1", "0000:0000:0000:0000:0000:0000:0000:0001"],
    ["1::", "1::"],
    ["2001:DB8::A", "2001:db8::a", "2001:0db8:0000:0000:0000:0000:0000:000a"],
    ["2001:0db8:0:0:0:0:0:1", "2001:db8::1"],
    // one group alone is not shortened, the longest run is, and of equals the first
    ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["::ffff:102:304", "::ffff:1.2.3.4", "0000:0000:0000:0000:0000:ffff:0102:0304"],
    ["::ffff:1.2.3.4", "::ffff:1.2.3.4"],
    ["::1.2.3.4", "::102:304"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
    ["fe80::1%eth0", "fe80::1%eth0", "fe80:0000:0000:0000:0000:0000:0000:0001%eth0"],
    ["FE80::1%Eth0", "fe80::1%Eth0"],
  ];
  for (const [text, short, long = short] of cases) {
    assertEquals(formatAddress(parseAddress(text)), short);
    if (text.includes(":") && long !== short) {
      assertEquals(formatAddress(parseAddress(text), { long: true }), long);
    }
    assertEquals(parseAddress(long), parseAddress(text));
  }
});

Deno.test("parseAddress refuses what is no address, and shows it", () => {
  for (
    const text of [
      ...[
        "",
        " ",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "1.2.3.256",
        "1.2.3.-4",
      ],
      ...["01.2.3.4", "1.2.3.00", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1.2.3.4%eth0"],
      ...["١.2.3.4", "1,2,3,4", "1.2.3.4/24", "1.2.3.1000", "1e1.2.3.4", "localhost", "2130706433"],
      ...[
        ":",
        ":::",
        "1::2::3",
        "::1::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
      ],
      ...[
        "1:2:3:4::5:6:7:8",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "12345::",
        "::g",
        "::-1",
        "[::1]",
      ],
      ...[
        "::1.2.3",
        "::1.2.3.04",
        "::1.2.3.4:5",
        "1.2.3.4::",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3.256",
      ],
      ...[
        "fe80::1%",
        "fe80::1%a%b",
        "fe80::1%a b",
        "%eth0",
        "fe80::1%a/b",
        "::1 ",
        "::\n",
        "1:::2",
      ],
    ]
  ) {
    assertThrows(() => parseAddress(text), SyntaxError, `"${text}" is no IP address: write `);
  }
});

Deno.test("mappedAddress gives the IPv4 address in an IPv4-mapped one only", () => {
  assertEquals(mappedAddress(parseAddress("::ffff:1.2.3.4")), parseAddress("1.2.3.4"));
  for (const text of ["1.2.3.4", "::1.2.3.4", "::fffe:1.2.3.4", "1::ffff:1.2.3.4", "::"]) {
    assertEquals(mappedAddress(parseAddress(text)), undefined, text);
  }
});

Deno.test(`each of 100,000 addresses is read as it was written, short and long (seed ${SEED})`, () => {
  const next = chance(SEED);
  for (let count = 0; count < 100_000; count++) {
    const version = next(4) === 0 ? 4 : 6;
    const bytes = new Uint8Array(version === 4 ? 4 : 16);
    // many zero groups, so that there are runs to shorten
    for (let at = 0; at < bytes.length; at += 2) {
      if (next(2) === 0) bytes.set([next(3) === 0 ? 0 : next(256), next(256)], at);
    }
    const address = { version, bytes } as const;
    const [short, long] = [formatAddress(address), formatAddress(address, { long: true })];
    const told = `number ${count} of seed ${SEED}: ${short}`;
    const same = [short, long, long.toUpperCase()].every((text) => {
      const read = parseAddress(text);
      return read.version === version && read.bytes.every((byte, at) => byte === bytes[at]);
    });
    if (!same) throw new Error(told);
    if (short.length > long.length || /(^|:)0\d|::0:|:0::/.test(short)) throw new Error(told);
    if (version === 6) {
      const url = new URL(`http://[${short}]/`).hostname.slice(1, -1); // it knows no mapped form
      if (!short.includes(".") && url !== short) throw new Error(`${told}, ${url} in a URL`);
    }
  }
});
