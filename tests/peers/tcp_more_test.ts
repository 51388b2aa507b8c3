/**
 * The event echo server, the server for IPv4 and IPv6, and Happy Eyeballs, with programs that nobody here
 * wrote.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { assertSame, encode, MEBIBYTE, random } from "./payloads.ts";
import { freePort, HOSTS, PEERS, peerTest, python, startPeer } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf, startServer } from "./scripts.ts";

const AT = { transport: "tcp", hostname: "127.0.0.1" } as const;
const withoutIPv6 = { ignore: HOSTS[1]!.ignore };

for (const peer of PEERS) {
  peerTest(`event_echo_server.ts echoes 1 MiB exactly to ${peer.name}`, [peer.name], async () => {
    await using server = await startServer("tcp/event_echo_server", { ...AT, port: 0 });
    await using client = new Process(peer.client(server.at));
    const message = random(MEBIBYTE);
    await client.send(message);
    await client.stdout.received(message.length);
    await client.send();
    await client.end();
    assertSame(client.stdout.bytes, message);
    await server.process.stderr.line(/: connection lost after 1048576 bytes: closed cleanly$/);
    assertEquals(await server.process.stop("SIGINT"), 0);
  });
}

/** Starts dual_stack.ts, and waits until it listens on all its addresses. */
async function dualStack(grants: string[], port: number, ...words: string[]): Promise<Process> {
  const flags = ["--no-prompt", `--allow-net=${grants.map((host) => `${host}:${port}`)}`];
  const script = [pathOf("tcp/dual_stack"), "--port", String(port), ...words];
  const server = new Process([Deno.execPath(), "run", ...flags, ...script]);
  try {
    for (const host of grants) await server.stdout.line(RegExp(`^listening on ${literal(host)}:`));
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

function literal(text: string): string {
  return text.replace(/[[\].]/g, "\\$&");
}

/** What nc hears over one of the families. */
async function heardBy(flag: "-4" | "-6", host: string, port: number): Promise<string> {
  await using client = new Process(["nc.openbsd", "-N", flag, host, String(port)]);
  await client.send();
  await client.end();
  return client.stdout.text;
}

peerTest(
  "dual_stack.ts greets nc -4 and nc -6 on a socket for each family",
  ["nc.openbsd"],
  async () => {
    const port = freePort();
    await using server = await dualStack(["127.0.0.1", "[::1]"], port);
    const four = await heardBy("-4", "127.0.0.1", port);
    assertMatch(four, /^You come over IPv4: host 127\.0\.0\.1, port \d+\n$/);
    const six = await heardBy("-6", "::1", port);
    assertMatch(six, /^You come over IPv6: host ::1, port \d+\n$/);
    assertEquals(await server.stop("SIGINT"), 0);
  },
  withoutIPv6,
);

peerTest("dual_stack.ts greets nc -4 and nc -6 on one socket, and shows the mapped address", [
  "nc.openbsd",
], async () => {
  const port = freePort();
  await using server = await dualStack(["[::]"], port, "--host", "::");
  const four = await heardBy("-4", "127.0.0.1", port);
  assertMatch(
    four,
    /^You come over IPv4: host 127\.0\.0\.1, port \d+ \(as ::ffff:127\.0\.0\.1\)\n$/,
  );
  const six = await heardBy("-6", "::1", port);
  assertMatch(six, /^You come over IPv6: host ::1, port \d+\n$/);
  assertEquals(await server.stop("SIGTERM"), 0);
}, withoutIPv6);

peerTest(
  "dual_stack.ts tells a Python client the first two of its four parts",
  ["python3"],
  async () => {
    const port = freePort();
    await using server = await dualStack(["127.0.0.1", "[::1]"], port);
    const program = [
      "import socket, sys",
      "s = socket.create_connection(('::1', int(sys.argv[1])))",
      "host, port, flowinfo, scopeid = s.getsockname()",
      "print(f'You come over IPv6: host {host}, port {port}')",
      "print(s.makefile().read(), end='')",
      "print(flowinfo, scopeid)",
    ].join("\n");
    await using client = new Process([python("stdio.py")[0]!, "-c", program, String(port)]);
    assertEquals(await client.end(), 0);
    const [own, told, rest] = client.stdout.lines;
    assertEquals([told, rest], [own, "0 0"]);
    assertEquals(await server.stop("SIGINT"), 0);
  },
  withoutIPv6,
);

/** Runs happy_eyeballs.ts with the loopback addresses of a port. */
function race(port: number): Process {
  const flags = ["--no-prompt", `--allow-net=127.0.0.1:${port},[::1]:${port}`];
  const script = [pathOf("tcp/happy_eyeballs"), "--port", String(port), "::1", "127.0.0.1"];
  return new Process([Deno.execPath(), "run", ...flags, ...script]);
}

for (const peer of PEERS) {
  for (const hostname of ["::1", "127.0.0.1"]) {
    peerTest(`happy_eyeballs.ts finds ${peer.name} on ${hostname}`, [peer.name], async () => {
      const at = { ...AT, hostname, port: freePort() };
      await using server = await startPeer(peer.server(at), peer.listening);
      await using client = race(at.port);
      assertEquals(await client.end(), 0);
      assertEquals(client.stdout.text, `${hostname} is connected\n`);
      await server.send();
      await server.end();
    }, withoutIPv6);
  }
}

/** Whether this user may give a process a hosts file of its own. */
const ownHosts = (() => {
  try {
    const args = ["-rm", "mount", "--bind", "/dev/null", "/etc/hosts"];
    return new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
})();

peerTest(
  "Deno.connect races a name's addresses unless autoSelectFamily is false",
  ["unshare"],
  async () => {
    const hosts = await Deno.makeTempFile();
    await Deno.writeTextFile(hosts, "::1 both\n127.0.0.1 both\n");
    // an IPv6 listener whose backlog is full hears nobody, and an IPv4 listener that hears
    const program = `
    const six = Deno.listen({ hostname: "::1", port: 0, tcpBacklog: 1 });
    const { port } = six.addr;
    const four = Deno.listen({ hostname: "127.0.0.1", port });
    const waiting = [];
    for (let full = false; !full;) {
      const signal = AbortSignal.timeout(300);
      await Deno.connect({ hostname: "::1", port, signal }).then((c) => waiting.push(c), () => full = true);
    }
    for (const autoSelectFamily of [undefined, false]) {
      const signal = AbortSignal.timeout(2_000);
      const end = Deno.connect({ hostname: "both", port, signal, autoSelectFamily });
      console.log(await end.then((c) => c.remoteAddr.hostname, (error) => error.name));
    }
    Deno.exit(0);
  `;
    const script = await Deno.makeTempFile({ suffix: ".js" });
    await Deno.writeTextFile(script, program);
    try {
      const command =
        `mount --bind ${hosts} /etc/hosts && exec ${Deno.execPath()} run --allow-net ${script}`;
      await using process = new Process(["unshare", "-rm", "sh", "-c", command]);
      assertEquals(await process.end(), 0);
      assertEquals(process.stdout.text, "127.0.0.1\nTimeoutError\n");
    } finally {
      await Deno.remove(hosts);
      await Deno.remove(script);
    }
  },
  { ignore: withoutIPv6.ignore || !ownHosts && "no right to a hosts file of its own" },
);

peerTest("event_echo_server.ts stops reading while socat reads nothing", ["socat"], async () => {
  await using server = await startServer("tcp/event_echo_server", { ...AT, port: 0 });
  // -u: socat only sends
  const there = `TCP4:127.0.0.1:${server.at.transport === "tcp" ? server.at.port : 0}`;
  await using client = new Process(["socat", "-u", "OPEN:/dev/zero,readbytes=67108864", there]);
  await server.process.stderr.line(/: paused, \d+ bytes wait to be sent$/);
  client.signal("SIGKILL");
  await client.end();
  await server.process.stderr.line(/: connection lost after \d+ bytes: /);
  await using other = new Process(["socat", "-t", "30", "STDIO", there]);
  await other.send(encode("still here\n"));
  await other.send();
  await other.end();
  assertEquals(other.stdout.text, "still here\n");
  assertEquals(await server.process.stop("SIGINT"), 0);
});
