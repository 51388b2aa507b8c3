/**
 * DNS with software that nobody here wrote: dig and host ask our server, our clients ask dnsmasq.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { reverseName } from "../../lib/reverse_name.ts";
import { freePort, peerTest, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

interface Ours extends AsyncDisposable {
  process: Process;
  port: number;
}

async function startOurs(...words: string[]): Promise<Ours> {
  const file = words[words.indexOf("--zone") + 1];
  const process = new Process([
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--allow-net=127.0.0.1",
    ...(words.includes("--zone") ? [`--allow-read=${file}`] : []),
    pathOf("hosts/dns_server"),
    "--port",
    "0",
    ...words,
  ]);
  const [, port] = await process.stdout.line(/^listening on 127\.0\.0\.1:(\d+)$/).catch(
    async (error) => {
      await process[Symbol.asyncDispose]();
      throw error;
    },
  );
  return {
    process,
    port: Number(port),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

async function said(
  ...command: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  await using process = new Process(command);
  const code = await process.end();
  return { code, stdout: process.stdout.text, stderr: process.stderr.text };
}

function dig(port: number, ...words: string[]) {
  return said("dig", "@127.0.0.1", "-p", String(port), "+tries=3", "+time=5", ...words);
}

/** What is asked of our server, and what dig and host say when they have understood the answer. */
const ASKED = [
  ["google.com", "A", "173.194.33.14", "has address 173.194.33.14"],
  ["mail.example.com", "AAAA", "2001:db8::25", "has IPv6 address 2001:db8::25"],
  ["www.rad.washington.edu", "CNAME", "elladan.rad.washington.edu.", "is an alias for elladan"],
  ["example.com", "MX", "20 mail2.example.com.", "mail is handled by 20 mail2.example.com."],
  ["example.com", "NS", "ns2.example.com.", "name server ns2.example.com."],
  ["example.com", "TXT", '"v=spf1 mx -all"', 'descriptive text "v=spf1 mx -all"'],
  ["example.com", "SOA", "2024010101 7200 3600 1209600 300", "has SOA record ns.example.com."],
  ["_mqtt._tcp.example.com", "SRV", "0 5 1883 broker.example.com.", "0 5 1883 broker.example.com."],
  ["example.com", "CAA", '0 issue "letsencrypt.org"', '0 issue "letsencrypt.org"'],
  ["8.1.168.192.in-addr.arpa", "PTR", "homer.hellfly.net.", "pointer homer.hellfly.net."],
] as const;

peerTest("hosts/dns_server answers every type when dig and host ask over UDP and TCP", [
  "dig",
  "host",
], async () => {
  await using server = await startOurs();
  for (const [name, type, short, long] of ASKED) {
    for (const transport of ["+notcp", "+tcp"]) {
      const { code, stdout } = await dig(server.port, transport, "+short", name, type);
      assertEquals(code, 0);
      assertStringIncludes(stdout, short, `${name} ${type} ${transport}`);
    }
    for (const transport of ["-U", "-T"]) {
      const port = String(server.port);
      const { stdout } = await said("host", transport, "-p", port, "-t", type, name, "127.0.0.1");
      assertStringIncludes(stdout, long, `${name} ${type} ${transport}`);
    }
  }
  assertEquals(await server.process.stop("SIGTERM"), 0);
});

