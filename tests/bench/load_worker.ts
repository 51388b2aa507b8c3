/**
 * One of the workers of `load.ts`.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

/** What a worker is to do. */
interface Task {
  kind: "pingpong" | "stream" | "udp" | "hold";
  /** How many of the connections, or of the datagrams in flight, are this worker's. */
  share: number;
  port: number;
  bytes: number;
  time: number;
}

/** What it found: a rate, latencies in microseconds, and the messages of each connection. */
export interface Result {
  rate: number;
  latencies: number[];
  messages: number[];
}

const WARM_UP = 300;

/** Reads until `buffer` is full. */
async function fill(connection: Deno.Conn, buffer: Uint8Array): Promise<void> {
  for (let received = 0; received < buffer.length;) {
    const count = await connection.read(buffer.subarray(received));
    if (count === null) throw new Error("the server closed the connection");
    received += count;
  }
}

async function pingpong(connection: Deno.Conn, { bytes, time }: Task): Promise<Result> {
  const message = new Uint8Array(bytes), answer = new Uint8Array(bytes);
  const start = performance.now() + WARM_UP;
  const latencies: number[] = [];
  for (let now = 0; now < start + time;) {
    const sent = performance.now();
    await connection.write(message);
    await fill(connection, answer);
    now = performance.now();
    if (now >= start) latencies.push((now - sent) * 1000);
  }
  return { rate: latencies.length / time * 1000, latencies, messages: [latencies.length] };
}

async function stream(connection: Deno.TcpConn, { bytes, time }: Task): Promise<Result> {
  const start = performance.now() + WARM_UP;
  const message = new Uint8Array(bytes), answer = new Uint8Array(1024 * 1024);
  let received = 0;
  const reading = (async () => {
    for (let count; (count = await connection.read(answer)) !== null;) {
      const now = performance.now();
      if (now >= start && now < start + time) received += count;
    }
  })();
  while (performance.now() < start + time) {
    for (let sent = 0; sent < bytes;) sent += await connection.write(message.subarray(sent));
  }
  await connection.closeWrite();
  await reading;
  return { rate: received / time * 1000, latencies: [], messages: [] };
}

async function udp({ port, share, bytes, time }: Task): Promise<Result> {
  const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
  const socket = Deno.listenDatagram({ ...to, port: 0 });
  const message = new Uint8Array(bytes), answer = new Uint8Array(65_536);
  const start = performance.now() + WARM_UP;
  let messages = 0;
  for (let number = 0; number < share; number++) await socket.send(message, to);
  for (let now = 0; now < start + time;) {
    await socket.receive(answer);
    await socket.send(message, to);
    now = performance.now();
    if (now >= start) messages++;
  }
  socket.close();
  return { rate: messages / time * 1000, latencies: [], messages: [] };
}

async function hold(connection: Deno.Conn, { bytes }: Task): Promise<Result> {
  const message = new Uint8Array(bytes);
  await connection.write(message);
  await fill(connection, message);
  return { rate: 0, latencies: [], messages: [] };
}

/** Held here, so that no idle connection is closed as garbage. */
const connections: Deno.TcpConn[] = [];

async function work(task: Task): Promise<Result> {
  if (task.kind === "udp") return task.share > 0 ? await udp(task) : empty();
  for (let number = 0; number < task.share; number++) {
    connections.push(await Deno.connect({ hostname: "127.0.0.1", port: task.port }));
  }
  connections.forEach((connection) => connection.setNoDelay(true));
  const way = { pingpong, stream, hold }[task.kind];
  const results = await Promise.all(connections.map((connection) => way(connection, task)));
  if (task.kind !== "hold") connections.forEach((connection) => connection.close());
  return results.reduce((all, one) => ({
    rate: all.rate + one.rate,
    latencies: all.latencies.concat(one.latencies),
    messages: all.messages.concat(one.messages),
  }), empty());
}

function empty(): Result {
  return { rate: 0, latencies: [], messages: [] };
}

self.onmessage = async ({ data }: MessageEvent<Task>) => self.postMessage(await work(data));
