import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { ActionError, explain } from "../../lib/errors.ts";
import { bind, MOST_BYTES, NoAnswerError, request } from "../../lib/udp.ts";
import { decode, encode } from "./helpers.ts";

type Answer = (socket: Deno.DatagramConn, from: Deno.Addr, datagram: Uint8Array) => unknown;

/** A socket that does what a test wants with the first datagram, the second, … */
async function peer(...answers: Answer[]) {
  const socket = await bind();
  assert(socket.addr.transport === "udp");
  const received: string[] = [];
  const done = (async () => {
    for (const answer of answers) {
      const [datagram, from] = await socket.receive();
      received.push(decode(datagram));
      await answer(socket, from, datagram);
    }
  })();
  return {
    addr: socket.addr,
    received,
    async [Symbol.asyncDispose]() {
      await done;
      socket.close();
    },
  };
}

const silent: Answer = () => {};
const answer = (text: string): Answer => (socket, from) => socket.send(encode(text), from);
const question = encode("question");

/** Sends from a socket that nobody asked. */
const byStranger = (text: string): Answer => async (_socket, from) => {
  const stranger = await bind();
  await stranger.send(encode(text), from);
  stranger.close();
};

Deno.test("request asks again, each time after twice the wait, when no answer comes", async () => {
  const retries: number[] = [];
  await using server = await peer(silent, silent, answer("third time lucky"));
  const onRetry = (retry: number) => retries.push(retry);
  const reply = await request(question, server.addr, { timeout: 30, onRetry });
  assertEquals(decode(reply), "third time lucky");
  assertEquals(retries, [1, 2]);
  assertEquals(server.received, ["question", "question", "question"]);
});

Deno.test("request tells how often it asked when nobody answers", async () => {
  const cases: [retries: number, words: string][] = [[2, "3 datagrams"], [0, "1 datagram"]];
  for (const [retries, words] of cases) {
    await using server = await peer(...Array<Answer>(retries + 1).fill(silent));
    const told: number[] = [];
    const onRetry = (retry: number) => told.push(retry);
    const error = await assertRejects(
      () => request(question, server.addr, { timeout: 5, retries, onRetry }),
      NoAnswerError,
      `no answer from 127.0.0.1:${server.addr.port} to ${words}: `,
    );
    assertEquals(explain(error), { reason: error.message, partner: true });
    assertEquals(told.length, retries);
  }
});

Deno.test("request gives up in words when nothing listens there", async () => {
  const socket = await bind();
  assert(socket.addr.transport === "udp");
  const { addr } = socket;
  socket.close();
  await assertRejects(() => request(question, addr, { timeout: 5, retries: 1 }), NoAnswerError);
});

Deno.test("request ignores datagrams when they come from a stranger", async () => {
  await using server = await peer(async (...args) => {
    await byStranger("false")(...args);
    await byStranger("falser")(...args);
    await answer("true")(...args);
  });
  assertEquals(decode(await request(question, server.addr)), "true");
});

Deno.test("request ignores what its accept function refuses", async () => {
  const seen: string[] = [];
  const accept = (datagram: Uint8Array) => seen.push(decode(datagram)) === 3;
  await using server = await peer(async (...args) => {
    for (const text of ["a", "b", "c"]) await answer(text)(...args);
  });
  assertEquals(decode(await request(question, server.addr, { accept })), "c");
  assertEquals(seen, ["a", "b", "c"]);
});

Deno.test("request takes the late answer to an earlier try", async () => {
  let first: Deno.Addr | undefined;
  await using server = await peer(
    (_socket, from) => void (first = from),
    (socket, from) => {
      assertEquals(from, first, "it asks again from the same port");
      return socket.send(encode("late"), first!);
    },
  );
  assertEquals(decode(await request(question, server.addr, { timeout: 10 })), "late");
});

Deno.test("request takes an answer whole when it is as long as can be", async () => {
  const long = new Uint8Array(MOST_BYTES).fill(7);
  await using server = await peer((socket, from) => socket.send(long, from));
  assertEquals((await request(question, server.addr)).length, MOST_BYTES);
});

Deno.test("request tells that a datagram is too long when it is", async () => {
  await using server = await peer();
  const error = await assertRejects(
    () => request(new Uint8Array(MOST_BYTES + 1), server.addr),
    ActionError,
    `cannot send to 127.0.0.1:${server.addr.port}: a UDP datagram carries at most 65,507 bytes`,
  );
  assertEquals(error.explanation.next, "Send less, or use TCP.");
});

Deno.test("request rejects with the reason when it is aborted before, between or while it waits", async () => {
  const reason = new Error("no longer wanted");
  const isReason = async (asking: Promise<unknown>) =>
    assertStrictEquals(await asking.catch((error) => error), reason);
  await using none = await peer();
  await isReason(request(question, none.addr, { signal: AbortSignal.abort(reason) }));

  const waiting = new AbortController();
  await using one = await peer(() => waiting.abort(reason));
  await isReason(request(question, one.addr, { signal: waiting.signal }));

  const between = new AbortController();
  await using two = await peer(silent);
  const onRetry = () => between.abort(reason);
  await isReason(request(question, two.addr, { signal: between.signal, timeout: 5, onRetry }));
});

Deno.test("request understands every way of writing an address, and localhost", async () => {
  await using four = await peer(answer("four"));
  const { port } = four.addr;
  assertEquals(decode(await request(question, { hostname: "localhost", port })), "four");

  const socket = await bind({ hostname: "::1" });
  assert(socket.addr.transport === "udp");
  for (const hostname of ["::1", "0:0::1", "0000:0000:0000:0000:0000:0000:0000:0001"]) {
    const asking = request(question, { hostname, port: socket.addr.port });
    const [, from] = await socket.receive();
    await socket.send(encode("six"), from);
    assertEquals(decode(await asking), "six");
  }
  socket.close();
});

Deno.test("request tells that a host is unknown when it is", async () => {
  const error = await assertRejects(() =>
    request(question, { hostname: "no-such.invalid", port: 9 })
  );
  assertInstanceOf(error, ActionError);
  assert(error.message.startsWith("cannot look up no-such.invalid: "), error.message);
});
