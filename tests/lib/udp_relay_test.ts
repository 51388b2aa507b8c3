import { assertEquals } from "@std/assert";
import { datagramLoop } from "../../lib/datagram_loop.ts";
import { within } from "../../lib/deadline.ts";
import { Later } from "../../lib/later.ts";
import { type LinkFaults, noCounts } from "../../lib/lossy.ts";
import { ReliableService } from "../../lib/reliable_service.ts";
import { SendQueue } from "../../lib/send_queue.ts";
import { tapDatagrams } from "../../lib/tap_datagrams.ts";
import { timedRequest } from "../../lib/timed_request.ts";
import { bind, request, serve } from "../../lib/udp.ts";
import { ask } from "../../scripts/udp/echo_client.ts";
import { relay } from "../../scripts/udp/lossy_link.ts";
import { Incoming } from "../../scripts/udp/reliable_receiver.ts";
import { main as sendFile } from "../../scripts/udp/reliable_sender.ts";
import { until } from "../hostile/waits.ts";
import { decode, encode, temporaryFolder } from "./helpers.ts";
import { Memory } from "./reliable_network.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, number) => `${number}`);

async function addressed() {
  const socket = await bind();
  return { socket, addr: socket.addr as Deno.NetAddr, [Symbol.dispose]: () => socket.close() };
}

async function receive(socket: Deno.DatagramConn, count: number): Promise<string[]> {
  const came: string[] = [];
  while (came.length < count) came.push(decode((await within(5_000, socket.receive()))[0]));
  return came;
}

/** Sends all before anything else is done: what comes behind a relay's new socket is a burst. */
async function burst(client: Deno.DatagramConn, to: Deno.NetAddr, texts: string[]): Promise<void> {
  for (const text of texts) await client.send(encode(text), to);
}

const link = (faults: LinkFaults, most?: number) => ({
  faults,
  seed: 1,
  later: new Later(most),
  there: noCounts(),
  back: noCounts(),
});

type Relay = (socket: Deno.DatagramConn, server: Deno.NetAddr) => Promise<void>;
const RELAYS: Record<string, Relay> = {
  "lossy_link": (socket, server) => relay(socket, server, link({})),
  "lossy_link with a delay": (socket, server) => relay(socket, server, link({ delay: 20 })),
  "lossy_link with a bandwidth": (socket, server) =>
    relay(socket, server, link({ bandwidth: 1e5 })),
  "tap": (socket, server) => tapDatagrams(socket, server, () => {}),
  "tap with a delay": (socket, server) => tapDatagrams(socket, server, () => {}, { delay: 20 }),
};

for (const [name, start] of Object.entries(RELAYS)) {
  Deno.test(`${name}: the first burst of each client arrives in order, and so do the answers`, async () => {
    using server = await addressed();
    const middle = await addressed();
    const relaying = start(middle.socket, server.addr);
    for (const count of [2, 4, 32, 32, 100]) {
      using client = await addressed();
      await burst(client.socket, middle.addr, numbers(count));
      const [first, from] = await within(5_000, server.socket.receive());
      const came = [decode(first), ...await receive(server.socket, count - 1)];
      assertEquals(came, numbers(count));
      await burst(server.socket, from as Deno.NetAddr, numbers(count));
      assertEquals(await receive(client.socket, count), numbers(count));
    }
    middle.socket.close();
    await relaying;
  });
}

for (
  const [hostname, at] of [
    ["127.1", "127.0.0.1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["0::FFFF:7f00:1", "127.0.0.1"],
  ] as const
) {
  Deno.test(`an answer from ${at} is known to be that of ${hostname}`, async () => {
    await using server = await serve({ hostname: at }, (datagram) => datagram);
    const to = { transport: "udp", hostname, port: server.addr.port } as const;
    const middle = await addressed();
    const relaying = relay(middle.socket, to, link({}));
    const text = encode("hello");
    const timed = { question: () => text, answer: decode, now: () => 0 };
    const answers = await Promise.all([
      request(text, to).then(decode),
      request(text, middle.addr).then(decode),
      timedRequest(to, timed).then(({ answer }) => answer),
      ask(text, to).then(decode),
    ]);
    assertEquals(answers, Array(4).fill("hello"));
    middle.socket.close();
    await relaying;
  });

  Deno.test(`a file goes to ${hostname}`, async () => {
    using folder = temporaryFolder();
    const file = `${folder.path}/sent`;
    Deno.writeTextFileSync(file, "hello");
    const socket = await bind({ hostname: at });
    const loop = datagramLoop(socket);
    const memory = new Memory();
    using service = new ReliableService({
      begin: () => new Incoming(memory),
      send: loop.send,
      transfers: 1,
    });
    const { port } = socket.addr as Deno.NetAddr;
    const options = { file, host: hostname, port, window: [], segment: 1_200, patience: 5 };
    await Promise.all([loop.run(service), sendFile(options)]);
    assertEquals([memory.parts.map(decode), memory.finished], [["hello"], 1]);
  });
}

Deno.test("lossy_link counts what its queue has no room for, and not as gone on", async () => {
  using server = await addressed();
  const middle = await addressed();
  const counting = link({ delay: 1_000 }, 3);
  const relaying = relay(middle.socket, server.addr, counting);
  using client = await addressed();
  await burst(client.socket, middle.addr, numbers(8));
  assertEquals(await receive(server.socket, 3), ["0", "1", "2"]);
  await until(() => JSON.stringify(counting.there), () => counting.there.went === 3);
  middle.socket.close();
  await relaying;
  assertEquals(counting.there, { ...noCounts(), came: 8, overflowed: 5, went: 3 });
});

Deno.test("SendQueue waits for one send before the next, and goes on after one that fails", async () => {
  const sent: string[] = [];
  const errors: unknown[] = [];
  let waiting = Promise.withResolvers<number>();
  const socket = {
    send(datagram: Uint8Array) {
      sent.push(decode(datagram));
      return waiting.promise;
    },
  };
  const onError = (error: unknown) => errors.push(error);
  const to: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: 9 };
  const queue = new SendQueue(socket, to, { most: 2, onError });
  assertEquals(["a", "b", "c"].map((text) => queue.send(encode(text))), [true, true, false]);
  await Promise.resolve();
  assertEquals(sent, ["a"]);
  const failed = waiting;
  waiting = Promise.withResolvers();
  failed.reject("lost");
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals([sent, errors], [["a", "b"], ["lost"]]);
  assertEquals(["d", "e"].map((text) => queue.send(encode(text))), [true, false]);
});
