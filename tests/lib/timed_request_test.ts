import { assert, assertEquals, assertRejects } from "@std/assert";
import { timedRequest, type TimedRequestOptions } from "../../lib/timed_request.ts";
import { bind, NoAnswerError } from "../../lib/udp.ts";
import { decode, encode } from "./helpers.ts";

type Answer = (socket: Deno.DatagramConn, from: Deno.Addr, question: Uint8Array) => unknown;

/** A server that does what a test wants with the first datagram, the second, … */
async function peer(...answers: Answer[]) {
  const socket = await bind();
  const done = (async () => {
    for (const answer of answers) {
      const [question, from] = await socket.receive();
      await answer(socket, from, question);
    }
  })();
  return {
    addr: socket.addr as Deno.NetAddr,
    async [Symbol.asyncDispose]() {
      await done;
      socket.close();
    },
  };
}

const silent: Answer = () => {};
const answer = (text: string): Answer => (socket, from) => socket.send(encode(text), from);
const byStranger = (text: string): Answer => async (_socket, from) => {
  const stranger = await bind();
  await stranger.send(encode(text), from);
  stranger.close();
};

/** A request whose clock ticks at each look, whose questions are numbered, and what it notes. */
function asking(changes: Partial<TimedRequestOptions<string>> = {}) {
  let ticks = 0, questions = 0;
  const notes: string[] = [];
  const options: TimedRequestOptions<string> = {
    question: () => encode(`question ${++questions}`),
    answer: (datagram) => decode(datagram),
    now: () => ++ticks,
    onNote: (note) => notes.push(note),
    ...changes,
  };
  return { options, notes };
}

Deno.test("timedRequest looks at the clock just before it sends and when the answer is there", async () => {
  await using server = await peer(answer("12"));
  const { options } = asking();
  assertEquals(await timedRequest(server.addr, options), { answer: "12", sent: 1, arrived: 2 });
});

Deno.test("timedRequest asks anew, with another question, when no answer comes", async () => {
  const heard: string[] = [];
  const note: Answer = (_socket, _from, question) => heard.push(decode(question));
  await using server = await peer(note, (...args) => {
    note(...args);
    return answer("at last")(...args);
  });
  const { options, notes } = asking({ patience: [20, 5_000] });
  const { answer: got } = await timedRequest(server.addr, options);
  assertEquals([got, heard], ["at last", ["question 1", "question 2"]]);
  assertEquals(notes, ["no answer in 20 ms"]);
});

Deno.test("timedRequest passes over strangers and what is no answer", async () => {
  await using server = await peer(async (...args) => {
    await byStranger("false")(...args);
    await answer("")(...args);
    await answer("true")(...args);
  });
  const { options, notes } = asking({ answer: (datagram) => decode(datagram) || undefined });
  const { answer: got } = await timedRequest(server.addr, options);
  assertEquals(got, "true");
  assertEquals(notes.length, 1);
  assert(/^ignoring 5 bytes from 127\.0\.0\.1:\d+$/.test(notes[0]!), notes[0]);
});

Deno.test("timedRequest hands the question of the last try to who judges the answer", async () => {
  await using server = await peer(silent, answer("x"));
  const asked: string[] = [];
  const { options } = asking({
    patience: [20, 5_000],
    answer: (_datagram, question) => {
      asked.push(decode(question));
      return "good";
    },
  });
  await timedRequest(server.addr, options);
  assertEquals(asked, ["question 2"]);
});

Deno.test("timedRequest gives up in words when all tries were in vain", async () => {
  await using server = await peer(silent, silent, silent);
  const { options } = asking({ patience: [5, 5, 5] });
  await assertRejects(() => timedRequest(server.addr, options), NoAnswerError, "to 3 datagrams");
});

Deno.test("timedRequest ends in time when strangers never stop sending", async () => {
  await using stranger = await (async () => {
    const socket = await bind();
    return { socket, [Symbol.asyncDispose]: () => Promise.resolve(socket.close()) };
  })();
  let flooding = true;
  let flood = Promise.resolve();
  await using server = await peer((_socket, from) => {
    flood = (async () => {
      while (flooding) await stranger.socket.send(encode("nonsense"), from);
    })();
  });
  const { options } = asking({ patience: [50] });
  await assertRejects(() => timedRequest(server.addr, options), NoAnswerError);
  flooding = false;
  await flood;
});

Deno.test("timedRequest ends with what the judge of answers throws", async () => {
  await using server = await peer(answer("DENY"));
  const { options } = asking({
    answer: () => {
      throw new Error("denied");
    },
  });
  await assertRejects(() => timedRequest(server.addr, options), Error, "denied");
});

Deno.test("timedRequest knows the server by any way of writing its address", async () => {
  const { options } = asking();
  for (const hostname of ["127.1", "127.0.0.1"]) {
    await using server = await peer(answer("four"));
    await timedRequest({ hostname, port: server.addr.port }, options);
  }
  const socket = await bind({ hostname: "::1" });
  const there = { hostname: "0:0::1", port: (socket.addr as Deno.NetAddr).port };
  const request = timedRequest(there, options);
  const [, from] = await socket.receive();
  await socket.send(encode("six"), from);
  assertEquals((await request).answer, "six");
  socket.close();
});
