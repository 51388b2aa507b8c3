/**
 * The files that the lessons of the chapter `layers` write, read by tshark.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { ROOT } from "../../lib/runner/library.ts";
import { peerTest, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";

/** Has a lesson write its packets into a file. */
async function writePackets(file: string, lesson: string, words: string[]): Promise<void> {
  const script = new URL(`scripts/layers/${lesson}.ts`, ROOT).pathname;
  const flags = ["run", "--no-prompt", `--allow-write=${file}`];
  await using writing = new Process([Deno.execPath(), ...flags, script, "--pcap", file, ...words]);
  assertEquals(await writing.end(), 0, writing.stderr.text);
}

/** What tshark finds in a file: for each packet the fields, one text each, and no warnings. */
async function decode(file: string, fields: string[]): Promise<string[][]> {
  const checks = ["ip", "tcp", "udp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);
  const wanted = ["_ws.malformed", "_ws.expert.severity", ...fields].flatMap((
    name,
  ) => ["-e", name]);
  await using tshark = new Process(
    ["tshark", "-r", file, ...checks, "-T", "fields", "-E", "separator=|", ...wanted],
  );
  assertEquals(await tshark.end(), 0, tshark.stderr.text);
  return tshark.stdout.lines.map((line) => {
    const [malformed, severities, ...values] = line.split("|");
    assertEquals(malformed, "", line);
    // what an expert notes above "chat" (0x200000) is a note, a warning or an error
    const notes = severities!.split(",").filter((severity) => Number(severity) > 0x200000);
    assertEquals(notes, [], `tshark warns: ${line}`);
    return values;
  });
}

/** Has a lesson write its packets, and gives what tshark finds in them. */
async function decoded(lesson: string, words: string[], fields: string[]): Promise<string[][]> {
  using folder = temporaryFolder();
  const file = `${folder.path}/packets.pcap`;
  await writePackets(file, lesson, words);
  return await decode(file, fields);
}

const GOOD = "1";
const hexOf = (text: string) => new TextEncoder().encode(text).toHex();

for (const message of ["this is my message", "", "grüße ☃", "x".repeat(1_300)]) {
  const named = JSON.stringify(message).slice(0, 24);
  peerTest(`tshark decodes the four layers of ${named} over IPv4`, ["tshark"], async () => {
    const fields = ["frame.protocols", "ip.checksum.status", "tcp.checksum.status"];
    const rest = ["ip.src", "ip.dst", "tcp.dstport", "http.request.method", "tcp.payload"];
    const [packet, ...more] = await decoded("encapsulation", [message], [...fields, ...rest]);
    assertEquals(more, []);
    const [protocols, ...values] = packet!;
    assertEquals(protocols!.split(":").slice(0, 5), ["eth", "ethertype", "ip", "tcp", "http"]);
    assertEquals(values.slice(0, 6), [GOOD, GOOD, "192.0.2.10", "192.0.2.80", "80", "POST"]);
    // as hexadecimal digits: versions of tshark differ in how they print a text that is not ASCII
    assertEquals(values[6]!.endsWith(hexOf(`\r\n\r\n${message}`)), true, values[6]);
  });

  peerTest(`tshark decodes the four layers of ${named} over IPv6`, ["tshark"], async () => {
    const fields = ["frame.protocols", "tcp.checksum.status", "ipv6.src", "ipv6.dst", "ipv6.hlim"];
    const [packet, ...more] = await decoded("encapsulation", ["--ipv6", message], fields);
    assertEquals(more, []);
    const [protocols, ...values] = packet!;
    assertEquals(protocols!.split(":").slice(0, 5), ["eth", "ethertype", "ipv6", "tcp", "http"]);
    assertEquals(values, [GOOD, "2001:db8::10", "2001:db8::80", "64"]);
  });
}

for (
  const [words, counts] of <[string[], number[]][]> [
    // per datagram: of how many fragments tshark puts it together, 0 when it does not
    [[], [3, 0]],
    [["--lose", "0"], [3, 3]],
    [["--mtu", "68", "--size", "1000", "--lose", "1"], [21, 0]],
    [["--mtu", "576", "--size", "65507", "--lose", "0"], [119, 119]],
  ]
) {
  const named = words.join(" ") || "no option";
  peerTest(`tshark reassembles what the lesson does with ${named}`, ["tshark"], async () => {
    const fields = ["ip.id", "ip.checksum.status", "ip.fragment.count", "ip.reassembled.length"];
    const packets = await decoded("fragmentation", [...words], [...fields, "udp.checksum.status"]);
    const size = words.includes("--size") ? Number(words[3]) : 3_000;
    for (const [index, count] of counts.entries()) {
      const mine = packets.filter(([id]) => Number(id) === index + 1);
      assertEquals(mine.every(([, checksum]) => checksum === GOOD), true);
      const whole = mine.filter(([, , fragments]) => fragments !== "").map((each) => each.slice(2));
      assertEquals(whole, count === 0 ? [] : [[String(count), String(size + 8), GOOD]]);
    }
  });
}

peerTest("tshark sees no fragments where the datagram fits into the MTU", ["tshark"], async () => {
  const fields = ["ip.flags.mf", "ip.frag_offset", "udp.length", "udp.checksum.status"];
  const packets = await decoded("fragmentation", ["--size", "1472", "--lose", "0"], fields);
  assertEquals(packets, [["0", "0", "1480", GOOD], ["0", "0", "1480", GOOD]]);
});

for (const [layer, byte] of [["internet", 24 + 16 + 14 + 8], ["application", -1]] as const) {
  peerTest(`tshark warns of a changed bit in the ${layer} layer`, ["tshark"], async () => {
    using folder = temporaryFolder();
    const file = `${folder.path}/packets.pcap`;
    await writePackets(file, "encapsulation", ["hello"]);
    const bytes = await Deno.readFile(file);
    bytes[byte < 0 ? bytes.length + byte : byte]! ^= 1;
    await Deno.writeFile(file, bytes);
    await assertRejects(() => decode(file, []), Error, "tshark warns");
  });
}
