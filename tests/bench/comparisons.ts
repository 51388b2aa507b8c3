/**
 * What is compared with what, and how good it should be.
 *
 * @module
 */

import { type Comparison, ratio, type Round, type Sample } from "./compare.ts";
import { downloadComparison } from "./download.ts";
import type { Place } from "./place.ts";
import { output, Process, startServer } from "./processes.ts";

const HERE = import.meta.dirname!;
const ROOT = `${HERE}/../..`;
const DENO = ["deno", "run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1"];

/** How many connections are held to weigh an idle one. */
const HELD = 900;

/** All comparisons, for the machine at hand. */
export function comparisons(place: Place): Comparison[] {
  const { network, serving, loading, load, python } = place;

  /** Loads a fresh server for half a second. */
  const loaded = (server: string[], words: (string | number)[], milliseconds = 500) => async () => {
    const { server: process, port } = await startServer([...serving, ...server]);
    await using _ended = process;
    const [kind, ...rest] = words.map(String);
    const command = [...loading, ...load, kind!, String(port), ...rest, String(milliseconds)];
    return JSON.parse(await output(command)) as Sample;
  };
  /** Runs a program that measures itself. */
  const printed = (command: string[]) => async () =>
    JSON.parse(await output([...loading, ...command])) as Sample;

  const deno = (script: string, ...words: string[]) => [...DENO, `${HERE}/${script}`, ...words];
  /** A contender in Python, where there is Python. */
  const inPython = (
    measured: (command: string[]) => () => Promise<Sample>,
    script: string,
    ...words: string[]
  ): Comparison["contenders"] =>
    python ? { asyncio: measured([...python, `${HERE}/${script}`, ...words]) } : {};

  /** Server and load on all cores: threads on one core would only take turns. */
  const shared = (lesson?: string) => async () => {
    const script = lesson ? `${ROOT}/scripts/tcp/${lesson}.ts` : `${HERE}/echo_bare.ts`;
    const words = lesson ? ["--port", "0"] : ["4096"];
    const { server, port } = await startServer([...network, ...DENO, script, ...words], "null");
    await using _ended = server;
    const command = [...network, ...load, "pingpong", String(port), "256", "64", "1000"];
    return JSON.parse(await output(command)) as Sample;
  };

  const echo = (words: (string | number)[], milliseconds?: number) => ({
    lib: loaded(deno("echo_lib.ts"), words, milliseconds),
    bare: loaded(deno("echo_bare.ts"), words, milliseconds),
    pipeTo: loaded(deno("echo_pipe.ts"), words, milliseconds),
    ...inPython((command) => loaded(command, words, milliseconds), "echo_asyncio.py"),
  });

  return [
    {
      name: "echo-1",
      title: "echo of 64 bytes to and fro, 1 connection",
      shown: { rate: "messages/s" },
      contenders: echo(["pingpong", 1, 64]),
      goals: [{ text: "lib / bare", of: ratio("lib", "bare"), atLeast: 0.9 }],
    },
    {
      name: "echo-32",
      title: "echo of 64 bytes to and fro, 32 connections",
      shown: { rate: "messages/s" },
      contenders: echo(["pingpong", 32, 64]),
      goals: [
        { text: "lib / bare", of: ratio("lib", "bare"), atLeast: 0.9 },
        { text: "lib / asyncio", of: ratio("lib", "asyncio"), atLeast: 2.4 },
        { text: "lib / pipeTo", of: ratio("lib", "pipeTo"), atLeast: 4.2 },
      ],
    },
    {
      name: "busy",
      title: "echo of 64 bytes to and fro, 256 busy connections",
      shown: { rate: "messages/s", p99: "µs p99" },
      contenders: echo(["pingpong", 256, 64], 1000),
      goals: [
        { text: "least served / most served", of: fairness, atLeast: 0.7 },
        { text: "p99, lib / asyncio", of: ratio("lib", "asyncio", "p99"), atMost: 1 },
      ],
    },
    {
      name: "stream",
      title: "echo of a stream in writes of 64 KiB, 1 connection",
      shown: { rate: "bytes/s" },
      contenders: echo(["stream", 1, 65_536]),
      goals: [{ text: "lib / bare", of: ratio("lib", "bare"), atLeast: 0.9 }],
    },
    {
      name: "idle",
      title: `memory of an idle connection, ${HELD} held, with a buffer of 4 KiB for each`,
      shown: { bytes: "bytes" },
      contenders: {
        lib: () => weigh(place, deno("echo_lib.ts", "4096")),
        bare: () => weigh(place, deno("echo_bare.ts", "4096")),
      },
      goals: [
        { text: "bytes per connection of lib", of: ({ lib }) => lib?.bytes, atMost: 20 * 1024 },
      ],
    },
    {
      name: "workers",
      title:
        "many_clients_workers beside one thread, 64 bytes to and fro, 256 busy connections, all cores",
      shown: { rate: "messages/s", p99: "µs p99" },
      contenders: {
        workers: shared("many_clients_workers"),
        async: shared("many_clients_async"),
        bare: shared(),
      },
      goals: [
        { text: "workers / bare loop", of: ratio("workers", "bare"), atLeast: 1.2 },
        { text: "p99, workers / bare loop", of: ratio("workers", "bare", "p99"), atMost: 0.5 },
        { text: "workers / async", of: ratio("workers", "async"), atLeast: 1.2 },
        { text: "p99, workers / async", of: ratio("workers", "async", "p99"), atMost: 0.5 },
      ],
    },
    {
      name: "udp",
      title: "echo of 64-byte datagrams, 64 in flight",
      shown: { rate: "datagrams/s" },
      contenders: {
        lib: loaded(deno("udp_lib.ts"), ["udp", 64, 64]),
        iterator: loaded(deno("udp_iterator.ts"), ["udp", 64, 64]),
        ...inPython((command) => loaded(command, ["udp", 64, 64]), "udp_asyncio.py"),
      },
      goals: [
        { text: "lib / iterator", of: ratio("lib", "iterator"), atLeast: 3.5 },
        { text: "lib / asyncio", of: ratio("lib", "asyncio"), atLeast: 3.5 },
      ],
    },
    {
      name: "lines",
      title: "lines of 80 bytes as strings, in memory",
      shown: { rate: "lines/s" },
      contenders: {
        tryLine: printed(deno("lines.ts", "tryLine")),
        readLines: printed(deno("lines.ts", "readLines")),
        TextLineStream: printed(deno("lines.ts", "std")),
        ...inPython(printed, "lines_asyncio.py"),
      },
      goals: [
        {
          text: "tryLine / TextLineStream",
          of: ratio("tryLine", "TextLineStream"),
          atLeast: 1.9,
        },
        { text: "tryLine / asyncio", of: ratio("tryLine", "asyncio"), atLeast: 10 },
        {
          text: "readLines / TextLineStream",
          of: ratio("readLines", "TextLineStream"),
          atLeast: 3.5,
        },
      ],
    },
    ...[{ size: "100", copy: 3, asyncio: 5 }, { size: "1024", copy: 2.5, asyncio: 3.5 }].map(
      ({ size, copy, asyncio }): Comparison => ({
        name: `frames-${size}`,
        title: `length-prefixed frames of ${size} bytes that may be kept, in memory`,
        shown: { rate: "frames/s" },
        contenders: {
          lib: printed(deno("frames.ts", "lib", size)),
          copy: printed(deno("frames.ts", "copy", size)),
          ...inPython(printed, "frames_asyncio.py", size),
        },
        goals: [
          { text: "lib / copy", of: ratio("lib", "copy"), atLeast: copy },
          { text: "lib / asyncio", of: ratio("lib", "asyncio"), atLeast: asyncio },
        ],
      }),
    ),
    {
      name: "start",
      title: "from the start of a client to its first line",
      shown: { ms: "ms" },
      contenders: {
        lesson: () =>
          untilFirstLine((port) => [
            ...["deno", "run", "--no-prompt", `--allow-net=127.0.0.1:${port}`],
            ...[`${ROOT}/scripts/tcp/echo_client.ts`, "--port", String(port), "hello"],
          ]),
        empty: () => untilFirstLine(() => ["deno", "run", "--no-prompt", `${HERE}/empty.ts`]),
        ...python &&
          {
            python: () =>
              untilFirstLine((port) => [...python, `${HERE}/client_blocking.py`, String(port)]),
          },
      },
      goals: [
        { text: "lesson / python", of: ratio("lesson", "python", "ms"), atMost: 1 },
        { text: "lesson / empty", of: ratio("lesson", "empty", "ms"), atMost: 1.5 },
      ],
    },
    ...downloadComparison(place),
  ];
}