for (
  const [what, words, parts] of [
    ["NXDOMAIN when there is no such name", ["nosuch.example", "A"], ["status: NXDOMAIN", "SOA"]],
    ["no data when the name has none of the type", ["example.com", "AAAA"], [
      "status: NOERROR",
      "ANSWER: 0, AUTHORITY: 1",
    ]],
    ["no data when only names below have records", ["_tcp.example.com", "A"], ["status: NOERROR"]],
    ["the alias and the address", ["ftp.example.com", "A"], ["ANSWER: 3", "192.0.2.1"]],
    ["without end to a circle of aliases", ["circle.example.com", "A"], ["ANSWER: 2"]],
    ["all records to ANY", ["+notcp", "example.com", "ANY"], ["ANSWER: 8"]],
    ["REFUSED to another class", ["-c", "CH", "version.bind", "TXT"], ["status: REFUSED"]],
    ["BADVERS to another EDNS", ["+edns=1", "+noednsneg", "uw.edu", "A"], ["status: BADVERS"]],
    ["NOTIMP to another operation", ["+opcode=4", "uw.edu", "A"], ["status: NOTIMP"]],
    ["cut off to 512 bytes without EDNS", ["+noedns", "+ignore", "medium.example.com", "TXT"], [
      "flags: qr aa tc rd",
      "ANSWER: 2",
    ]],
    ["whole with EDNS", ["+bufsize=4096", "+ignore", "medium.example.com", "TXT"], [
      "flags: qr aa rd",
      "ANSWER: 4",
    ]],
    ["whole over TCP when it was cut off", ["long.example.com", "TXT"], [
      "Truncated, retrying in TCP mode",
      "ANSWER: 8",
    ]],
  ] as const
) {
  peerTest(`hosts/dns_server answers dig ${what}`, ["dig"], async () => {
    await using server = await startOurs();
    const { stdout } = await dig(server.port, ...words);
    for (const part of parts) assertStringIncludes(stdout, part);
    assert(!/malformed|Warning: Message parser/.test(stdout), stdout);
  });
}

peerTest(
  "hosts/dns_server refuses what is outside of the zone that --zone names",
  ["dig"],
  async () => {
    using folder = temporaryFolder();
    const file = `${folder.path}/home.zone`;
    const zone = "$TTL 60\n$ORIGIN home.arpa.\n@ SOA ns root 1 2 3 4 5\nnas A 10.0.0.2\n";
    await Deno.writeTextFile(file, zone);
    await using server = await startOurs("--zone", file);
    const inside = await dig(server.port, "NAS.home.arpa", "A");
    assertStringIncludes(inside.stdout, "10.0.0.2");
    assertStringIncludes(inside.stdout, ";NAS.home.arpa.");
    assertStringIncludes((await dig(server.port, "uw.edu", "A")).stdout, "status: REFUSED");
  },
);

const DNSMASQ = `
host-record=elladan.rad.washington.edu,128.95.247.84,2001:db8::84
cname=www.rad.washington.edu,elladan.rad.washington.edu
mx-host=example.com,mail.example.com,10
txt-record=example.com,v=spf1 mx -all,second
txt-record=long.example.com,${Array(4).fill("x".repeat(200))}
srv-host=_mqtt._tcp.example.com,broker.example.com,1883,0,5
caa-record=example.com,0,issue,letsencrypt.org
ptr-record=8.1.168.192.in-addr.arpa,homer.hellfly.net
host-record=homer.hellfly.net,192.168.1.8
ptr-record=${reverseName("fd00::8")},homer.hellfly.net
host-record=homer.hellfly.net,fd00::8
local=/example/rad.washington.edu/hellfly.net/
`;

interface Theirs extends AsyncDisposable {
  port: number;
}

