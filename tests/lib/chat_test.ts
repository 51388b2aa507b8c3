import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { chatName, nameKey } from "../../lib/chat_name.ts";
import { ChatQueue, emptied } from "../../lib/chat_queue.ts";
import { Member, Room } from "../../lib/chat_room.ts";
import { visible } from "../../lib/display.ts";
import { decode, encode } from "./helpers.ts";

/** A connection that writes when the test lets it. */
class Valve {
  heard = "";
  writes = 0;
  closedFor: Error | undefined;
  #open: boolean;
  #waiting: (() => void)[] = [];
  #failure: Error | undefined;

  constructor(open = true) {
    this.#open = open;
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    if (!this.#open) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#failure) throw this.#failure;
    this.heard += decode(bytes);
    return bytes.length;
  }

  close(reason: Error): void {
    this.closedFor ??= reason;
  }

  turn(open: boolean, failure?: Error): void {
    this.#open = open;
    this.#failure = failure;
    if (open) this.#waiting.splice(0).forEach((resolve) => resolve());
  }
}

Deno.test("chatName takes letters, digits and a few marks of every script", () => {
  for (const name of ["Ada", "ada_2", "Zoë", "J.-P.", "Олег", "さくら", "नमिता", "7"]) {
    assertEquals(chatName(name), name);
  }
  assertEquals(chatName("  Ada\t"), "Ada");
  assertEquals(chatName("Zoe\u0308"), "Zoë");
  assertEquals(chatName("Ａｄａ"), "Ada");
});

Deno.test("chatName refuses what others could not see, or could take for something else", () => {
  const cases: [name: string, words: string][] = [
    ["", "at least one"],
    [" \t", "at least one"],
    ["a".repeat(21), "at most 20"],
    ["a".repeat(100_000), "at most 20"],
    ["\ufdfa".repeat(900), "at most 20"],
    ["Ada Lovelace", "letters, digits"],
    ["*", "letters, digits"],
    ["/who", "letters, digits"],
    ["a:", "letters, digits"],
    ["\x1b[2J", "letters, digits"],
    ["a\u202eb", "letters, digits"],
    ["\u200b", "letters, digits"],
    ["\u3164", "letters, digits"],
    ["a\u0000", "letters, digits"],
    ["\u0301", "letters, digits"],
    ["\ud800", "letters, digits"],
  ];
  for (const [name, words] of cases) assertThrows(() => chatName(name), RangeError, words);
});

Deno.test("chatName gives a name that is shown as it is, or refuses, whatever comes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 30 }), (text) => {
      let name;
      try {
        name = chatName(text);
      } catch (error) {
        assert(error instanceof RangeError);
        return;
      }
      assertEquals(visible(name), name);
      assertEquals(chatName(name), name);
      assertMatch(name, /^[^\s:*/]{1,40}$/u);
      assertEquals(nameKey(name), nameKey(nameKey(name)));
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("nameKey is the same when names differ in case only", () => {
  for (const [one, other] of [["Ada", "ADA"], ["straße", "STRASSE"], ["ΣΑΣ", "σας"]]) {
    assertEquals(nameKey(one!), nameKey(other!));
  }
  assert(nameKey("Ada") !== nameKey("Adá"));
});

Deno.test("ChatQueue writes in order, and together what piles up during a write", async () => {
  const valve = new Valve(false);
  const queue = new ChatQueue(valve);
  for (const word of ["one ", "two ", "three "]) assertEquals(queue.add(encode(word)), true);
  assertEquals(queue.size, 14);
  valve.turn(true);
  await queue.emptied;
  assertEquals([valve.heard, valve.writes, queue.size], ["one two three ", 2, 0]);
  queue.add(encode("four"));
  await queue.emptied;
  assertEquals(valve.heard, "one two three four");
});

Deno.test("ChatQueue refuses what does not fit, and counts what is being written", async () => {
  const valve = new Valve(false);
  const queue = new ChatQueue(valve, { limit: 10 });
  assertEquals(queue.add(encode("123456")), true);
  assertEquals(queue.add(encode("12345")), false);
  assertEquals(queue.add(encode("7890")), true);
  assertEquals(queue.add(encode("1")), false);
  valve.turn(true);
  await queue.emptied;
  assertEquals(valve.heard, "1234567890");
  assertEquals(queue.add(encode("1234567890")), true);
  await queue.emptied;
});

Deno.test("ChatQueue throws away what it holds when a write fails", async () => {
  const valve = new Valve(false);
  const queue = new ChatQueue(valve, { limit: 10 });
  queue.add(encode("12345"));
  queue.add(encode("67890"));
  valve.turn(true, new Error("gone"));
  await queue.emptied;
  assertEquals([valve.heard, queue.size], ["", 0]);
  assertEquals(queue.add(new Uint8Array(100)), true);
  assertEquals(queue.size, 0);
});

Deno.test("emptied goes on when the patience is over, and at once when nothing waits", async () => {
  const stuck = new ChatQueue(new Valve(false));
  await emptied([stuck], Infinity);
  stuck.add(encode("x"));
  const open = new ChatQueue(new Valve());
  open.add(encode("x"));
  await emptied([stuck, open], 5);
  assertEquals([stuck.size, open.size], [1, 0]);
});

Deno.test("Room tells all but the speaker, who comes and who goes too", async () => {
  const lines = [new Valve(), new Valve(), new Valve()];
  const [ada, bob, eve] = lines.map((line) => new Member(line));
  const room = new Room();
  assertEquals(room.join(ada!, "ada"), undefined);
  assertEquals(room.join(bob!, "bob"), undefined);
  assertEquals(room.join(eve!, "BOB"), "The name bob is taken.");
  assertMatch(room.join(eve!, "e v e")!, /^A name is made of/);
  assertEquals(room.leave(eve!), false);
  assertEquals(room.join(eve!, "eve"), undefined);
  await room.say("ada: hello", ada!);
  assertEquals(room.names, ["ada", "bob", "eve"]);
  assertEquals(room.leave(bob!), true);
  assertEquals(room.leave(bob!), false);
  await Promise.all([ada, bob, eve].map((member) => member!.queue.emptied));
  assertEquals(lines.map(({ heard }) => heard.split("\n").slice(0, -1)), [
    ["* bob has joined", "* eve has joined", "* bob has left"],
    ["* eve has joined", "ada: hello"],
    ["ada: hello", "* bob has left"],
  ]);
  assertEquals(room.join(new Member(new Valve()), "Bob"), undefined);
});

Deno.test("Room drops the member that never reads, and the others hear every line in order", async () => {
  const lines = [new Valve(), new Valve(), new Valve(false), new Valve()];
  const members = lines.map((line) => new Member(line, { limit: 64 * 1024 }));
  const room = new Room();
  members.forEach((member, index) => room.join(member, `member-${index}`));
  const said = Array.from({ length: 400 }, (_, number) => `${number}`.padEnd(500, "."));
  for (const line of said) await room.say(line, members[0]!);
  await Promise.all([members[1], members[3]].map((member) => member!.queue.emptied));
  for (const index of [1, 3]) {
    const heard = lines[index]!.heard.split("\n").filter((line) => !line.startsWith("*"));
    assertEquals(heard, [...said, ""]);
  }
  assertEquals(
    lines.map(({ closedFor }) => closedFor?.message),
    [undefined, undefined, "dropped: more than 65536 bytes wait to be read", undefined],
  );
  assert(members[2]!.queue.size <= 64 * 1024);
});

Deno.test("Room keeps members that read when many flood it at once", async () => {
  const lines = Array.from({ length: 50 }, () => new Valve());
  // a write takes a turn of the event loop, as a real one does
  for (const line of lines) {
    const write = line.write.bind(line);
    line.write = (bytes) => new Promise((resolve) => setTimeout(() => resolve(write(bytes)), 0));
  }
  const members = lines.map((line) => new Member(line, { limit: 128 * 1024 }));
  const room = new Room();
  members.forEach((member, index) => room.join(member, `member-${index}`));
  await Promise.all(members.map(async (member) => {
    for (let line = 0; line < 20; line++) await room.say("x".repeat(1_000), member);
  }));
  await Promise.all(members.map((member) => member.queue.emptied));
  assertEquals(lines.filter(({ closedFor }) => closedFor).length, 0);
  for (const { heard } of lines) assertEquals(heard.match(/^x{1000}$/gm)?.length, 49 * 20);
});
