/**
 * The server scripts that talk over streams, and their good clients.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { concat, decode, encode } from "../lib/helpers.ts";
import { attacks, type Target, tcpTarget, unixTarget } from "./attacks.ts";
import type { Subject } from "./siege.ts";

/** Sends, ends the own side, and gives all that is answered. */
export async function ask(target: Target, question: string): Promise<string> {
  using connection = await target.dial();
  const bytes = encode(question);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  await connection.closeWrite();
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(1024);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    parts.push(buffer.slice(0, count));
  }
  return decode(concat(...parts));
}

const common = {
  attacks,
  target: (address: string) => tcpTarget(Number(address)),
  idleClient: (target: Target) => target.dial(),
  taken: /^\w+\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
};

async function echoes(target: Target): Promise<void> {
  const message = "a message of more than sixteen bytes: ä\n\0";
  assertEquals(await ask(target, message), message);
}

export const echoServer: Subject<Target> = {
  ...common,
  path: "scripts/tcp/echo_server.ts",
  oneAtATime: true,
  goodClient: echoes,
};

export const conversationServer: Subject<Target> = {
  ...common,
  path: "scripts/tcp/conversation_server.ts",
  oneAtATime: true,
  async goodClient(target) {
    assertEquals(await ask(target, "Hey, can you hear me?"), "Yes, I hear you.");
  },
};

export const helloServer: Subject<Target> = {
  ...common,
  path: "scripts/tcp/hello_server.ts",
  async goodClient(target) {
    assertEquals(/^Hello 127\.0\.0\.1:\d+\n$/.test(await ask(target, "")), true);
  },
};

export const messageServer: Subject<Target> = {
  ...common,
  path: "scripts/tcp/message_server.ts",
  async goodClient(target) {
    assertEquals(await ask(target, "Hello from day 4\n"), "Thank you for reaching us\n");
  },
};

export const unixEchoServer: Subject<Target> = {
  ...common,
  path: "scripts/ipc/unix_echo_server.ts",
  target: unixTarget,
  goodClient: echoes,
  taken: /^unix_echo_server\.ts: cannot listen on .*: another program has that address already$/m,
};
