import { assertEquals, assertThrows } from "@std/assert";
import {
  ETHER_TYPE,
  ethernetHeader,
  type Ipv4Fields,
  ipv4Header,
  ipv6Header,
  joined,
  PacketError,
  PROTOCOL,
  readEthernet,
  readIpv4,
  readIpv6,
  readTcp,
  readUdp,
  type TcpFields,
  tcpHeader,
  udpHeader,
} from "../../lib/packets.ts";
import { ipText, macText } from "../../lib/ip_bytes.ts";
import { chance, encode } from "./helpers.ts";

const V4 = { source: "192.168.0.1", destination: "192.168.0.199" };
const V6 = { source: "2001:db8::1", destination: "2001:db8::2" };
const IPV4: Ipv4Fields = {
  ...V4,
  protocol: PROTOCOL.UDP,
  timeToLive: 64,
  identification: 0,
  dontFragment: true,
  moreFragments: false,
  fragmentOffset: 0,
};
const PORTS = { sourcePort: 1234, destinationPort: 80 };
const TCP: TcpFields = { ...PORTS, sequence: 1, acknowledgment: 2, flags: 24, window: 512 };
const ETHERNET = {
  destination: "ff:ff:ff:ff:ff:ff",
  source: "02:00:00:00:00:01",
  type: ETHER_TYPE.ARP,
};
const data = encode("hello");

Deno.test("ipv4Header builds Wikipedia's example, checksum b861", () => {
  const hex = "4500007300004000" + "4011b861" + "c0a80001c0a800c7";
  assertEquals(ipv4Header(IPV4, 0x73 - 20).toHex(), hex);
});

Deno.test("the headers have their fields where the standards put them", () => {
  assertEquals(ethernetHeader(ETHERNET).toHex(), "ffffffffffff0200000000010806");
  assertEquals(
    ipv6Header({ ...V6, protocol: 6, timeToLive: 63 }, 0x1234).toHex(),
    "60000000" + "1234063f" + "20010db8000000000000000000000001" +
      "20010db8000000000000000000000002",
  );
  assertEquals(
    tcpHeader(TCP, V4, data).toHex().replace(/....(....)$/, "____$1"),
    "04d20050" + "00000001" + "00000002" + "50180200" + "____0000",
  );
  assertEquals(udpHeader(PORTS, V4, data).toHex().slice(0, 12), "04d20050000d");
});

Deno.test("udpHeader writes ffff when the checksum is 0, which means none", () => {
  const nothing = udpHeader({ sourcePort: 0, destinationPort: 0 }, V4, new Uint8Array(2));
  // makes the sum complete: the payload is the checksum that there was
  const header = udpHeader({ sourcePort: 0, destinationPort: 0 }, V4, nothing.slice(6, 8));
  assertEquals(header.toHex(), "000000000" + "00affff");
  readUdp(joined(header, nothing.slice(6, 8)), V4);
});

Deno.test("readUdp takes a datagram without a checksum over IPv4 only", () => {
  const datagram = joined(udpHeader(PORTS, V4, data), data);
  datagram.fill(0, 6, 8);
  assertEquals(readUdp(datagram, V4).payload, data);
  assertThrows(() => readUdp(datagram, V6), PacketError, "the checksum is wrong");
});

/** Every kind of packet, its least length, and how it is read. */
const KINDS: [name: string, packet: Uint8Array, read: (bytes: Uint8Array) => unknown][] = [
  ["Ethernet", ethernetHeader(ETHERNET), readEthernet],
  ["IPv4", joined(ipv4Header(IPV4, data.length), data), readIpv4],
  [
    "IPv6",
    joined(ipv6Header({ ...V6, protocol: 6, timeToLive: 1 }, data.length), data),
    readIpv6,
  ],
  ["TCP", joined(tcpHeader(TCP, V4, data), data), (bytes) => readTcp(bytes, V4)],
  ["UDP", joined(udpHeader(PORTS, V6, data), data), (bytes) => readUdp(bytes, V6)],
];

for (const [name, packet, read] of KINDS) {
  Deno.test(`${name}: a packet is refused wherever it is cut off`, () => {
    read(packet);
    for (let length = 0; length < packet.length; length++) {
      // a copy in the middle of other bytes: a reader must not look beyond its end
      const around = joined(new Uint8Array(3).fill(0xaa), packet, packet);
      const piece = around.subarray(3, 3 + length);
      assertThrows(() => read(piece), PacketError, `cannot read the ${name} header: `);
    }
  });

  Deno.test(`${name}: no bytes at all lead to anything but a PacketError`, () => {
    const random = chance(768);
    for (let round = 0; round < 3_000; round++) {
      const bytes = round % 2
        ? Uint8Array.from({ length: random(80) }, () => random(256))
        : packet.slice();
      for (let flips = random(4); flips > 0 && bytes.length > 0; flips--) {
        bytes[random(bytes.length)]! ^= 1 << random(8);
      }
      try {
        read(bytes);
      } catch (error) {
        if (!(error instanceof PacketError)) throw error;
      }
    }
  });
}

