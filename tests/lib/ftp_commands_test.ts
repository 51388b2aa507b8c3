import { assertEquals, assertRejects } from "@std/assert";
import { Commands } from "../../lib/ftp_commands.ts";
import { withoutTelnet, withoutUrgency } from "../../lib/ftp_telnet.ts";
import { LimitError, SocketReader } from "../../lib/reader.ts";
import { concat, decode, encode, everyCut, Feed, readAll } from "./helpers.ts";

/** Commands that a test sends while a transfer goes on. */
function conversation() {
  const feed = new Feed();
  const connection = {
    read: (into: Uint8Array) => feed.read(into),
    write: (bytes: Uint8Array) => Promise.resolve(bytes.length),
  };
  const commands = new Commands(connection, { limit: 100, timeout: 5_000 });
  const next = async () => {
    const line = await commands.next();
    return line && decode(line).trim();
  };
  return { feed, commands, next };
}

/** A transfer that goes on until it is stopped, or until the test ends it. */
function transfer() {
  const { promise, resolve } = Promise.withResolvers<string>();
  const asked: string[] = [];
  return {
    asked,
    end: () => resolve("all of it"),
    work(stop: AbortSignal) {
      stop.addEventListener("abort", () => resolve("stopped"));
      return promise;
    },
    status: () => Promise.resolve(void asked.push("STAT")),
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

Deno.test("Commands lets all but ABOR and STAT wait until a transfer is over, in their order", async () => {
  const { feed, commands, next } = conversation();
  const { asked, end, ...rest } = transfer();
  const working = commands.during(rest);
  feed.send("STAT\r\nNOOP\r\nSTAT\r\nABORT\r\nQU");
  await settled();
  assertEquals(asked, ["STAT"]);
  end();
  assertEquals(await working, "all of it");
  feed.send("IT\r\n");
  assertEquals(
    [await next(), await next(), await next(), await next()],
    ["NOOP", "STAT", "ABORT", "QUIT"],
  );
  // a transfer that begins later is none that this ABOR could mean
  feed.send("ABOR\r\nRETR x\r\n");
  assertEquals([await next(), await next()], ["ABOR", "RETR x"]);
  const again = transfer();
  const second = commands.during(again);
  await settled();
  again.end();
  assertEquals(await second, "all of it");
});

Deno.test("Commands stops a transfer at ABOR, which is then read in its turn", async () => {
  for (const said of ["ABOR\r\n", "abor \r\n", "NOOP\r\nABOR\r\n", "ABOR\n", "\xffABOR\r"]) {
    const { feed, commands, next } = conversation();
    const working = commands.during(transfer());
    feed.send(Uint8Array.from(said, (character) => character.charCodeAt(0)));
    await assertRejects(() => working, Error, "the client says ABOR");
    if (said.startsWith("NOOP")) assertEquals(await next(), "NOOP");
    assertEquals((await next())!.toUpperCase(), "ABOR");
    feed.send("QUIT\r\n");
    assertEquals(await next(), "QUIT");
  }
});

Deno.test("Commands stops what comes behind in one go with ABOR, and all that has come at its end", async () => {
  const { feed, commands, next } = conversation();
  const working = commands.during(transfer());
  feed.send("RETR second\r\nABOR\r\nABOR\r\n");
  await assertRejects(() => working, Error, "ABOR");
  assertEquals(await next(), "RETR second");
  await assertRejects(() => commands.during(transfer()), Error, "ABOR");
  assertEquals([await next(), await next()], ["ABOR", "ABOR"]);

  // ABOR that comes while the last bytes go
  const late = transfer();
  const work = async (stop: AbortSignal) => (await late.work(stop), "it got all");
  const ending = commands.during({ ...late, work });
  feed.send("ABOR\r\n");
  await assertRejects(() => ending, Error, "ABOR");
});

Deno.test("Commands keeps no more than twenty, and tells of an end and of a line too long later", async () => {
  const { feed, commands, next } = conversation();
  const first = transfer();
  const working = commands.during(first);
  for (let count = 0; count < 25; count++) feed.send(`NOOP ${count}\r\n`);
  feed.send("ABOR\r\n");
  await settled();
  first.end();
  assertEquals(await working, "all of it");
  for (let count = 0; count < 25; count++) assertEquals(await next(), `NOOP ${count}`);
  assertEquals(await next(), "ABOR");

  const second = transfer();
  const another = commands.during(second);
  feed.send("x".repeat(200));
  await settled();
  second.end();
  assertEquals(await another, "all of it");
  await assertRejects(next, LimitError);

  const ended = conversation();
  const third = transfer();
  const last = ended.commands.during(third);
  ended.feed.end();
  await settled();
  third.end();
  assertEquals([await last, await ended.next()], ["all of it", null]);
});

const IAC = 255, IP = 244, DM = 242;
const ABOR = encode("ABOR\r\n");

Deno.test("an urgent ABOR is understood, whichever of its bytes the system keeps", async () => {
  const whole = [
    concat(Uint8Array.of(IAC, IP, IAC, DM), ABOR),
    concat(Uint8Array.of(IP, IAC, DM), ABOR),
    concat(Uint8Array.of(IAC, IP, DM), ABOR),
    concat(Uint8Array.of(IAC, IP, IAC), ABOR),
    concat(Uint8Array.of(IAC, IP, IAC, DM), ABOR.subarray(0, -1)),
    ABOR.subarray(0, -1),
    ABOR,
  ];
  for (const said of whole) {
    for (const parts of everyCut(concat(encode("NOOP\r\n"), said))) {
      // where the urgent byte was, a read ends
      const source = SocketReader.from([...parts, encode("QUIT\r\n")]);
      const write = () => Promise.resolve(0);
      const read = (into: Uint8Array) => source.read(into);
      const text = decode(await readAll(withoutUrgency(withoutTelnet({ read, write }))));
      assertEquals(text, "NOOP\r\nABOR\r\nQUIT\r\n", String(parts));
    }
  }
});

Deno.test("withoutUrgency leaves other commands as they are", async () => {
  const said = "RETR \u{1f600}\r\nABOR x\r\nSTATUS\r\nABOR\r\n\r\nRETR ABOR\r\nstat\r\n";
  for (const parts of everyCut(encode(said))) {
    assertEquals(decode(await readAll(withoutUrgency(SocketReader.from(parts)))), said);
  }
});