/** dnsmasq as a process of this test, with no other configuration than this. */
async function startDnsmasq(folder: string): Promise<Theirs> {
  const config = `${folder}/dnsmasq.conf`;
  await Deno.writeTextFile(config, DNSMASQ);
  const port = freePort();
  const process = await startPeer([
    "dnsmasq",
    "--no-daemon",
    `--conf-file=${config}`,
    `--port=${port}`,
    "--listen-address=127.0.0.1",
    "--bind-interfaces",
    "--no-resolv",
    "--no-hosts",
    "--pid-file",
  ], /: started, version/);
  return { port, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

function ask(script: string, port: number, ...words: string[]) {
  const net = script === "dns_by_hand" ? `127.0.0.1:0,127.0.0.1:${port}` : `127.0.0.1:${port}`;
  return said(
    ...[Deno.execPath(), "run", "--no-prompt", `--allow-net=${net}`, "--allow-read=/etc/hosts"],
    ...[pathOf(`hosts/${script}`), "--server", `127.0.0.1:${port}`, ...words],
  );
}

for (
  const [script, words, code, parts] of [
    ["nslookup", ["elladan.rad.washington.edu"], 0, ["Address: 128.95.247.84"]],
    ["nslookup", ["elladan.rad.washington.edu", "--type", "AAAA"], 0, ["2001:db8::84"]],
    ["nslookup", ["www.rad.washington.edu", "--type", "CNAME"], 0, ["CNAME elladan.rad."]],
    ["nslookup", ["example.com", "--type", "MX"], 0, ["example.com MX 10 mail.example.com."]],
    ["nslookup", ["example.com", "--type", "TXT"], 0, ['TXT "v=spf1 mx -all" "second"']],
    ["nslookup", ["_mqtt._tcp.example.com", "--type", "SRV"], 0, [
      "SRV 0 5 1883 broker.example.com.",
    ]],
    ["nslookup", ["example.com", "--type", "CAA"], 0, ['CAA 0 issue "letsencrypt.org"']],
    ["nslookup", ["192.168.1.8", "--type", "PTR"], 0, ["PTR homer.hellfly.net."]],
    ["nslookup", ["long.example.com", "--type", "TXT", "--json"], 0, ["x".repeat(200)]],
    ["nslookup", ["nosuch.example"], 1, ["(NXDOMAIN)"]],
    ["nslookup", ["homer.hellfly.net", "--type", "MX"], 1, [
      "the name exists, but has no MX record",
    ]],
    ["nslookup", ["uw.edu"], 1, ["(REFUSED)"]],
    ["dns_by_hand", ["www.rad.washington.edu"], 0, [
      "www.rad.washington.edu. 0 IN CNAME elladan.rad.washington.edu.",
      "elladan.rad.washington.edu. 0 IN A 128.95.247.84",
    ]],
    ["dns_by_hand", ["example.com", "--type", "CAA"], 0, ['IN CAA 0 issue "letsencrypt.org"']],
    ["dns_by_hand", ["_mqtt._tcp.example.com", "--type", "SRV"], 0, [
      "0 5 1883 broker.example.com.",
    ]],
    ["dns_by_hand", ["long.example.com", "--type", "TXT"], 0, [
      "asking again over TCP",
      Array(4).fill(`"${"x".repeat(200)}"`).join(" "),
    ]],
    ["dns_by_hand", ["nosuch.example"], 1, ["status: NXDOMAIN", "there is no such name"]],
    ["lookup", ["www.rad.washington.edu"], 0, [
      "Hostname : elladan.rad.washington.edu\nAliases  : www.rad.washington.edu\n" +
      "Addresses: 128.95.247.84, 2001:db8::84\n",
    ]],
    ["lookup", ["nosuch.example"], 1, ["there is no such name"]],
    ["reverse_lookup", ["192.168.1.8", "--confirm"], 0, ["Hostname : homer.hellfly.net\n"]],
    ["reverse_lookup", ["FD00::0:8", "--confirm"], 0, ["Hostname : homer.hellfly.net\n"]],
  ] as const
) {
  peerTest(
    `hosts/${script} understands dnsmasq when asked ${words.join(" ")}`,
    ["dnsmasq"],
    async () => {
      using folder = temporaryFolder();
      await using server = await startDnsmasq(folder.path);
      const { code: exit, stdout, stderr } = await ask(script, server.port, ...words);
      for (const part of parts) assertStringIncludes(stdout + stderr, part);
      assertEquals(exit, code, stderr);
    },
  );
}

const PYTHON = "import json,socket,sys; name,aliases,addresses = " +
  "socket.gethostbyname_ex(sys.argv[1]); print(json.dumps([name, addresses]))";

peerTest(
  "hosts/lookup agrees with Python's gethostbyname_ex on localhost",
  ["python3"],
  async () => {
    const { stdout } = await said("python3", "-c", PYTHON, "localhost");
    const [name, addresses] = JSON.parse(stdout);
    const ours = JSON.parse((await ask("lookup", freePort(), "localhost", "--json")).stdout);
    assertEquals(ours.name, name);
    for (const address of addresses) assert(ours.addresses.includes(address), address);
  },
);