for (const [name, packet, read] of KINDS.filter(([name]) => name === "TCP" || name === "UDP")) {
  Deno.test(`${name}: a single changed bit is noticed anywhere`, () => {
    for (let bit = 0; bit < packet.length * 8; bit++) {
      const changed = packet.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assertThrows(() => read(changed), PacketError, `cannot read the ${name} header: `);
    }
  });
}

Deno.test("readIpv4 notices a single changed bit anywhere in the header", () => {
  const packet = joined(ipv4Header(IPV4, data.length), data);
  for (let bit = 0; bit < 20 * 8; bit++) {
    const changed = packet.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assertThrows(() => readIpv4(changed), PacketError, "cannot read the IPv4 header: ");
  }
});

Deno.test("readTcp notices a segment that was delivered to another address", () => {
  const segment = joined(tcpHeader(TCP, V4, data), data);
  const elsewhere = { ...V4, destination: "192.168.0.198" };
  assertThrows(() => readTcp(segment, elsewhere), PacketError, "the checksum is wrong");
});

Deno.test("what is built is what is read, for generated fields; filling zeros are left off", () => {
  const random = chance(791);
  const bytes = (length: number) => Uint8Array.from({ length }, () => random(256));
  for (let round = 0; round < 300; round++) {
    const payload = bytes(random(1_400));
    const v6 = round % 2 === 1;
    const addresses = {
      source: ipText(bytes(v6 ? 16 : 4)),
      destination: ipText(bytes(v6 ? 16 : 4)),
    };
    const ports = { sourcePort: random(65_536), destinationPort: random(65_536) };
    const tcpFields = {
      ...ports,
      sequence: random(2 ** 32),
      acknowledgment: random(2 ** 32),
      flags: random(256),
      window: random(65_536),
    };
    const tcp = readTcp(joined(tcpHeader(tcpFields, addresses, payload), payload), addresses);
    assertEquals([tcp.fields, tcp.payload], [tcpFields, payload]);
    const udp = readUdp(joined(udpHeader(ports, addresses, payload), payload), addresses);
    assertEquals([udp.fields, udp.payload], [ports, payload]);

    const ipFields = { ...addresses, protocol: random(256), timeToLive: random(256) };
    const cutting = {
      identification: random(65_536),
      dontFragment: random(2) === 1,
      moreFragments: random(2) === 1,
      fragmentOffset: random(8_192) * 8,
    };
    const fill = new Uint8Array(random(50));
    if (v6) {
      const ip = readIpv6(joined(ipv6Header(ipFields, payload.length), payload, fill));
      assertEquals([ip.fields, ip.payload], [ipFields, payload]);
    } else {
      const fields = { ...ipFields, ...cutting };
      const ip = readIpv4(joined(ipv4Header(fields, payload.length), payload, fill));
      assertEquals([ip.fields, ip.payload], [fields, payload]);
    }
    const ethernet = {
      destination: macText(bytes(6)),
      source: macText(bytes(6)),
      type: 0x600 + random(60_000),
    };
    const frame = readEthernet(joined(ethernetHeader(ethernet), payload));
    assertEquals([frame.fields, frame.payload], [ethernet, payload]);
  }
});

Deno.test("a value that does not fit its field is refused when a header is built", () => {
  for (
    const [build, message] of [
      [() => ipv4Header(IPV4, 65_516), "payload length of an IPv4 packet"],
      [() => ipv4Header({ ...IPV4, fragmentOffset: 4 }, 0), "fragment offset divided by 8"],
      [() => ipv4Header({ ...IPV4, identification: 65_536 }, 0), "identification"],
      [() => ipv4Header({ ...IPV4, timeToLive: -1 }, 0), "from 0 to 255, not -1"],
      [() => ipv4Header({ ...IPV4, protocol: 1.5 }, 0), "from 0 to 255, not 1.5"],
      [() => ipv6Header({ ...V6, protocol: 6, timeToLive: 64 }, 65_536), "from 0 to 65535"],
      [() => tcpHeader({ ...TCP, sequence: 2 ** 32 }, V4, data), "from 0 to 4294967295"],
      [() => tcpHeader({ ...TCP, window: NaN }, V4, data), "window of TCP"],
      [() => tcpHeader(TCP, V4, new Uint8Array(65_516)), "length of a TCP payload"],
      [() => udpHeader({ ...PORTS, destinationPort: 65_536 }, V4, data), "destination port"],
      [() => udpHeader(PORTS, V4, new Uint8Array(65_528)), "length of a UDP payload"],
      [() => ethernetHeader({ ...ETHERNET, type: 1500 }), "an Ethernet type is at least 1536"],
    ] as const
  ) {
    assertThrows(build, RangeError, message);
  }
  assertThrows(() => ipv4Header({ ...IPV4, source: "::1" }, 0), SyntaxError, "no IPv4 address");
  assertThrows(
    () => ipv6Header({ ...V6, source: "1.2.3.4", protocol: 6, timeToLive: 1 }, 0),
    SyntaxError,
    "no IPv6 address",
  );
});
