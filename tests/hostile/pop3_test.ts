/**
 * The POP3 server under siege, and against clients that want more than it gives.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { listMails, saveMail } from "../../lib/mail_folder.ts";
import { Pop3Client } from "../../lib/pop3_client.ts";
import { RefusedError } from "../../lib/pop3_errors.ts";
import { decode, encode, readAll } from "../lib/helpers.ts";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { ENVIRONMENT, startScript } from "./script.ts";
import { besiege, type Place, starve, type Subject } from "./siege.ts";
import { pause, times, within } from "./waits.ts";

const SERVER = "scripts/mail/pop3_server.ts";
const PASSWORD = "correct horse";
ENVIRONMENT.POP3_PASSWORD = PASSWORD;

/** A port, and a folder with the samples. */
function somewhere(): Place {
  const folder = Deno.makeTempDirSync({ prefix: "hostile-" });
  const at = (port: string): Place => ({
    words: ["--port", port, "--samples", "--mails", `${folder}/mail`],
    flags: (flag) =>
      flag.replace("127.0.0.1:1110", `127.0.0.1:${port}`).replace("/tmp/mail", `${folder}/mail`),
    at,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  });
  return at("0");
}

const quiet = new Dialogue({ print: () => {} });

/** Logs in; tries again while the mailbox is another's: the server may not yet know that it has gone. */
async function loggedIn(target: Target): Promise<Pop3Client> {
  for (;;) {
    const pop = new Pop3Client(await target.dial() as Deno.TcpConn, { dialogue: quiet });
    try {
      await pop.greeting();
      await pop.ask("USER student");
      await pop.ask(`PASS ${PASSWORD}`);
      return pop;
    } catch (error) {
      pop[Symbol.dispose]();
      if (!(error instanceof RefusedError && error.text.startsWith("[IN-USE]"))) throw error;
      await pause(5);
    }
  }
}

const done = async (work: Promise<unknown>) => void await work;

/** Says it, ends its side, and gives all answers. */
async function answersTo(target: Target, said: string | Uint8Array): Promise<string[]> {
  using connection = await target.dial();
  const bytes = typeof said === "string" ? encode(said) : said;
  const answers = readAll(connection);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  await connection.closeWrite();
  return decode(await answers).split("\r\n").slice(0, -1);
}

const LOGIN = `USER student\r\nPASS ${PASSWORD}\r\n`;

const server: Subject<Target> = {
  path: SERVER,
  target: (address) => tcpTarget(Number(address)),
  async goodClient(target) {
    using pop = await loggedIn(target);
    assertEquals(await pop.ask("STAT"), "3 985");
    await pop.ask("RETR 2");
    assertEquals((await pop.text()).length, 419);
    await pop.ask("QUIT");
  },
  idleClient: (target) => target.dial(),
  taken:
    /^pop3_server\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
  attacks: {
    ...attacks,
    "clients mark all mails and vanish": (target) =>
      done(times(20, 10, async () => {
        using pop = await loggedIn(target);
        for (const number of [1, 2, 3]) await pop.ask(`DELE ${number}`);
      })),
    "clients leave in the middle of a mail": (target) =>
      done(times(20, 10, async () => {
        using pop = await loggedIn(target);
        await pop.ask("RETR 3");
      })),
    "clients ask for mails that they do not read": (target) =>
      done(
        times(3, 1, () => target.reset(encode(LOGIN + "RETR 2\r\n".repeat(20_000)), "answered")),
      ),
    "clients send NULs, bare CR, bare LF and lines without end": (target) =>
      done(times(20, 10, async (index) => {
        const said = [
          "\0".repeat(1_000),
          "USER a\rPASS b\r",
          "\n".repeat(5_000),
          "x".repeat(5_000),
        ];
        await answersTo(target, said[index % said.length]!).catch(() => {});
      })),
    "clients ask for TLS that is not there": (target) =>
      done(
        times(20, 10, () => answersTo(target, "STLS\r\n\x16\x03\x01\0\x05\r\n").catch(() => {})),
      ),
  },
};

