/**
 * Broadcast and multicast with socat, both ways, several receivers at once. All stays on the loopback
 * interface, or for IPv6 in groups that no datagram leaves the machine for.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode } from "./payloads.ts";
import { freePort, peerTest } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const GROUP = "239.255.0.12";
const GROUP6 = "ff11::12";

function start(script: string, flag: string, ...words: (string | number)[]): Process {
  const command = [Deno.execPath(), "run", "--no-prompt", `--allow-net=${flag}`, pathOf(script)];
  return new Process([...command, ...words.map(String)]);
}

async function startReceiver(port: number, ...words: (string | number)[]): Promise<Process> {
  const six = words.includes(GROUP6);
  const flag = six ? `[::]:${port}` : `${GROUP}:${port}`;
  const receiver = start("udp/multicast_receiver", flag, "--port", port, ...words);
  await receiver.stdout.line(/^listening on /);
  return receiver;
}

async function sendToGroup(port: number, message: string, ...words: (string | number)[]) {
  const six = words.includes(GROUP6);
  const flag = six ? `[::]:0,[${GROUP6}]:${port}` : `127.0.0.1:0,${GROUP}:${port}`;
  await using sender = start("udp/multicast_sender", flag, message, "--port", port, ...words);
  assertEquals(await sender.end(), 0, sender.stderr.text);
}

/** Where the kernel tells who has joined: the address in hexadecimal, its bytes in reverse. */
function members(): number {
  const text = Deno.readTextFileSync("/proc/net/igmp");
  return Number(/^\s*0C00FFEF\s+(\d+)/m.exec(text)?.[1] ?? 0);
}

