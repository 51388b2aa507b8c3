#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5015
/**
 * A chat room: what one says, all others hear
 *
 * Many clients are served at once, and each may speak at any time. The lecture watches all sockets with
 * select; here every client has a loop of its own that awaits its next line, and Deno's event loop goes on
 * with whichever line comes first.
 *
 * To send is the harder half: a client that does not read would hold up whoever waits for it. So nobody
 * waits. Each client has a queue, and one whose queue is full is dropped.
 *
 * Any line-based client will do: nc 127.0.0.1 5015
 *
 * @lecture 002 Homework 2 · 003 TCP, multiple connection · 001 Python Socket module
 * @python  select.select → Promise, socket.accept → listener.accept, socket.recv → reader.readLine,
 *          socket.sendall → connection.write
 * @run     deno run --allow-net=127.0.0.1:5015 scripts/tcp/chat_server.ts
 * @expect  listening on 127.0.0.1:5015
 * @log     Ada has joined from 127.0.0.1:*
 * @log     Ada has left
 * @option  --host HOST     the address to listen on (default: 127.0.0.1)
 * @option  --port PORT     the port to listen on, 0 for a free one (default: 5015)
 * @option  --idle SECONDS  how long a client may say nothing (default: 3600)
 * @see     https://docs.deno.com/api/deno/~/Deno.listen
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { Member, Room } from "../../lib/chat_room.ts";
import { run } from "../../lib/cli.ts";
import { DeadlineError } from "../../lib/deadline.ts";
import { visible } from "../../lib/display.ts";
import { LimitError, SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type Connection, serve } from "../../lib/tcp.ts";

const LONGEST_LINE = 1_000; // bytes
const LONGEST_QUEUE = 256 * 1024; // bytes
const TRIES = 5;

/** Asks until the name will do; false when the client leaves, or has tried too often. */
async function introduce(member: Member, reader: SocketReader, room: Room): Promise<boolean> {
  let question = "What is your name?";
  for (let tries = 0; tries < TRIES; tries++) {
    member.hear(question);
    const name = await reader.readLine({ timeout: 60_000 });
    if (name === null || name === "/quit") return false;
    const problem = room.join(member, name);
    if (problem === undefined) {
      member.hear(`Welcome, ${member.name}. ${here(room)}. /who tells it again, /quit leaves.`);
      return true;
    }
    question = `${problem} What is your name?`;
  }
  member.hear("That is enough.");
  return false;
}

/** Passes on what a member says, until it leaves. */
async function passOn(member: Member, reader: SocketReader, room: Room): Promise<void> {
  for await (const line of reader) {
    if (line === "/quit") break;
    if (line === "/who") await member.answer(here(room));
    else if (line.startsWith("/")) await member.answer("There is only /who and /quit.");
    // what one sends must not steer the terminals of the others
    else if (line !== "") await room.say(`${member.name}: ${visible(line)}`, member);
  }
  member.hear(`Goodbye, ${member.name}.`);
}

function here({ names }: Room): string {
  const more = names.length > 100 ? ` and ${names.length - 100} more` : "";
  return `Here now: ${names.slice(0, 100).join(", ")}${more}`;
}

/** Holds one conversation, from the first question to the last answer. */
async function converse(connection: Connection, room: Room, idle: number): Promise<void> {
  const member = new Member(connection, { limit: LONGEST_QUEUE });
  const reader = new SocketReader(connection, { limit: LONGEST_LINE, timeout: idle * 1_000 });
  try {
    if (!await introduce(member, reader, room)) return;
    console.error(`${member.name} has joined from ${connection.remote}`);
    await passOn(member, reader, room);
  } catch (error) {
    // a client that was dropped, or has vanished, hears nothing any more
    if (!(error instanceof LimitError || error instanceof DeadlineError)) throw error;
    member.hear(`Goodbye: ${error.message}.`);
    console.error(`${connection.remote}: ${error.message}`);
  } finally {
    if (room.leave(member)) console.error(`${member.name} has left`);
    await member.caughtUp(1_000);
  }
}

export async function main(
  { host, port, idle }: { host: string; port: number; idle: number },
): Promise<void> {
  const room = new Room();
  // it is for the reader here to say how long a silence may be
  const server = await serve(
    { hostname: host, port, idleTimeout: Infinity, grace: 500 },
    (connection) => converse(connection, room, idle),
  );
  using _stopping = onInterrupt(() => {
    room.tell("* the room is closed");
    return server.shutdown();
  });
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