besiege(server, somewhere);
starve(server, somewhere);

Deno.test(`${SERVER} gives nobody what is not in its mailbox, nor the password`, async (test) => {
  using place = somewhere();
  await using script = startScript(SERVER, place);
  const target = server.target(await script.printed(/^listening on 127\.0\.0\.1:(.+)$/m));
  const folder = place.words.at(-1)!;

  await test.step("200 clients at once are served one after the other, or hear that it is in use", async () => {
    await within(
      "all of them",
      times(200, 200, async () => {
        const answers = await answersTo(target, `${LOGIN}STAT\r\nQUIT\r\n`);
        const inUse = answers[2]?.startsWith("-ERR [IN-USE]");
        if (!inUse) assertEquals(answers.slice(2), ["+OK 3 mails", "+OK 3 985", "+OK Goodbye"]);
      }),
      60_000,
    );
    await server.goodClient(target);
  });

  await test.step("links, folders, hidden and half-written files are no mails", async () => {
    await Deno.writeTextFile(`${folder}/../secret`, "secret");
    await Deno.symlink("../secret", `${folder}/link.eml`);
    await Deno.symlink("/etc/passwd", `${folder}/passwd.eml`);
    await Deno.mkdir(`${folder}/folder.eml`);
    await new Deno.Command("mkfifo", { args: [`${folder}/pipe.eml`] }).output();
    await Deno.writeTextFile(`${folder}/.hidden.eml`, "secret");
    await Deno.writeTextFile(`${folder}/half.eml.part`, "secret");
    await server.goodClient(target);
    const words = ["../secret", "1 ../secret", "9007199254740993", "0x1", "1e0", "+1", " 1", "1 "];
    const commands = words.flatMap((word) => [`RETR ${word}`, "NOOP", `DELE ${word}`, "NOOP"]);
    const answers = await answersTo(target, `${LOGIN}${commands.join("\r\n")}\r\nRSET\r\nQUIT\r\n`);
    assertEquals(answers.filter((line) => line.startsWith("-ERR")).length, 2 * words.length);
    assert(!answers.join().includes("secret"));
  });

  await test.step("who guesses is sent away, and then has to wait", async () => {
    const guesses = "USER student\r\nPASS guess\r\n".repeat(5);
    const crowd = await times(20, 20, () => answersTo(target, guesses).catch(() => [] as string[]));
    const wrong = crowd.flat().filter((line) => line.startsWith("-ERR [AUTH]"));
    assert(wrong.length <= 10, `${wrong.length} guesses`);
    const [, , answer] = await answersTo(target, `${LOGIN}QUIT\r\n`);
    assertMatch(answer ?? "", /^-ERR \[SYS\/TEMP\] Too many wrong passwords/);
  });

  assertEquals(/^ +at .*|.*(?:ncaught|Error:).*/m.exec(script.stderr)?.[0], undefined);
  assert(!script.stderr.includes(PASSWORD) && !script.stderr.includes("guess"));
  assertEquals((await listMails(folder)).length, 3);
  assertEquals(await script.stop("SIGTERM"), 0);
});

Deno.test(`${SERVER} loses no mail when it is killed, and none twice`, async () => {
  using place = somewhere();
  const folder = place.words.at(-1)!;
  for (let number = 0; number < 100; number++) {
    await saveMail(folder, encode(`Subject: ${number}\r\n\r\n`));
  }
  const left = async () => (await listMails(folder)).length;
  for (const end of ["NOOP", "QUIT"]) {
    await using script = startScript(SERVER, place);
    const target = server.target(await script.printed(/^listening on 127\.0\.0\.1:(.+)$/m));
    using pop = await loggedIn(target);
    for (let number = 1; number <= 50; number++) await pop.ask(`DELE ${number}`);
    await pop.ask(end);
    await script.stop("SIGKILL");
    // marked is not deleted; what was said to be deleted is
    assertEquals(await left(), end === "QUIT" ? 50 : 100);
  }
});