peerTest("three multicast_receivers each hear what socat sends, and leave", ["socat"], async () => {
  const port = freePort();
  const before = members();
  await using one = await startReceiver(port);
  await using two = await startReceiver(port);
  await using three = await startReceiver(port, "--count", 1);
  assertEquals(members(), before + 3);
  await using socat = new Process([
    "socat",
    "-u",
    "STDIN",
    `UDP4-DATAGRAM:${GROUP}:${port},bind=127.0.0.1,ip-multicast-if=127.0.0.1,ip-multicast-ttl=0`,
  ]);
  await socat.send(encode("from socat\u001b[31m"));
  for (const receiver of [one, two, three]) {
    await receiver.stdout.line(/^127\.0\.0\.1:\d+ says "from socat\\/);
  }
  assertEquals(await three.end(), 0);
  assertEquals(await one.stop("SIGINT"), 0);
  assertEquals(await two.stop("SIGTERM"), 0);
  for (const { stderr } of [one, two, three]) assertMatch(stderr.text, /^left 239\.255\.0\.12$/m);
  assertEquals(members(), before);
});

peerTest(
  "multicast_sender is heard by two socats, with the TTL that it was told",
  ["socat"],
  async () => {
    for (const ttl of [0, 1, 7]) {
      const port = freePort();
      const join = `reuseaddr,ip-add-membership=${GROUP}:127.0.0.1,ip-recvttl`;
      const command = [
        ...["socat", "-d", "-d", "-d", "-T", "60", `UDP4-RECVFROM:${port},${join}`],
        "SYSTEM:cat >&2; echo; echo ttl $SOCAT_IP_TTL >&2",
      ];
      await using one = new Process(command);
      await using two = new Process(command);
      for (const socat of [one, two]) await socat.stderr.line(/receiving on/);
      await sendToGroup(port, "to socat\n", "--ttl", ttl);
      for (const socat of [one, two]) {
        await socat.stderr.line(/^to socat$/);
        await socat.stderr.line(new RegExp(`^ttl ${ttl}$`));
      }
    }
  },
);

const six = canSix() ? false : "no network card takes IPv6 multicast";

function canSix(): boolean {
  try {
    return /^[\da-f]{32} /m.test(Deno.readTextFileSync("/proc/net/if_inet6")) &&
      /^ff0{30} 08 .* (?!lo$)\S+$/m.test(Deno.readTextFileSync("/proc/net/ipv6_route"));
  } catch {
    return false;
  }
}

peerTest(
  "two multicast_receivers hear an IPv6 group, and not what was sent without loopback",
  [],
  async () => {
    const port = freePort();
    await using one = await startReceiver(port, "--group", GROUP6);
    await using two = await startReceiver(port, "--group", GROUP6);
    await sendToGroup(port, "silent", "--group", GROUP6, "--no-loopback");
    await sendToGroup(port, "loud", "--group", GROUP6);
    for (const { stdout } of [one, two]) {
      await stdout.line(/^\[[\da-f:]+\]:\d+ says "loud"$/);
      assert(!stdout.text.includes("silent"), stdout.text);
    }
  },
  { ignore: six },
);

peerTest("socat hears multicast_sender in an IPv6 group, and is heard", ["socat"], async () => {
  const port = freePort();
  const command = [
    ...["socat", "-d", "-d", "-u", `UDP6-RECV:${port},reuseaddr,ipv6-join-group=[${GROUP6}]:0`],
    "STDOUT",
  ];
  await using hearing = new Process(command);
  await hearing.stderr.line(/receiving on|listening on|starting data transfer/);
  await sendToGroup(port, "to socat\n", "--group", GROUP6);
  await hearing.stdout.line(/^to socat$/);

  const other = freePort();
  await using receiver = await startReceiver(other, "--group", GROUP6);
  await using speaking = new Process([
    "socat",
    "-u",
    "STDIN",
    `UDP6-DATAGRAM:[${GROUP6}]:${other}`,
  ]);
  await speaking.send(encode("from socat"));
  await receiver.stdout.line(/says "from socat"$/);
}, { ignore: six });

peerTest("three broadcast_receivers answer socat", ["socat"], async () => {
  const port = freePort();
  const names = ["kitchen", "cellar", "attic"];
  await using stack = new AsyncDisposableStack();
  for (const name of names) {
    const flag = `127.255.255.255:${port},127.0.0.1`;
    const words = ["--port", port, "--name", name];
    const receiver = stack.use(start("udp/broadcast_receiver", flag, ...words));
    await receiver.stdout.line(/^listening on 127\.255\.255\.255:\d+$/);
  }
  await using socat = new Process([
    ...[
      "socat",
      "-t",
      "30",
      "STDIO",
      `UDP4-DATAGRAM:127.255.255.255:${port},broadcast,bind=127.0.0.1`,
    ],
  ]);
  await socat.send(encode("anybody?"));
  await socat.stdout.received(names.join("").length);
  for (const name of names) assert(socat.stdout.text.includes(name), socat.stdout.text);
});

for (const to of ["127.255.255.255", "255.255.255.255"]) {
  peerTest(`broadcast_sender to ${to} is heard and answered by two socats`, ["socat"], async () => {
    const port = freePort();
    const command = ["socat", "-d", "-d", `UDP4-RECVFROM:${port},reuseaddr,broadcast`, "EXEC:cat"];
    await using one = new Process(command);
    await using two = new Process(command);
    for (const socat of [one, two]) await socat.stderr.line(/receiving on/);
    const flag = `127.0.0.1:0,${to}:${port}`;
    const words = ["--port", port, "--to", to, "--wait", 2_000];
    await using sender = start("udp/broadcast_sender", flag, "is anybody there?", ...words);
    assertEquals(await sender.end(), 0, sender.stderr.text);
    const answers = sender.stdout.lines.filter((line) =>
      /^127\.0\.0\.1:\d+ answers "is anybody there\?"$/.test(line)
    );
    assertEquals(answers.length, 2, sender.stdout.text);
  });
}

peerTest("broadcast_sender fails and names its partner when nobody answers", [], async () => {
  const port = freePort();
  const flag = `127.0.0.1:0,127.255.255.255:${port}`;
  await using sender = start("udp/broadcast_sender", flag, "hello?", "--port", port);
  assertEquals(await sender.end(), 1);
  assertMatch(sender.stderr.text, /nobody answered to 127\.255\.255\.255:\d+ in 0\.5 s/);
  assertMatch(sender.stderr.text, /Start its partner first, .*broadcast_receiver\.ts/);
});
