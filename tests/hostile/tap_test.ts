/** The tap between those who misbehave: it passes on what it can, and no client takes it down. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { assertEquals, assertMatch } from "@std/assert";
import { attacks, tcpTarget } from "./attacks.ts";
import { memory, openFiles, type Script, startDeno } from "./script.ts";
import { ask } from "./streams.ts";
import { until, within } from "./waits.ts";

const PATH = "scripts/analyzer/tap.ts";

/** An echo server of this process, to which the tap leads. */
function echoServer() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const serving = (async () => {
    for (;;) {
      let connection: Deno.Conn;
      try {
        connection = await listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.NotConnected) continue;
        return;
      }
      open.add(connection);
      const { readable, writable } = connection;
      readable.pipeTo(writable).catch(() => {}).finally(() => open.delete(connection));
    }
  })();
  return {
    port: listener.addr.port,
    open,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

interface Tapped {
  tap: Script;
  port: number;
}

async function start(to: number, words: string[] = [], smallHeap = false): Promise<Tapped> {
  const flags = [`--allow-net=127.0.0.1:0,127.0.0.1:${to}`];
  const ends = ["127.0.0.1:0", `127.0.0.1:${to}`];
  const tap = startDeno(flags, PATH, { words: [...ends, ...words], smallHeap });
  return { tap, port: Number(await tap.printed(/^listening on 127\.0\.0\.1:(\d+)$/m)) };
}

Deno.test(`${PATH} goes on when`, async (test) => {
  await using server = echoServer();
  const { tap, port } = await start(server.port, ["--show", "hex"], true);
  await using _ended = tap;
  const files = openFiles(tap.pid);
  const target = tcpTarget(port);
  const askWell = async () => assertEquals(await ask(target, "anybody there?"), "anybody there?");
  for (const [name, attack] of Object.entries(attacks)) {
    await test.step(name, async () => {
      await attack(target, askWell);
      await askWell();
      await until(
        () => `${openFiles(tap.pid)} files are open, not ${files}`,
        () => openFiles(tap.pid) === files,
      );
    });
  }
  assertEquals(await tap.stop("SIGINT"), 0);
});

Deno.test(`${PATH} lets a sender wait when nobody reads, with the same memory`, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { tap, port } = await start(listener.addr.port, ["--show", "none"], true);
  await using _ended = tap;
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  using deaf = await listener.accept();
  const before = memory(tap.pid);
  const chunk = new Uint8Array(1024 * 1024);
  let sent = 0;
  let stuck = false;
  while (!stuck) {
    const writing = client.write(chunk);
    stuck = await Promise.race([
      writing.then((count) => {
        sent += count;
        return false;
      }),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 500)),
    ]);
    if (sent > 64 * chunk.length) {
      throw new Error(`${sent} bytes were taken, and nobody reads them`);
    }
    if (stuck) {
      const growth = memory(tap.pid) - before;
      if (growth > 16 * 1024 * 1024) throw new Error(`the tap keeps ${growth} bytes`);
      deaf.close();
      await writing.catch(() => {});
    }
  }
  listener.close();
  assertEquals(await tap.stop("SIGTERM"), 0);
});

for (
  const [moment, behave] of Object.entries({
    "while it is written to": (socket: Socket) => setTimeout(() => socket.resetAndDestroy(), 300),
    "after it has ended its side": (socket: Socket) => {
      socket.end();
      setTimeout(() => socket.resetAndDestroy(), 300);
    },
  })
) {
  Deno.test(`${PATH} tells who reset when the server does so ${moment}`, async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.pause();
      socket.on("error", () => {});
      behave(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port: to } = server.address() as AddressInfo;
    const { tap, port } = await start(to, ["--show", "none"]);
    await using _ended = tap;
    for (let round = 0; round < 5; round++) {
      using client = await Deno.connect({ hostname: "127.0.0.1", port });
      const chunk = new Uint8Array(1024 * 1024);
      // until the tap has closed the connection
      const sending = (async () => {
        for (;;) await client.write(chunk);
      })().catch(() => {});
      await within("the end of the stream", sending, 20_000);
    }
    const resets = () => tap.stdout.match(/server resets the connection/g)?.length;
    await until(() => tap.stdout, () => resets() === 5);
    assertEquals(tap.stdout.includes("client resets"), false);
    await new Promise((resolve) => server.close(resolve));
    assertEquals(await tap.stop("SIGINT"), 0);
  });
}

