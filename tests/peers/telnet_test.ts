/**
 * Our telnet with Debian's telnetd, our telnet server with Debian's telnet, in a real terminal; and with
 * programs that know nothing of telnet.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { pause } from "../../lib/pause.ts";
import { behaviours, misbehave, reset } from "../hostile/peers.ts";
import { concat, decode, encode } from "../lib/helpers.ts";
import { freePort, PEERS, peerTest, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf, startServer } from "./scripts.ts";
import { Terminal } from "./terminal.ts";

const local = (port: number) => ({ transport: "tcp" as const, hostname: "127.0.0.1", port });

function client(port: number, ...words: string[]): string[] {
  const flags = ["--no-prompt", `--allow-net=127.0.0.1:${port}`, "--allow-env=TERM"];
  return [
    Deno.execPath(),
    "run",
    ...flags,
    pathOf("remote/telnet"),
    ...words,
    "127.0.0.1",
    String(port),
  ];
}

/** Debian's telnetd, with a shell behind it instead of login. */
async function startTelnetd() {
  const folder = temporaryFolder();
  const login = `${folder.path}/login`;
  await Deno.writeTextFile(
    login,
    '#!/bin/sh\necho "terminal is $TERM"\nPS1="remote> " ENV= exec sh -i\n',
  );
  await Deno.chmod(login, 0o755);
  const port = freePort();
  const listen = `TCP4-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`;
  const daemon = await startPeer(
    ["socat", "-d", "-d", listen, `EXEC:telnetd -h -E ${login}`],
    / listening on /,
  );
  return {
    port,
    daemon,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Waits for the end; the terminal must be as it was. */
async function restored(terminal: Terminal, code: number): Promise<string> {
  const screen = await terminal.shows(/ended with \d+/);
  assertMatch(screen, new RegExp(`ended with ${code}\\b`), screen);
  const { before, after } = await terminal.settings();
  // but for its size, which the test may have changed
  const settings = (text: string) => text.replace(/rows \d+; columns \d+/, "");
  assertEquals(settings(after), settings(before));
  return screen;
}

peerTest(
  "telnet is a terminal of telnetd, from the login to the end",
  ["telnetd", "socat", "tmux"],
  async () => {
    await using server = await startTelnetd();
    await using terminal = await Terminal.open(
      `TERM=vt220 ${client(server.port).join(" ")}`,
      90,
      30,
    );
    const screen = await terminal.shows(/remote>$/m);
    assertMatch(
      screen,
      /Trying 127\.0\.0\.1\.\.\.\nConnected to 127\.0\.0\.1\.\nEscape character is '\^\]'\.\n/,
    );
    // the name goes in capitals over the wire in some telnets; the shell sees it as it is
    assertMatch(screen, /terminal is vt220\n/);
    await terminal.type("stty size\r");
    await terminal.shows(/^remote> stty size\n30 90\nremote>/m);
    // no line is sent before its Enter, and none twice
    await terminal.type("echo a");
    await terminal.press("BSpace");
    await terminal.type("$((6*7))\r");
    await terminal.shows(/^42\nremote>/m);

    // Ctrl-C is for the remote program
    await terminal.type("sleep 1000; echo it was $?\r");
    await terminal.shows(/sleep 1000; echo it was \$\?$/);
    await terminal.press("C-c");
    await terminal.shows(/\^C\n+(it was 130\n)?remote>/);

    await terminal.press("C-]");
    await terminal.shows(/^telnet>/m);
    await terminal.type("status\r");
    await terminal.shows(/Options on its side: ECHO SGA; on ours: (SGA )?TTYPE NAWS/);
    await terminal.type("echo go on\r");
    await terminal.shows(/^go on\nremote>/m);
    await terminal.press("C-]");
    await terminal.type("send ayt\r");
    await terminal.shows(/\[Yes\]/);

    await terminal.type("exit\r");
    assertMatch(await restored(terminal, 0), /Connection closed by foreign host\.\nended with 0/);
  },
);

peerTest(
  "telnet shows nothing of the urgent data that telnetd sends at Ctrl-C, and keeps the same byte elsewhere",
  ["telnetd", "socat", "tmux", "script"],
  async () => {
    await using server = await startTelnetd();
    using folder = temporaryFolder();
    const record = `${folder.path}/record`;
    // tmux itself drops what is no UTF-8
    await using terminal = await Terminal.open(
      `script -q -c '${client(server.port).join(" ")}' ${record}`,
    );
    await terminal.shows(/remote>$/m);
    await terminal.type("sleep 1000\r");
    await terminal.shows(/sleep 1000$/m);
    await terminal.press("C-c");
    await terminal.shows(/\^C\n+remote>$/m);
    await terminal.type("printf 'a\\362b\\n'\r");
    // telnetd may lose what it has not passed on when its shell ends
    await terminal.shows(/^a.?b\nremote>$/m);
    await terminal.type("exit\r");
    await terminal.shows(/ended with 0/);
    const shown = Array.from(await Deno.readFile(record), (byte) => String.fromCharCode(byte));
    assertEquals(shown.join("").match(/.?\xf2./g), ["a\xf2b"]);
  },
);

peerTest("telnet tells telnetd the window's new size", ["telnetd", "socat", "tmux"], async () => {
  await using server = await startTelnetd();
  await using terminal = await Terminal.open(client(server.port).join(" "), 90, 30);
  await terminal.shows(/remote>$/m);
  await terminal.resize(70, 20);
  // the signal and its message take a moment
  await terminal.type("until [ \"$(stty size)\" = '20 70' ]; do sleep 0.1; done; echo now it is\r");
  await terminal.shows(/^now it is$/m);
});

peerTest("telnet restores the terminal at quit and when a signal ends it", [
  "telnetd",
  "socat",
  "tmux",
], async () => {
  await using server = await startTelnetd();
  const folder = temporaryFolder();
  using _removed = folder;
  const pidFile = `${folder.path}/pid`;
  // the shell's own id becomes that of the client
  const command = `sh -c 'echo $$ > ${pidFile}; exec ${client(server.port).join(" ")}'`;
  {
    await using terminal = await Terminal.open(command);
    await terminal.shows(/remote>$/m);
    await terminal.press("C-]");
    await terminal.type("quit\r");
    assertMatch(await restored(terminal, 0), /telnet> quit\nConnection closed\.\nended with 0/);
  }
  for (const [signal, code] of [["SIGTERM", 143], ["SIGHUP", 129], ["SIGINT", 130]] as const) {
    await using terminal = await Terminal.open(command);
    await terminal.shows(/remote>$/m);
    Deno.kill(Number(await Deno.readTextFile(pidFile)), signal);
    await restored(terminal, code);
  }
});

/** Asks again and again: keys may be faster than what telnet and the server have to settle. */
async function becomes(terminal: Terminal, command: string, answer: RegExp): Promise<void> {
  for (let tries = 0; tries < 100 && !answer.test(await terminal.screen()); tries++) {
    await terminal.type(`${command}\r`);
    await pause(200);
  }
  await terminal.shows(answer);
}

peerTest("Debian's telnet uses our server's shell", ["telnet", "tmux"], async () => {
  await using server = await startServer("remote/telnet_server", local(0));
  const { port } = server.at as Deno.NetAddr;
  await using terminal = await Terminal.open(`TERM=vt220 telnet 127.0.0.1 ${port}`, 90, 30);
  await terminal.shows(/Try help\.\n>/);
  await becomes(terminal, "terminal", /^> terminal\nVT220\n>/m);
  await becomes(terminal, "size", /^> size\n90 columns, 30 rows\n>/m);
  await terminal.type("echo helloo");
  await terminal.press("BSpace");
  await terminal.type(" you\r");
  await terminal.shows(/^> echo hello you\nhello you\n>/m);
  await terminal.resize(70, 20);
  await becomes(terminal, "size", /^70 columns, 20 rows$/m);

  // GNU telnet sends Ctrl-C as it is while the server echoes; by name it sends IP
  await terminal.type("count\r");
  await terminal.shows(/^1\n/m);
  await terminal.press("C-c");
  await terminal.shows(/^\^C\n>/m);
  await terminal.type("count\r");
  await terminal.shows(/\^C[^]*^1\n/m);
  for (const name of ["ip", "ayt"]) {
    await terminal.press("C-]");
    await terminal.shows(/^telnet>$/m);
    await terminal.type(`send ${name}\r`);
    await terminal.shows(new RegExp(`telnet> send ${name}`));
  }
  await terminal.shows(/\[telnet_server\.ts: yes\]/);
  await terminal.type("logout\r");
  await terminal.shows(/Goodbye\.\nConnection closed by foreign host\./);
  assertEquals(await server.process.stop("SIGINT"), 0);
});

peerTest("our telnet and our server agree in a terminal", ["tmux"], async () => {
  await using server = await startServer("remote/telnet_server", local(0));
  const { port } = server.at as Deno.NetAddr;
  await using terminal = await Terminal.open(`TERM=vt220 ${client(port).join(" ")}`, 90, 30);
  await terminal.shows(/Try help\.\n>/);
  await becomes(terminal, "terminal", /^> terminal\nvt220\n>/m);
  await terminal.resize(70, 20);
  await becomes(terminal, "size", /^70 columns, 20 rows$/m);
  await terminal.type("logout\r");
  await restored(terminal, 0);
});

peerTest("nc uses our server's shell, without echo", ["nc"], async () => {
  await using server = await startServer("remote/telnet_server", local(0));
  const { port } = server.at as Deno.NetAddr;
  await using nc = new Process(["nc", "127.0.0.1", String(port)]);
  await nc.send(encode("echo one\nsize\nlogout\n"));
  await nc.send();
  assertEquals(await nc.end(), 0);
  const text = nc.stdout.text.replace(/^\P{ASCII}.*?(?=Welcome)/su, "");
  assertEquals(
    text,
    "Welcome, this is telnet_server.ts. Try help.\r\n> one\r\n> " +
      "Your client does not tell its size.\r\n> Goodbye.\r\n",
  );
});

peerTest("telnet speaks to a plain server line by line, sends no IAC, and obeys no escape", [
  "socat",
  "tmux",
], async () => {
  const port = freePort();
  await using server = await startPeer(
    ["socat", "-d", "-d", `TCP4-LISTEN:${port},bind=127.0.0.1,reuseaddr`, "STDIO"],
    / listening on /,
  );
  await using terminal = await Terminal.open(client(port).join(" "));
  await terminal.shows(/Escape character is '\^\]'\.$/);
  await terminal.type("GET /nodes");
  await terminal.press("BSpace", "BSpace", "BSpace");
  await terminal.shows(/^GET \/no$/m);
  assertEquals(server.stdout.bytes.length, 0);
  await terminal.type("tes.txt HTTP/1.0\r\r");
  await server.stdout.line(/^\r$/);
  assertEquals(server.stdout.text, "GET /notes.txt HTTP/1.0\r\n\r\n");

  await server.send(encode("\x1b[2J\x1b]0;owned\x07clear\rit\u009b1m\r\nü\tend\n"));
  const screen = await terminal.shows(/end/);
  assertMatch(screen, /\\x1b\[2J\\x1b\]0;owned\\x07clear\n?it\\u009b1m\nü +end/);
  assertMatch(screen, /Escape character/, "the screen was cleared");
  await server.send();
  assertMatch(await restored(terminal, 0), /Connection closed by foreign host\.\nended with 0/);
});

peerTest("telnet leaves a server that floods it or is silent at ^], and one that resets at once", [
  "tmux",
], async () => {
  for (const behaviour of ["never stops sending", "is silent"]) {
    await using peer = misbehave(behaviours[behaviour]!);
    await using terminal = await Terminal.open(client(Number(peer.address)).join(" "));
    await terminal.shows(behaviour === "is silent" ? /Escape character/ : /x{50}/);
    await terminal.press("C-]");
    await terminal.shows(/^telnet>/m);
    await terminal.type("quit\r");
    assertMatch(await restored(terminal, 0), /telnet> quit\nConnection closed\.\nended with 0/);
    peer.release();
  }
  await using peer = await reset("data");
  await using terminal = await Terminal.open(client(Number(peer.address)).join(" "));
  await terminal.shows(/Escape character/);
  await terminal.type("hello\r");
  assertMatch(await restored(terminal, 1), /telnet\.ts: cannot .*\nended with 1/);
});

const ALL = Uint8Array.from(
  { length: 4 * 256 },
  (_, at) => at < 256 ? at : Math.imul(at, 0x9e3779b1) >>> 24,
);
const doubled = (bytes: Uint8Array) =>
  Uint8Array.from([...bytes].flatMap((byte) => byte === 255 ? [255, 255] : [byte]));

for (const peer of PEERS) {
  const [program] = peer.server(local(1));
  const name = program!.split("/").at(-1)!;
  peerTest(`telnet --bytes carries every byte to and from ${peer.name}`, [name], async () => {
    const at = local(freePort());
    await using server = await startPeer(peer.server(at), peer.listening);
    await using telnet = new Process(client(at.port, "--bytes", "--wait", "30"));
    await telnet.send(ALL);
    await server.stdout.received(doubled(ALL).length);
    assertEquals(server.stdout.bytes, doubled(ALL));
    await server.send(doubled(ALL));
    await telnet.stdout.received(ALL.length);
    assertEquals(telnet.stdout.bytes, ALL);
    // the server's end ends the conversation, with stdin still open
    await server.send();
    assertEquals(await telnet.end(), 0);
    assertMatch(telnet.stderr.text, /Connection closed by foreign host\.\n$/);
  });
}

peerTest("telnet sends a file's lines with CR LF, and loses no answer", ["socat"], async () => {
  const at = local(freePort());
  const command = ["socat", "-d", "-d", `TCP4-LISTEN:${at.port},bind=127.0.0.1`, "STDIO"];
  await using server = await startPeer(command, / listening on /);
  await using telnet = new Process(client(at.port));
  await telnet.send(encode("HELO me\nQUIT\r\n"));
  await telnet.send();
  await server.stdout.line(/QUIT/);
  assertEquals(server.stdout.text, "HELO me\r\nQUIT\r\n");
  await server.send(encode("221 Bye\r\n"));
  await server.send();
  assertEquals(await telnet.end(), 0);
  assertEquals(telnet.stdout.text, "221 Bye\r\n");
});

peerTest(
  "telnet ends its side for an echo server that waits for that, after --wait",
  ["socat"],
  async () => {
    const at = local(freePort());
    const command = ["socat", "-d", "-d", `TCP4-LISTEN:${at.port},bind=127.0.0.1`, "EXEC:cat"];
    await using _server = await startPeer(command, / listening on /);
    await using telnet = new Process(client(at.port, "--bytes", "--wait", "1"));
    const much = concat(...Array.from({ length: 200 }, () => ALL));
    await telnet.send(much);
    await telnet.send();
    assertEquals(await telnet.end(), 0);
    assert(
      decode(telnet.stdout.bytes) === decode(much) && telnet.stdout.bytes.length === much.length,
    );
  },
);