/** How often the connection that was served least got an answer, over the one that was served most. */
function fairness({ lib }: Round): number | undefined {
  return lib && lib.least! / lib.most!;
}

/** The memory of a server that holds connections, after a message on each, over that without them. */
async function weigh(
  { serving, loading, load }: Place,
  command: string[],
): Promise<Sample> {
  const { server, port } = await startServer([...serving, ...command]);
  await using _ended = server;
  const hold = (connections: number) =>
    new Process([...loading, ...load, "hold", String(port), String(connections), "64", "0"]);
  const resident = async () => Number(await output(["ps", "-o", "rss=", "-p", `${server.pid}`]));

  // what the first connections need once is not what one more costs
  await using warm = hold(50);
  await warm.line(/^\{/);
  const before = await resident();
  await using held = hold(HELD);
  await held.line(/^\{/);
  return { bytes: (await resident() - before) * 1024 / HELD };
}

/** The median of five starts: a single one is too much a matter of chance. */
async function untilFirstLine(command: (port: number) => string[]): Promise<Sample> {
  const { server, port } = await startServer([...DENO, `${HERE}/echo_bare.ts`]);
  await using _ended = server;
  const times: number[] = [];
  for (let number = 0; number < 5; number++) {
    const start = performance.now();
    await using client = new Process(command(port), { stream: "stderr" });
    await client.line(/^(connecting to|ready)/);
    times.push(performance.now() - start);
  }
  return { ms: times.toSorted((a, b) => a - b)[2]! };
}
