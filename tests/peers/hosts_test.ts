/**
 * The lessons on hosts with the C library, Python and iproute2: what they say of services, addresses and
 * this machine is what ours say.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  readServices,
  type Service,
  serviceByName,
  serviceByPort,
  SERVICES_FILE,
} from "../../lib/services.ts";
import { formatAddress, type IpAddress, mappedAddress } from "../../lib/ip_address.ts";
import { kindOf, parseSubnet, type Subnet } from "../../lib/subnet.ts";
import type { AddressInfo } from "../../scripts/hosts/address_info.ts";
import type { InterfaceAddress } from "../../scripts/hosts/interfaces.ts";
import { chance } from "../lib/helpers.ts";
import { freePort, peerTest, python, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs a command to its end and gives its stdout. */
async function output(command: string[], input?: string, code = 0): Promise<string> {
  await using process = new Process(command);
  if (input !== undefined) await process.send(new TextEncoder().encode(input));
  await process.send();
  assertEquals(await process.end(), code, `${command.join(" ")}: ${process.stderr.text}`);
  return process.stdout.text;
}

/** Runs one of our scripts. */
function ours(name: string, flags: string[], words: string[], code = 0): Promise<string> {
  const script = `${ROOT}scripts/hosts/${name}.ts`;
  return output(
    [Deno.execPath(), "run", "--no-prompt", ...flags, script, ...words],
    undefined,
    code,
  );
}

const lines = (text: string) => text.split("\n").filter((line) => line !== "");

peerTest("hosts/ports knows the services that getent knows", ["getent"], async () => {
  const theirs = lines(await output(["getent", "services"])).map((line) => {
    const [name, place, ...aliases] = line.split(/\s+/);
    return [place, name, ...aliases].join(" ");
  });
  const words = ["--json", "0", "65535"];
  const services: Service[] = JSON.parse(
    await ours("ports", [`--allow-read=${SERVICES_FILE}`], words),
  );
  const mine = services.map(({ name, port, protocol, aliases }) =>
    [`${port}/${protocol}`, name, ...aliases].join(" ")
  );
  assertEquals(mine.toSorted(), theirs.toSorted());
});

peerTest(
  "lib/services answers as Python's getservbyname and getservbyport",
  ["python3"],
  async () => {
    const { services } = await readServices();
    const names = [
      ...new Set(services.flatMap(({ name, aliases }) => [name, ...aliases])),
      "nothing",
    ];
    const ports = [...new Set(services.map(({ port }) => port)), 4, 65_535];
    const theirs = JSON.parse(
      await output(python("services.py"), JSON.stringify({ names, ports })),
    );
    for (const protocol of [undefined, "tcp", "udp"]) {
      const key = protocol ?? "any";
      const byName = names.map((name) => serviceByName(services, name, protocol)?.port ?? null);
      const byPort = ports.map((port) => serviceByPort(services, port, protocol)?.name ?? null);
      assertEquals(theirs[key], { names: byName, ports: byPort }, key);
    }
  },
);

const SEED = 20_261;

/** Texts that are addresses with a prefix, or nearly. */
function addressTexts(count: number): string[] {
  const next = chance(SEED);
  const pick = <T>(values: T[]): T => values[next(values.length)]!;
  const digits = (limit: number) =>
    Array.from({ length: 1 + next(limit) }, () => pick([..."0019af"]));
  const four = () =>
    Array.from(
      { length: next(40) === 0 ? pick([3, 5]) : 4 },
      () =>
        next(60) === 0
          ? pick(["", "256", "01", "00", "-1", "1000", "a", "٣"])
          : String(pick([0, 10, 127, 169, 172, 192, 224, 254, 255, next(256)])),
    ).join(".");
  const group = () =>
    next(80) === 0
      ? pick(["", "g", "12345", "+1", "０"])
      : next(3) === 0
      ? "0"
      : pick([digits(4).join(""), "ffff", "FE80", "2001", "0000", "fc00"]);
  const six = () => {
    const groups = Array.from({ length: pick([8, 8, 8, 1 + next(9)]) }, group);
    if (next(5) === 0) groups.splice(-2, 2, four());
    for (let colons = pick([0, 1, 1, 1, 1, 2]); colons > 0 && groups.length > 1; colons--) {
      groups.splice(next(groups.length), next(groups.length), ...pick([[""], ["", ""]]));
    }
    const whole = pick([groups.join(":"), groups.join(":"), `::ffff:${four()}`, `::${group()}`]);
    return whole + (next(12) === 0 ? pick(["%eth0", "%1", "%", "%a%b"]) : "");
  };
  const prefix = (bits: number) =>
    next(40) === 0
      ? pick(["/", "/-1", "/x", "//8", "/ 8", `/${bits + 1}`, "/999"])
      : pick(["", "/0", `/${bits}`, `/${bits - 1}`, `/${next(bits + 1)}`, `/${next(bits + 1)}`]);
  return Array.from({ length: count }, () => {
    const [address, bits] = next(3) === 0 ? [four(), 32] : [six(), 128];
    return address + prefix(bits);
  });
}

