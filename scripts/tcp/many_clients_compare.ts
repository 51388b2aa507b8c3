#!/usr/bin/env -S deno run --allow-run=deno --allow-net=127.0.0.1:10000 --allow-write=/tmp/many_clients.svg
/**
 * Four ways to serve many clients, compared
 *
 * Starts the four many_clients servers one after another, each as a process of its own, and lets 1, 32 and 256
 * clients at a time converse with it: connect, send 20 messages and wait for each to come back, close, and
 * begin again. It prints how many messages a second came back, how long a conversation took (half of them, and
 * 99 of 100, took less), and how many of the clients were served to the end.
 *
 * See how the sequential server is not slower in messages, and how long its clients wait; that threads and
 * processes cost something with one client and pay only with many, and only where the machine has cores left
 * for them: the clients need some, too. Figures of one run on a busy machine mean little: repeat it.
 *
 * @lecture 001 How do we handle multiple connections concurrently? · 002 Homework 2
 * @python  socketserver.TCPServer, selectors.DefaultSelector, socketserver.ThreadingMixIn,
 *          socketserver.ForkingMixIn
 * @run     deno run --allow-run=deno --allow-net=127.0.0.1:10000 --allow-write=/tmp/many_clients.svg scripts/tcp/many_clients_compare.ts --time 50 --svg /tmp/many_clients.svg
 * @expect  server * clients * messages/s * half below * 99% below * served
 * @expect  sequential * 1 * ms * ms * 1 of 1
 * @expect  sequential * 32 * ms * ms * 32 of 32
 * @expect  sequential * 256 * ms * ms * 256 of 256
 * @expect  async * 256 * ms * ms * 256 of 256
 * @expect  workers * 256 * ms * ms * 256 of 256
 * @expect  processes * 256 * ms * ms * 256 of 256
 * @log     /tmp/many_clients.svg shows it as a picture
 * @option  --host HOST  where the servers listen (default: 127.0.0.1)
 * @option  --port PORT  the port that they use, one after another (default: 10000)
 * @option  --time MILLISECONDS  how long each of the twelve measurements takes (default: 1000)
 * @option  --svg FILE   draw it as bars, too
 * @option  --json       print the figures for programs
 * @see     https://docs.deno.com/api/deno/~/Deno.Command
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { barChart } from "../../lib/bar_chart.ts";
import { run } from "../../lib/cli.ts";
import { converseWith, type Served } from "../../lib/conversations.ts";
import { attempt } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { startServer } from "../../lib/started_server.ts";
import { UsageError } from "../../lib/usage.ts";

const SERVERS = ["sequential", "async", "workers", "processes"];
const CLIENTS = [1, 32, 256];

interface Options {
  host: string;
  port: number;
  time: number;
  svg?: string;
  json: boolean;
}

interface Figures extends Served {
  server: string;
  clients: number;
}

/** Starts one of the servers, and loads it. */
async function* measure(
  server: string,
  { host, port, time }: Options,
  interrupted: AbortSignal,
): AsyncGenerator<Figures> {
  const script = new URL(`./many_clients_${server}.ts`, import.meta.url).href;
  const flags = [`--allow-net=${formatEndpoint({ hostname: host, port })}`];
  if (server === "processes") flags.push("--allow-run=deno");
  const words = ["--host", host, "--port", String(port)];
  await using _ended = await startServer("deno", [
    ...["run", "--no-prompt", "--quiet", ...flags, script, ...words],
  ]);
  const load = { hostname: host, port };
  // a server's code is compiled while it first runs
  await converseWith({ ...load, clients: 4, time: Math.min(time, 200) });
  for (const clients of CLIENTS) {
    const served = await converseWith({ ...load, clients, time });
    // Ctrl-C reached the server as well, in the middle of its work
    if (interrupted.aborted) return;
    yield { server, clients, ...served };
  }
}

const short = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 3 });

function row({ server, clients, rate, median, p99, served, fault }: Figures): string {
  const cells = [
    server.padEnd(10),
    String(clients).padStart(7),
    Math.round(rate).toLocaleString("en").padStart(10),
    `${short(median)} ms`.padStart(10),
    `${short(p99)} ms`.padStart(9),
    `${served} of ${clients}`.padStart(10),
  ];
  return cells.join("  ") + (fault ? `  first fault: ${fault}` : "");
}

function draw(all: Figures[]): string {
  const values = (of: (figures: Figures) => number) =>
    CLIENTS.map((clients) =>
      SERVERS.map((server) => {
        const found = all.find((one) => one.server === server && one.clients === clients);
        return found && of(found);
      })
    );
  return barChart({
    title: "The same echo, four ways",
    description: all.map(({ server, clients, rate, p99 }) =>
      `${server}, ${clients} clients: ${short(rate)} messages/s, 99% of conversations within ${
        short(p99)
      } ms`
    ).join("; "),
    groups: CLIENTS.map((clients) => clients === 1 ? "1 client" : `${clients} clients`),
    series: SERVERS,
    charts: [
      { heading: "messages per second: more is better", values: values(({ rate }) => rate) },
      {
        heading: "milliseconds until 99% of conversations are over: less is better",
        values: values(({ p99 }) => p99),
      },
    ],
  });
}

export async function main(options: Options): Promise<void> {
  const { port, time, svg, json } = options;
  if (port === 0) throw new UsageError("--port needs a number that the servers can be told");
  if (time < 10 || time > 60_000) throw new UsageError(`--time is 10 to 60000, not ${time}`);
  // whether it can be written shows better now than after the last measurement
  if (svg !== undefined) {
    await attempt(`write ${svg}`, Deno.writeTextFile(svg, "", { append: true }));
  }
  const interrupt = new AbortController();
  // time for the measurement at hand, and to end its server
  using _stopping = onInterrupt(() => interrupt.abort(), { grace: time + 30_000 });

  if (!json) {
    console.log("server      clients  messages/s  half below  99% below      served");
  }
  const all: Figures[] = [];
  for (const server of SERVERS) {
    if (interrupt.signal.aborted) break;
    for await (const figures of measure(server, options, interrupt.signal)) {
      if (!json) console.log(row(figures));
      all.push(figures);
    }
  }
  if (interrupt.signal.aborted) throw new Error("interrupted before all was measured");
  if (json) console.log(JSON.stringify(all, null, 2));
  if (svg !== undefined) {
    await attempt(`write ${svg}`, () => Deno.writeTextFile(svg, draw(all)));
    console.error(`${svg} shows it as a picture`);
  }
  const faulty = all.find(({ fault }) => fault);
  if (faulty) throw new Error(`the ${faulty.server} server left clients unserved: ${faulty.fault}`);
}

if (import.meta.main) await run(main);
