#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10037
/**
 * A client of the time server
 *
 * Asks for the time and shows what the server says. By the time an answer is here it is old already: how old
 * nobody knows, only how long question and answer took together, the delay. Assuming that both took equally
 * long gives the offset, how far the server's clock is ahead; that is wrong by half of the delay at most. So of
 * several samples the one with the least delay is the best.
 *
 * Over TCP the end of the own side is the end of the question. Over UDP it carries a random id, which the answer
 * repeats, and is padded to the size of the answer; --bare sends the mere word, to servers that know no
 * other. Of an answer that is any other text, such as Python's time.ctime(), only the text and the delay
 * are shown.
 *
 * --set-clock prints the command that sets the clock, and runs it only when Deno was given --allow-run=date; the
 * system wants root for it. Nobody vouches for the time: do so only where you trust server and network.
 *
 *     deno run --allow-net=127.0.0.1:10037 --allow-run=date scripts/time/time_client.ts --set-clock
 *
 * @lecture 003 Exercises 9-1, 9-2, ex91C, ex92C
 * @python  socket.sendall → connection.write, socket.shutdown → connection.closeWrite,
 *          socket.sendto → socket.send, time.time → performance.timeOrigin + performance.now,
 *          os.system → Deno.Command.output
 * @partner scripts/time/time_server.ts
 * @run     deno run --allow-net=127.0.0.1:10037 scripts/time/time_client.ts
 * @expect  sample 1: 20*-*-*T*:*:*.*Z, offset *.* ms, delay *.* ms
 * @expect  sample 4: 20*-*-*T*:*:*.*Z, offset *.* ms, delay *.* ms
 * @expect  best: offset *.* ms, right to within *.* ms
 * @run     deno run --allow-net=127.0.0.1:0,127.0.0.1:10037 scripts/time/time_client.ts --udp --samples 2
 * @expect  sample 2: 20*-*-*T*:*:*.*Z, offset *.* ms, delay *.* ms
 * @expect  best: offset *.* ms, right to within *.* ms
 * @run     deno run --allow-net=127.0.0.1:0,127.0.0.1:10037 scripts/time/time_client.ts --udp --bare --samples 1
 * @expect  sample 1: "20*T*Z", delay *.* ms
 * @log     no offset: the answer does not tell when the question came
 * @option  --host HOST  where the server is, for UDP as an IP address (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 10037)
 * @option  --udp  ask in datagrams
 * @option  --bare  send no id and no padding in a datagram
 * @option  --samples COUNT  how often to ask, 1 to 100 (default: 4)
 * @option  --set-clock  print the command that sets the clock, and run it if permitted
 * @see     https://www.rfc-editor.org/rfc/rfc5905#section-8
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { bestOf, ImpossibleTimesError, type Sample, sampleOf } from "../../lib/clock_offset.ts";
import { dateCommand } from "../../lib/date_command.ts";
import { quoted, visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { nextMessage } from "../../lib/messages.ts";
import { SocketReader } from "../../lib/reader.ts";
import { paddedQuestion, parseAnswer, QUESTION } from "../../lib/reqtime.ts";
import { connect } from "../../lib/tcp.ts";
import { timedRequest } from "../../lib/timed_request.ts";
import { TimedSource } from "../../lib/timed_source.ts";
import { UsageError } from "../../lib/usage.ts";
import { wallClock } from "../../lib/wall_clock.ts";

const now = wallClock();

/** An answer, when its question was sent, and when it came. */
interface Heard {
  answer: string;
  sent: number;
  arrived: number;
}

async function askOverTcp(server: NetEndpoint): Promise<Heard> {
  using connection = await connect(server);
  const source = new TimedSource(connection, now);
  const reader = new SocketReader(source, { limit: 1024 });
  // the way there and back is measured, not the connection's beginning
  const sent = now();
  await connection.write(new TextEncoder().encode(QUESTION));
  await connection.closeWrite();
  const answer = await attempt(`hear from ${formatEndpoint(server)}`, nextMessage(reader), {
    timeout: 5_000,
  });
  if (answer === null) throw new Error("the server closed the connection without an answer");
  return { answer, sent, arrived: source.arrived };
}