const hex = (address: IpAddress) => address.bytes.toHex().replace(/^0+(?=.)/, "");

function told(text: string) {
  const subnet = readOrNull(text);
  if (!subnet) return null;
  const { address, prefix, network, last, netmask, count, hosts, host } = subnet;
  const kind = kindOf(address);
  return {
    version: address.version,
    prefix,
    address: hex(address),
    short: formatAddress({ ...address, zone: undefined }),
    long: mappedAddress(address)
      ? null
      : formatAddress({ ...address, zone: undefined }, { long: true }),
    zone: address.zone ?? null,
    network: hex(network),
    last: hex(last),
    netmask: hex(netmask),
    count: String(count),
    hosts: hosts.map(hex),
    hostBitsSet: host.bytes.some((byte) => byte !== 0),
    loopback: kind === "loopback",
    linkLocal: kind === "link-local",
    multicast: kind === "multicast",
    unspecified: kind === "unspecified",
    private: kind === "private",
  };
}

function readOrNull(text: string): Subnet | null {
  try {
    return parseSubnet(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

peerTest(
  `lib/subnet agrees with Python's ipaddress on 50,000 texts (seed ${SEED})`,
  ["python3"],
  async () => {
    const texts = addressTexts(50_000);
    const theirs = lines(await output(python("addresses.py"), JSON.stringify(texts)))
      .map((line) => JSON.parse(line));
    assertEquals(theirs.length, texts.length);
    let valid = 0;
    texts.forEach((text, at) => {
      const mine = told(text);
      if (mine) valid++;
      // comparing texts first is twenty times as fast
      if (JSON.stringify(mine) === JSON.stringify(theirs[at])) return;
      assertEquals(mine, theirs[at], `seed ${SEED}, number ${at}: "${text}"`);
    });
    // both kinds are many
    assertEquals([valid > 10_000, valid < 40_000], [true, true], `${valid} valid`);
  },
);

peerTest(
  "hosts/socket_constants has the numbers of Python's socket module",
  ["python3"],
  async () => {
    const theirs = JSON.parse(await output(python("constants.py")));
    const mine = JSON.parse(await ours("socket_constants", [], ["--json"]));
    // a newer Python may know more
    for (const [name, number] of Object.entries(mine)) assertEquals(theirs[name], number, name);
  },
);

const RESOLVER = ["--allow-sys=hostname", "--allow-read=/etc/hosts"];

peerTest("hosts/hostname gives the name that hostname gives", ["hostname"], async () => {
  const [name] = lines(await output(["hostname"]));
  assertEquals(JSON.parse(await ours("hostname", RESOLVER, ["--json"])).name, name);
});

peerTest(
  "hosts/hostname finds the address that getent finds in the hosts file",
  ["getent"],
  async () => {
    const { name, officialName, addresses } = JSON.parse(
      await ours("hostname", RESOLVER, ["--json"]),
    );
    const four = addresses.find((address: string) => !address.includes(":"));
    if (!four) return; // this machine's own name is not in its hosts file
    // -s files: without DNS; IPv4 alone, as gethostbyname
    const [line] = lines(await output(["getent", "-s", "files", "ahostsv4", name]));
    assertEquals([four, officialName].join(" "), line!.replace(/ +STREAM /, " "));
  },
);

interface Link {
  ifname: string;
  address?: string;
  addr_info: { local?: string; prefixlen: number; scope: string }[];
}

/** A tunnel has no hardware address. */
const hardware = (address: string) => /^(..:){5}..$/.test(address) ? address : "00:00:00:00:00:00";

peerTest("hosts/interfaces lists the addresses that ip lists", ["ip"], async () => {
  const links: Link[] = JSON.parse(await output(["ip", "-j", "addr"]));
  const theirs = links.flatMap(({ ifname, address = "", addr_info }) =>
    addr_info.filter(({ local }) => local !== undefined).map(({ local, prefixlen, scope }) =>
      [ifname, local, prefixlen, hardware(address), scope === "link" && local!.startsWith("fe80")]
        .join(" ")
    )
  );
  const flags = ["--allow-sys=networkInterfaces"];
  const mine: InterfaceAddress[] = JSON.parse(await ours("interfaces", flags, ["--json"]));
  const told = mine.map(({ name, address, prefix, mac, kind }) =>
    [name, address, prefix, mac, kind === "link-local" && address.startsWith("fe80")].join(" ")
  );
  assertEquals(told.toSorted(), theirs.toSorted());
});

peerTest("Deno's calls give the sockets that hosts/socket_constants says", ["ss"], async () => {
  using folder = temporaryFolder();
  const [stream, datagram] = [`${folder.path}/stream`, `${folder.path}/datagram`];
  using tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using unix = Deno.listen({ transport: "unix", path: stream });
  const udp = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const packets = Deno.listenDatagram({ transport: "unixpacket", path: datagram });
  try {
    const sockets = lines(await output(["ss", "--no-header", "--all", "--numeric", "-tux"]));
    const kindOf = (address: string) =>
      sockets.map((line) => line.split(/\s+/)).find((words) => words[4] === address)?.[0];
    assertEquals(kindOf(`127.0.0.1:${(tcp.addr as Deno.NetAddr).port}`), "tcp");
    assertEquals(kindOf(`127.0.0.1:${(udp.addr as Deno.NetAddr).port}`), "udp");
    assertEquals([kindOf(unix.addr.path), kindOf(datagram)], ["u_str", "u_dgr"]);
  } finally {
    udp.close();
    packets.close();
  }
});

const FILES = "--allow-read=/etc/hosts,/etc/services";

peerTest("hosts/address_info gives what Python's getaddrinfo gives", ["python3"], async () => {
  const asked: [host: string, service: string][] = [
    ["localhost", "http"],
    ["localhost", "domain"],
    ["localhost", "ntp"],
    ["localhost", "80"],
    ["localhost", "0"],
    ["localhost", "www"],
    ["LOCALHOST", "22"],
    ["127.0.0.1", "domain"],
    ["::1", "domain"],
    ["2001:db8:0:0:0:0:0:1", "65535"],
    ["::ffff:1.2.3.4", "smtp"],
    ["localhost", "no-such-service"],
  ];
  const theirs = JSON.parse(await output(python("address_info.py"), JSON.stringify(asked)));
  for (const [at, [host, service]] of asked.entries()) {
    const what = `${host} ${service}`;
    if (theirs[at] === null) {
      await ours("address_info", [FILES], [host, service], 1);
      continue;
    }
    const infos: AddressInfo[] = JSON.parse(
      await ours("address_info", [FILES], ["--json", host, service]),
    );
    const tuples = infos.map(({ family, type, protocol, address }) =>
      [family, type, protocol, address.hostname, address.port] as const
    ).sort((one, other) => one.join(" ") < other.join(" ") ? -1 : 1);
    assertEquals(
      { canonicalName: infos[0]!.canonicalName, infos: tuples },
      theirs[at],
      what,
    );
  }
});

peerTest("hosts/address_info lists the sockets that getent ahosts lists", ["getent"], async () => {
  const theirs = lines(await output(["getent", "ahosts", "localhost"]))
    .map((line) => line.split(/\s+/).slice(0, 2).join(" "));
  const infos: AddressInfo[] = JSON.parse(
    await ours("address_info", [FILES], ["--json", "localhost"]),
  );
  const mine = infos.map(({ type, address }) => `${address.hostname} ${type.replace("SOCK_", "")}`);
  assertEquals(mine.toSorted(), theirs.toSorted());
});

peerTest(
  "hosts/address_info asks dnsmasq for what the hosts file does not know",
  ["dnsmasq"],
  async () => {
    const port = freePort();
    await using _server = await startPeer([
      "dnsmasq",
      ...["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file"],
      ...["--listen-address=127.0.0.1", "--bind-interfaces", `--port=${port}`, "--local=/net/"],
      "--host-record=homer.hellfly.net,192.168.1.8,fd00::8",
      ...[
        "--cname=simpson.hellfly.net,homer.hellfly.net",
        "--cname=www.hellfly.net,simpson.hellfly.net",
      ],
    ], /started, version/);
    const at = `127.0.0.1:${port}`;
    const ask = (code: number, ...words: string[]) =>
      ours(
        "address_info",
        [FILES, `--allow-net=${at}`],
        ["--json", "--server", at, ...words],
        code,
      );
    for (const name of ["homer.hellfly.net", "simpson.hellfly.net", "www.hellfly.net"]) {
      const infos: AddressInfo[] = JSON.parse(await ask(0, name, "http"));
      assertEquals(
        infos.map(({ family, canonicalName, address }) => [family, canonicalName, address]),
        [
          ["AF_INET6", "homer.hellfly.net", { hostname: "fd00::8", port: 80 }],
          ["AF_INET", "homer.hellfly.net", { hostname: "192.168.1.8", port: 80 }],
        ],
      );
    }
    assertEquals(await ask(1, "marge.hellfly.net", "http"), "");
  },
);
