/**
 * The event echo server besieged, and a client that does not read.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { memory, startScript } from "./script.ts";
import { anyPort, besiege, starve, type Subject } from "./siege.ts";
import { ask, echoServer } from "./streams.ts";
import { settles, until, within } from "./waits.ts";

const eventEchoServer: Subject<Target> = {
  ...echoServer,
  path: "scripts/tcp/event_echo_server.ts",
  oneAtATime: false,
  attacks,
};

besiege(eventEchoServer, anyPort);
starve(eventEchoServer, anyPort);

Deno.test("event_echo_server.ts stops reading from a client that does not read, and loses nothing", async () => {
  using place = anyPort();
  await using server = startScript(eventEchoServer.path, { ...place, smallHeap: true });
  const target = tcpTarget(Number(await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m)));
  using client = await target.dial();
  const before = memory(server.pid);

  // writes until nothing is taken any more: the buffers of the system are full, and the server's queue
  const block = Uint8Array.from({ length: 64 * 1024 }, (_, index) => index * 31 % 251);
  const most = 256 * 1024 * 1024;
  let sent = 0;
  let writing = Promise.resolve(0);
  for (; sent < most; sent += await writing) {
    writing = client.write(block.subarray(sent % block.length));
    if (!await settles(writing, 500)) break;
  }
  assert(sent < most, "all of it was taken");
  await until(() => server.stderr, () => server.stderr.includes(": paused, "));
  const growth = memory(server.pid) - before;
  console.log(`${sent} bytes were taken unread, with ${growth} more bytes of memory`);
  assert(growth < 32 * 1024 * 1024, `grew by ${growth} bytes`);
  // others do not notice
  assertEquals(await within("another client's echo", ask(target, "hello")), "hello");

  // then it reads, and everything is there
  const rest = (async () => {
    sent += await writing;
    await client.closeWrite();
  })();
  const buffer = new Uint8Array(64 * 1024);
  let received = 0;
  const reading = (async () => {
    for (let count; (count = await client.read(buffer)) !== null;) {
      for (let at = 0; at < count; at++) {
        if (buffer[at] !== block[(received + at) % block.length]) {
          throw new Error(`byte ${received + at} is another`);
        }
      }
      received += count;
    }
  })();
  await within("the echo", Promise.all([reading, rest]), 60_000);
  assertEquals(received, sent);
  assertEquals(await server.stop("SIGINT"), 0);
});

Deno.test("event_echo_server.ts tells one client too many, and serves again when there is room", async () => {
  using place = anyPort();
  const words = [...place.words, "--most", "2"];
  await using server = startScript(eventEchoServer.path, { ...place, words });
  const target = tcpTarget(Number(await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m)));
  const echoed = async (connection: Deno.Conn) => {
    await connection.write(new TextEncoder().encode("x"));
    await within("an echo", connection.read(new Uint8Array(1)));
  };
  using one = await target.dial();
  await echoed(one);
  const two = await target.dial();
  await echoed(two);
  assertEquals(await ask(target, "hello"), "too many connections, try later\n");
  two.close();
  await until(
    () => server.stderr,
    () => (server.stderr.match(/connection lost/g) ?? []).length === 2,
  );
  assertEquals(await ask(target, "hello"), "hello");
  assertEquals(await server.stop("SIGINT"), 0);
});