Deno.test(`${PATH} closes the client when nothing listens behind it, and goes on`, async () => {
  let port: number;
  {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    port = listener.addr.port;
  }
  const { tap, port: here } = await start(port);
  await using _ended = tap;
  for (let round = 0; round < 3; round++) {
    using client = await Deno.connect({ hostname: "127.0.0.1", port: here });
    assertEquals(await within("the end", client.read(new Uint8Array(1))), null);
  }
  assertMatch(tap.stderr, /cannot connect to 127\.0\.0\.1:\d+: connection refused/);
  assertMatch(tap.stdout, /refused: nothing is listening there/);
  assertEquals(await tap.stop("SIGINT"), 0);
});

Deno.test(`${PATH} cuts what passes into pieces when it is told --chunk`, async () => {
  await using server = echoServer();
  const { tap, port } = await start(server.port, ["--chunk", "3"]);
  await using _ended = tap;
  assertEquals(await ask(tcpTarget(port), "0123456789"), "0123456789");
  await until(() => tap.stdout, () => /server → client {2}\d bytes? {2}"[^"]*9"/.test(tap.stdout));
  const pieces = [...tap.stdout.matchAll(/client → server {2}(\d+) bytes?/g)].map(([, size]) =>
    size
  );
  assertEquals(pieces, ["3", "3", "3", "1"]);
  assertEquals(await tap.stop("SIGINT"), 0);
});

Deno.test(`${PATH} cuts a connection when as many bytes have passed as --close-after says`, async () => {
  await using server = echoServer();
  const { tap, port } = await start(server.port, ["--close-after", "4"]);
  await using _ended = tap;
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  await client.write(new TextEncoder().encode("0123456789"));
  const buffer = new Uint8Array(100);
  const heard = await within("the end", client.read(buffer).catch(() => null));
  assertEquals(heard, null);
  assertMatch(tap.stdout, /client → server {2}4 bytes {2}"0123"/);
  await until(() => tap.stderr, () => /cut after 4 bytes/.test(tap.stderr));
  assertEquals(await tap.stop("SIGINT"), 0);
});

Deno.test(`${PATH} shows nothing behind the cut when both speak and --delay holds them back`, async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const words = ["--close-after", "4", "--delay", "200"];
  const { tap, port } = await start(listener.addr.port, words);
  await using _ended = tap;
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  using server = await within("the tap comes", listener.accept());
  await Promise.all([client, server].map((each) => each.write(new TextEncoder().encode("word"))));
  const all = [client, server].map((each) => each.read(new Uint8Array(100)).catch(() => null));
  const heard = await within("the end", Promise.all(all));
  await until(() => tap.stderr, () => /cut after 4 bytes/.test(tap.stderr));
  assertEquals(await tap.stop("SIGINT"), 0);
  assertEquals(heard.filter((count) => count === 4).length, 1);
  assertEquals(tap.stdout.match(/ 4 bytes {2}"word"$/gm)?.length, 1, tap.stdout);
  assertMatch(tap.stdout, /4 bytes {2}"word"\n.* ends its side\n.* ends its side\n$/);
});