function askOverUdp(server: NetEndpoint, bare: boolean): Promise<Heard> {
  let id = "";
  return timedRequest(server, {
    now,
    question() {
      id = crypto.getRandomValues(new Uint8Array(8)).toHex();
      return new TextEncoder().encode(bare ? QUESTION : paddedQuestion(id));
    },
    answer(datagram) {
      const text = new TextDecoder().decode(datagram.subarray(0, 1024)).replace(/\n$/, "");
      // to whoever forged it the id is unknown; an answer to an earlier try has another
      const its = parseAnswer(text);
      return its && !bare && its.id !== id ? undefined : text;
    },
    onNote: (note) => console.error(note),
  });
}

/**
 * Prints what was heard; gives offset and delay where they can be told.
 *
 * @throws {ImpossibleTimesError} when the server's times cannot be
 */
function show(number: number, { answer, sent, arrived }: Heard): Sample | undefined {
  const times = parseAnswer(answer);
  const delay = `delay ${(arrived - sent).toFixed(3)} ms`;
  if (!times) {
    console.log(`sample ${number}: ${quoted(answer, { limit: 200 })}, ${delay}`);
    console.error("no offset: the answer does not tell when the question came");
    return undefined;
  }
  const sample = sampleOf({ sent, arrived, ...times });
  const time = new Date(times.answered).toISOString();
  console.log(
    `sample ${number}: ${time}, offset ${sample.offset.toFixed(3)} ms, ` +
      `delay ${sample.delay.toFixed(3)} ms`,
  );
  return sample;
}

/** Sets the clock by `date`, if Deno and the system permit it. */
async function setClock(offset: number): Promise<void> {
  const [program, ...args] = dateCommand(now() + offset);
  console.log(`to set the clock: ${program} ${args.join(" ")}`);
  // without this Deno would ask at a terminal; here the flag is the consent
  const { state } = await Deno.permissions.query({ name: "run", command: program! });
  const permitted = () => {
    if (state !== "granted") {
      throw new Deno.errors.NotCapable(`Requires run access to "${program}"`);
    }
  };
  const action = `run ${program}`;
  await attempt(action, permitted);
  // some milliseconds have passed, and more do until the program runs: that much the clock will be late
  const { code, stderr } = await attempt(action, new Deno.Command(program!, { args }).output());
  if (code !== 0) {
    const why = visible(new TextDecoder().decode(stderr.subarray(0, 300)).trim());
    throw new Error(`${program} ended with exit code ${code}: ${why}`);
  }
  console.log("the clock is set");
}

interface Options {
  host: string;
  port: number;
  udp: boolean;
  bare: boolean;
  samples: number;
  setClock: boolean;
}

export async function main(options: Options): Promise<void> {
  const { host, port, udp, bare, samples } = options;
  if (samples < 1 || samples > 100) throw new UsageError(`--samples is 1 to 100, not ${samples}`);
  if (bare && !udp) throw new UsageError("--bare goes with --udp: over TCP nothing is added");
  if (udp && !/^[\d.]+$|:/.test(host)) {
    throw new UsageError(`--host must be an IP address for UDP, not "${host}"`);
  }
  const server = { hostname: host, port };
  const good: Sample[] = [];
  let useless = 0;
  for (let number = 1; number <= samples; number++) {
    const heard = udp ? await askOverUdp(server, bare) : await askOverTcp(server);
    try {
      const sample = show(number, heard);
      if (sample) good.push(sample);
    } catch (error) {
      if (!(error instanceof ImpossibleTimesError)) throw error;
      console.error(`sample ${number} is of no use: ${error.message}`);
      useless++;
    }
  }
  if (useless === samples) throw new Error("no answer is of use: do not trust this server");
  if (good.length > 0) {
    const { offset, delay } = bestOf(good);
    console.log(
      `best: offset ${offset.toFixed(3)} ms, right to within ${(delay / 2).toFixed(3)} ms`,
    );
    if (options.setClock) await setClock(offset);
  } else if (options.setClock) {
    throw new Error("the clock cannot be set by these answers: they give no offset");
  }
}

if (import.meta.main) await run(main);
