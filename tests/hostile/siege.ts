/**
 * A siege of a server script: attack after attack, and after each a good client must be answered, with no
 * file left open and no memory kept.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Target } from "./attacks.ts";
import { memory, openFiles, type Script, startScript } from "./script.ts";
import { until, within } from "./waits.ts";

/** A server script and what it takes to talk to it. */
export interface Subject<T> {
  path: string;
  /** Serves one client after another by design: idle clients have to go before a good one gets its turn. */
  oneAtATime?: boolean;
  attacks: Record<string, (target: T, meanwhile: () => Promise<void>) => Promise<void>>;
  target(address: string): T;
  /** A client that behaves; throws when it is not answered as it should be. */
  goodClient(target: T): Promise<void>;
  /** Connects and says nothing, where the protocol has connections. */
  idleClient?(target: T): Promise<Disposable>;
  /** What the server says when its address is taken. */
  taken: RegExp;
}

/** Where a server is told to listen: the option, and what it makes of the header's own address. */
export interface Place extends Disposable {
  words: string[];
  flags(flag: string): string;
  /** The same on another port, where more than the port is said. */
  at?(port: string): Place;
}

const SIGNALS: Deno.Signal[] = ["SIGINT", "SIGTERM"];

/** How often all attacks are repeated after the first round, which warms the server up. */
const MORE_ROUNDS = 2;

/**
 * What a server may grow by in the further rounds. Even a small heap breathes: measured over eight rounds,
 * by up to 22 MiB. More than 6,000 clients come in two rounds, so 7 KB kept of each would show.
 */
const GROWTH = 40 * 1024 * 1024;

/** A port of the system's choice. */
export function anyPort(): Place {
  return port("0");
}

function port(number: string): Place {
  return {
    words: ["--port", number],
    flags: (flag) => flag.replace(/(?<=127\.0\.0\.1:)\d+/g, number),
    [Symbol.dispose]() {},
  };
}

/** A path in a folder of its own. */
export function anyPath(): Place {
  const folder = Deno.makeTempDirSync({ prefix: "hostile-" });
  const path = `${folder}/socket`;
  return {
    words: ["--path", path],
    flags: (flag) => flag.replaceAll("/tmp/echo.sock", path),
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

async function started<T>(subject: Subject<T>, place: Place, files?: number) {
  const server = startScript(subject.path, { ...place, files, smallHeap: true });
  const address = await server.printed(/^listening on (?:unix:|127\.0\.0\.1:)(.+)$/m);
  return { server, address, target: subject.target(address) };
}

/** Declares the tests of a server script. */
export function besiege<T>(subject: Subject<T>, somewhere: () => Place): void {
  const { path, oneAtATime, idleClient } = subject;

  Deno.test(`${path} serves on when`, async (test) => {
    using place = somewhere();
    const { server, target } = await started(subject, place);
    await using _ended = server;
    const files = openFiles(server.pid);
    const askWell = () => within("a good client's answer", subject.goodClient(target));

    const attackBy = async (name: string) => {
      await subject.attacks[name]!(target, oneAtATime ? async () => {} : askWell);
      await askWell();
      await until(
        () => `${openFiles(server.pid)} files are open, ${files} were open before`,
        () => openFiles(server.pid) === files,
      );
    };
    for (const name of Object.keys(subject.attacks)) await test.step(name, () => attackBy(name));

    await test.step(`all that comes ${MORE_ROUNDS} times more, with the same memory`, async () => {
      const before = memory(server.pid);
      for (let round = 0; round < MORE_ROUNDS; round++) {
        for (const name of Object.keys(subject.attacks)) await attackBy(name);
      }
      const growth = memory(server.pid) - before;
      console.log(`${path}: memory ${mebibytes(before)}, then ${mebibytes(growth)} more`);
      assert(growth < GROWTH, `grew by ${mebibytes(growth)}`);
    });
    assertNoTrace(server);
    assertEquals(await server.stop("SIGINT"), 0);
  });

  for (const signal of SIGNALS) {
    for (const idle of idleClient ? [false, true] : [false]) {
      const when = idle ? `${signal} comes while a client is idle` : `${signal} comes`;
      Deno.test(`${path} exits with 0 when ${when}`, async () => {
        using place = somewhere();
        const { server, target } = await started(subject, place);
        await using _ended = server;
        await subject.goodClient(target);
        using _idle = idle ? await idleClient!(target) : undefined;
        assertEquals(await server.stop(signal), 0);
        assertNoTrace(server);
      });
    }
  }

  Deno.test(`${path} says why and exits with 1 when its address is taken`, async () => {
    using place = somewhere();
    const { server, address, target } = await started(subject, place);
    await using _ended = server;
    const elsewhere = address.startsWith("/") ? place : place.at?.(address) ?? port(address);
    await using second = startScript(subject.path, elsewhere);
    assertEquals(await within("the second server's end", second.ended), 1);
    assertMatch(second.stderr, subject.taken);
    assertNoTrace(second);
    await subject.goodClient(target);
    assertEquals(await server.stop("SIGTERM"), 0);
  });
}

/** Declares a test of a server script that may open few files, and of clients that want more. */
export function starve<T extends Target>(subject: Subject<T>, somewhere: () => Place): void {
  Deno.test(`${subject.path} serves on when 200 clients want more files than it may open`, async () => {
    using place = somewhere();
    const { server, target } = await started(subject, place, 64);
    await using _ended = server;
    const files = openFiles(server.pid);
    const crowd: Deno.Conn[] = [];
    while (crowd.length < 200) crowd.push(await target.dial());
    await until(() => `${openFiles(server.pid)} files are open`, () => openFiles(server.pid) >= 60);
    for (const connection of crowd) connection.close();
    await within("a good client's answer", subject.goodClient(target));
    await until(() => "files stay open", () => openFiles(server.pid) === files);
    assertMatch(server.stderr, /too many files and sockets are open/);
    assertEquals(await server.stop("SIGINT"), 0);
  });
}

/** A peer's fault is told in a line; a stack trace would be a mistake of the script. */
function assertNoTrace(script: Script): void {
  const trace = /^ +at .*|^.*(?:[Uu]ncaught|Error:).*/m.exec(script.stderr);
  assertEquals(trace?.[0], undefined);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