for (const [hostname, name] of [["127.0.0.1", "localhost"], ["::1", "[0:0::1]"]] as const) {
  Deno.test(`${PATH} passes datagrams both ways when the server is given as ${name}`, async () => {
    const server = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    const client = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const flags = ["--allow-net=127.0.0.1,[::1]"];
    const words = ["127.0.0.1:0", `${name}:${(server.addr as Deno.NetAddr).port}`, "--udp"];
    await using tap = startDeno(flags, PATH, { words });
    const port = Number(await tap.printed(/^listening on 127\.0\.0\.1:(\d+)$/m));
    await client.send(Uint8Array.of(1, 2), { transport: "udp", hostname: "127.0.0.1", port });
    const [question, from] = await within("the question", server.receive());
    await server.send(question.toReversed(), from);
    const [answer] = await within("the answer", client.receive());
    assertEquals([...answer], [2, 1]);
    assertEquals(await tap.stop("SIGINT"), 0);
    server.close();
    client.close();
  });
}

Deno.test(`${PATH} holds every piece back when it is told --delay`, async () => {
  await using server = echoServer();
  const { tap, port } = await start(server.port, ["--delay", "100"]);
  await using _ended = tap;
  const began = performance.now();
  assertEquals(await ask(tcpTarget(port), "late"), "late");
  // a lower bound: there and back
  if (performance.now() - began < 200) throw new Error("it was not held back");
  assertEquals(await tap.stop("SIGINT"), 0);
});

Deno.test(`${PATH} lets nobody else read what it writes when the files were there before`, async () => {
  const folder = await Deno.makeTempDir({ prefix: "tap-" });
  try {
    const files = [`${folder}/tap.pcapng`, `${folder}/tap.svg`];
    for (const file of files) {
      await Deno.writeTextFile(file, "");
      await Deno.chmod(file, 0o644);
    }
    const flags = ["--allow-net=127.0.0.1:0,127.0.0.1:1", `--allow-write=${files.join(",")}`];
    const words = ["127.0.0.1:0", "127.0.0.1:1", "--pcap", files[0]!, "--svg", files[1]!];
    await using tap = startDeno(flags, PATH, { words });
    await tap.printed(/^listening on/m);
    assertEquals(await tap.stop("SIGINT"), 0);
    assertEquals(files.map((file) => Deno.statSync(file).mode! & 0o777), [0o600, 0o600]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test(`${PATH} ends with its conversations when Ctrl-C comes while they are open`, async () => {
  await using server = echoServer();
  const { tap, port } = await start(server.port);
  await using _ended = tap;
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  await client.write(new TextEncoder().encode("still here"));
  await client.read(new Uint8Array(100));
  assertEquals(await tap.stop("SIGINT"), 0);
});

for (
  const [words, message] of <[string[], RegExp][]> [
    [["127.0.0.1", "127.0.0.1:1"], /cannot read the endpoint "127\.0\.0\.1"/],
    [["127.0.0.1:0", "127.0.0.1:1", "--show", "all"], /--show is text, hex or none, not "all"/],
    [["127.0.0.1:0", "127.0.0.1:1", "--udp", "--chunk", "1"], /are for connections, not for --udp/],
    [["unix:/a", "unix:/b", "--udp"], /--udp goes with HOST:PORT only/],
    [["localhost:9999", "127.0.0.1:9999"], /127\.0\.0\.1:9999 would be its own server/],
    [["127.0.0.1:0", "127.0.0.1:1", "--pcap", "/a", "--svg", "/a"], /--pcap and --svg are two/],
  ]
) {
  Deno.test(`${PATH} ends with 2 when called with ${words.join(" ")}`, async () => {
    await using tap = startDeno(["--allow-net=127.0.0.1"], PATH, { words });
    assertEquals(await within("its end", tap.ended), 2);
    assertMatch(tap.stderr, message);
  });
}

Deno.test(`${PATH} summary says what is wrong when the file is no capture`, async () => {
  const words = ["summary", "README.md"];
  await using tap = startDeno(["--allow-read=README.md"], PATH, { words });
  assertEquals(await within("its end", tap.ended), 1);
  assertMatch(
    tap.stderr,
    /cannot read the capture README\.md: it begins neither as pcapng nor as pcap/,
  );
});
