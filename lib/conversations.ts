/**
 * Load for an echo server: clients that hold one short conversation after another, from a few threads.
 *
 * @module
 */

import { codeOf } from "./supervised_worker.ts";

/** How much load. */
export interface Load {
  hostname: string;
  port: number;
  /** How many hold a conversation at the same time. */
  clients: number;
  /** For how long new ones are begun, in milliseconds; each client then ends its own. */
  time: number;
  /** How many messages of 64 bytes make a conversation, each sent when the last came back; 20 unless told. */
  messages?: number;
  /** How many threads it comes from; as many as the machine has cores, and at most 4, unless told. */
  threads?: number;
}

/** How it went. */
export interface Served {
  /** Messages that came back, per second, until the last conversation was over. */
  rate: number;
  /** How long a conversation takes, from connecting to the last answer, in milliseconds: half take less. */
  median: number;
  /** 99 of 100 take less. */
  p99: number;
  /** How many of the clients held at least one conversation to its end. */
  served: number;
  /** What went wrong first, if something did. */
  fault?: string;
}

interface Task extends Required<Load> {
  share: number;
}

interface Result {
  messages: number;
  served: number;
  durations: number[];
  /** Until the last conversation was over, in milliseconds. */
  elapsed: number;
  fault?: string;
}

/** Runs in a Worker of its own, and can use nothing that is declared outside. */
function work(): void {
  /** For those who wait for their turn when the time is over, in milliseconds. */
  const PATIENCE = 20_000;
  const main = globalThis as unknown as Worker;

  main.onmessage = async (
    { data: { hostname, port, share, time, messages } }: MessageEvent<Task>,
  ) => {
    const result: Result = { messages: 0, served: 0, durations: [], elapsed: 0 };
    const open = new Set<Deno.Conn>();
    const due = performance.now() + time;

    async function converse(connection: Deno.TcpConn) {
      connection.setNoDelay();
      const message = new Uint8Array(64).fill(0x78), answer = new Uint8Array(64);
      for (let number = 0; number < messages; number++) {
        await connection.write(message);
        for (let received = 0; received < answer.length;) {
          const count = await connection.read(answer.subarray(received));
          if (count === null) throw new Error("the server ended the connection");
          received += count;
        }
        result.messages++;
      }
    }

    async function client() {
      try {
        do {
          const begun = performance.now();
          using connection = await Deno.connect({ hostname, port });
          open.add(connection);
          await converse(connection);
          open.delete(connection);
          result.durations.push(performance.now() - begun);
        } while (performance.now() < due);
        result.served++;
      } catch (error) {
        result.fault ??= String(error);
      }
    }

    const late = setTimeout(() => {
      result.fault ??= `no end within ${PATIENCE / 1000} s`;
      for (const connection of open) connection[Symbol.dispose]();
    }, time + PATIENCE);
    await Promise.all(Array.from({ length: share }, client));
    clearTimeout(late);
    result.elapsed = performance.now() - due + time;
    main.postMessage(result);
  };
}

/**
 * Loads a server, and measures.
 *
 * @throws {Error} when a thread fails, or may not connect; what goes wrong later is in the result's `fault`
 */
export async function converseWith(load: Load): Promise<Served> {
  const { clients, messages = 20, threads = Math.min(4, navigator.hardwareConcurrency) } = load;
  const shares = Array.from(
    { length: Math.min(threads, clients) },
    (_, number, count = Math.min(threads, clients)) => Math.floor((clients + number) / count),
  );
  const code = codeOf(work);
  const results = await Promise.all(shares.map((share) => {
    const worker = new Worker(code, { type: "module" });
    worker.postMessage({ ...load, messages, threads, share });
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    worker.onmessage = ({ data }: MessageEvent<Result>) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    return promise.finally(() => worker.terminate());
  }));
  URL.revokeObjectURL(code);
  const fault = results.find((result) => result.fault)?.fault;
  // only data goes from thread to thread: an error comes without its class
  if (fault?.startsWith("NotCapable: ")) throw new Deno.errors.NotCapable(fault);
  const durations = results.flatMap((result) => result.durations).sort((one, other) => one - other);
  const total = (key: "messages" | "served") => results.reduce((sum, one) => sum + one[key], 0);
  return {
    rate: total("messages") / Math.max(...results.map(({ elapsed }) => elapsed)) * 1000,
    median: durations[Math.floor(durations.length / 2)] ?? 0,
    p99: durations[Math.floor(durations.length * 0.99)] ?? 0,
    served: total("served"),
    fault,
  };
}
