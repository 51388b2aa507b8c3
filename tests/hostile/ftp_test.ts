/**
 * The FTP server under siege, and against clients that want more than it gives.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { createConnection } from "node:net";
import { SocketReader } from "../../lib/reader.ts";
import { readReply } from "../../lib/ftp_reply.ts";
import { encode } from "../lib/helpers.ts";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { startScript } from "./script.ts";
import { besiege, type Place, starve, type Subject } from "./siege.ts";
import { times, within } from "./waits.ts";

const SERVER = "scripts/remote/ftp_server.ts";

/** A port, and a folder with the samples. */
function somewhere(): Place {
  const folder = Deno.makeTempDirSync({ prefix: "hostile-" });
  const at = (port: string): Place => ({
    words: ["--port", port, "--samples", "--root", `${folder}/ftp`],
    flags: (flag) =>
      flag.replace("127.0.0.1:2121", `127.0.0.1:${port}`).replace("/tmp/ftp", `${folder}/ftp`),
    at,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  });
  return at("0");
}

/** A client by hand: one command, one reply. */
class Client implements Disposable {
  readonly #reader: SocketReader;

  constructor(readonly control: Deno.Conn) {
    this.#reader = new SocketReader(control);
  }

  static async loggedIn(target: Target): Promise<Client> {
    const client = new Client(await target.dial());
    assertEquals((await client.reply()).code, 220);
    assertEquals((await client.ask("USER anonymous")).code, 331);
    assertEquals((await client.ask("PASS x")).code, 230);
    return client;
  }

  reply() {
    return readReply(this.#reader);
  }

  async say(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? encode(text) : text;
    for (let sent = 0; sent < bytes.length;) sent += await this.control.write(bytes.subarray(sent));
  }

  async ask(command: string) {
    await this.say(`${command}\r\n`);
    return await this.reply();
  }

  /** The port that EPSV names. */
  async dataPort(): Promise<number> {
    const { code, text } = await this.ask("EPSV");
    assertEquals(code, 229);
    return Number(/\|\|\|(\d+)\|/.exec(text)![1]);
  }

  /** Begins to fetch with a command, and gives the connection over which it comes. */
  async begin(command: string): Promise<Deno.TcpConn> {
    const data = await Deno.connect({ hostname: "127.0.0.1", port: await this.dataPort() });
    assertEquals((await this.ask(command)).code, 150);
    return data;
  }

  /** Hears some replies; gives their codes. */
  async codes(count: number): Promise<number[]> {
    const codes: number[] = [];
    while (codes.length < count) codes.push((await this.reply()).code);
    return codes;
  }

  /** Fetches with a command; gives what comes and the code after it. */
  async fetch(command: string): Promise<[string, number]> {
    using data = await this.begin(command);
    const text = await new Response(data.readable).text();
    return [text, (await this.reply()).code];
  }

  [Symbol.dispose](): void {
    this.control.close();
  }
}

const done = async (work: Promise<unknown>) => void await work;

const server: Subject<Target> = {
  path: SERVER,
  target: (address) => tcpTarget(Number(address)),
  async goodClient(target) {
    using client = await Client.loggedIn(target);
    await client.ask("TYPE I");
    assertEquals(await client.fetch("RETR notes.txt"), ["Networking: day 4\n", 226]);
    assertEquals((await client.ask("QUIT")).code, 221);
  },
  idleClient: (target) => target.dial(),
  taken:
    /^ftp_server\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
  attacks: {
    ...attacks,
    "clients ask for data ports and never come": (target) =>
      done(times(20, 10, async () => {
        using client = await Client.loggedIn(target);
        for (let tries = 0; tries < 5; tries++) await client.dataPort();
      })),
    "clients open data connections and ask for nothing": (target) =>
      done(times(20, 10, async () => {
        using client = await Client.loggedIn(target);
        using _data = await Deno.connect({ hostname: "127.0.0.1", port: await client.dataPort() });
        await client.ask("NOOP");
      })),
    "clients leave in the middle of a file": (target) =>
      done(times(20, 10, async (index) => {
        using client = await Client.loggedIn(target);
        using data = await client.begin("RETR numbers.txt");
        await data.read(new Uint8Array(10));
        // half of them stay on the control connection, and hear of it
        if (index % 2 === 0) return;
        data.close();
        assert([226, 426].includes((await client.reply()).code));
      })),
    "clients say ABOR all the time": (target) =>
      done(times(20, 10, async () => {
        using client = await Client.loggedIn(target);
        using _data = await client.begin("RETR numbers.txt");
        await client.say("ABOR\r\nSTAT\r\nRETR notes.txt\r\n".repeat(30));
        await client.codes(10);
      })),
    "clients send Telnet commands": (target) =>
      done(times(20, 10, async () => {
        using client = await Client.loggedIn(target);
        await client.say(Uint8Array.of(255, 244, 255, 242, 255, 253, 10, 255, 250, 1));
        await client.control.closeWrite();
        while (await client.control.read(new Uint8Array(64)) !== null);
      })),
  },
};

besiege(server, somewhere);
starve(server, somewhere);

Deno.test(`${SERVER} lets nobody out of its folder, and serves no third party`, async (test) => {
  using place = somewhere();
  await using script = startScript(SERVER, place);
  const target = server.target(await script.printed(/^listening on 127\.0\.0\.1:(.+)$/m));
  const root = place.words.at(-1)!;
  await Deno.writeTextFile(`${root}/../secret`, "secret");
  await Deno.symlink("../secret", `${root}/out`);
  await Deno.symlink("/etc", `${root}/etc`);
  await new Deno.Command("mkfifo", { args: [`${root}/pipe`] }).output();

  await test.step("200 clients at once get what they came for", async () => {
    await within("all of them", times(200, 200, () => server.goodClient(target)), 60_000);
  });

  await test.step("paths that lead out, and what is no file", async () => {
    using client = await Client.loggedIn(target);
    const paths = [
      ..."../secret /../secret ..//secret /lectures/../../secret out /out etc/passwd pipe".split(
        " ",
      ),
      ..."/etc/passwd /lectures/../out ./etc/../etc/passwd lectures \\..\\secret ~ ...".split(" "),
      "%2e%2e/secret",
      "a\0b",
      "x".repeat(4_000),
    ];
    for (const command of ["RETR", "SIZE", "MLST", "CWD"]) {
      for (const path of paths) {
        // CWD and MLST of a folder of its own are no harm
        if (path === "lectures" && command !== "RETR") continue;
        const { code, text } = await client.ask(`${command} ${path}`);
        assertEquals(code, 550, `${command} ${path}: ${text}`);
        await client.fetch("NLST"); // which is no mistake
      }
    }
    const [names] = await client.fetch("NLST");
    assertEquals(names, "lectures\r\nnotes.txt\r\nnumbers.txt\r\n");
    assertEquals((await client.ask("CWD ../../..")).code, 250);
    assertMatch((await client.ask("PWD")).text, /^"\/" /);
  });

  await test.step("what is said in the wrong order, or not served", async () => {
    using client = new Client(await target.dial());
    await client.reply();
    for (const command of ["PWD", "LIST", "EPSV", "RETR notes.txt", "PORT 127,0,0,1,0,80"]) {
      assertEquals((await client.ask(command)).code, 530, command);
    }
    assertEquals((await client.ask("PASS x")).code, 503);
    using member = await Client.loggedIn(target);
    assertEquals((await member.ask("RETR notes.txt")).code, 425);
    for (const command of ["PORT 10,0,0,1,0,80", "EPRT |1|10.0.0.1|80|"]) {
      assertEquals((await member.ask(command)).code, 502, command);
    }
    for (const command of ["STOR new", "DELE notes.txt", "MKD new", "RNFR notes.txt"]) {
      assertEquals((await member.ask(command)).code, 550, command);
    }
    assertEquals((await member.ask("EPSV 2")).code, 522);
    assertEquals((await member.ask("EPSV ALL")).code, 200);
    assertEquals((await member.ask("PASV")).code, 503);
    assertEquals((await member.ask("TYPE I")).code, 200);
    assertEquals((await member.ask("REST 10")).code, 350);
    assertEquals(await member.fetch("RETR notes.txt"), [": day 4\n", 226]);
    assertEquals((await member.ask("REST 19")).code, 350);
    assertEquals((await member.ask("RETR notes.txt")).code, 554);
    assertEquals((await member.ask("TYPE A")).code, 200);
    assertEquals(await member.fetch("RETR notes.txt"), ["Networking: day 4\r\n", 226]);
    const help = await member.ask("HELP");
    assertEquals([help.code, help.lines.length], [214, 4]);
    await member.say(encode("NO"));
    await member.say(Uint8Array.of(255, 253, 10, 255, 244));
    await member.say(encode("OP\r\nNOOP\r\n")); // two at once
    const answer = new Uint8Array(3);
    await member.control.read(answer); // its refusal comes first
    assertEquals([...answer], [255, 252, 10]);
    assertEquals([(await member.reply()).code, (await member.reply()).code], [200, 200]);
  });

  await test.step("REST counts for the next transfer, and for no other", async () => {
    using client = await Client.loggedIn(target);
    await client.ask("TYPE I");
    const rest = async () => assertEquals((await client.ask("REST 12")).code, 350);
    const [part, whole] = ["day 4\n", "Networking: day 4\n"];
    // what clients say between the two
    for (
      const between of ["TYPE I", "PORT 127,0,0,1,4,1", "PASV", "SIZE notes.txt", "NOOP", "PWD"]
    ) {
      await rest();
      await client.ask(between);
      assertEquals(await client.fetch("RETR notes.txt"), [part, 226], between);
      assertEquals(await client.fetch("RETR notes.txt"), [whole, 226], between);
    }
    for (const listing of ["LIST", "NLST", "MLSD", "LIST lectures"]) {
      await rest();
      assertEquals((await client.fetch(listing))[1], 226);
      assertEquals(await client.fetch("RETR notes.txt"), [whole, 226], listing);
    }
    for (
      const failed of ["RETR nothing", "RETR lectures", "LIST nothing", "STOR new", "APPE new"]
    ) {
      await rest();
      assertEquals((await client.ask(failed)).code, 550);
      assertEquals(await client.fetch("RETR notes.txt"), [whole, 226], failed);
    }
    await rest();
    await client.ask("USER ftp");
    await client.ask("PASS x");
    assertEquals(await client.fetch("RETR notes.txt"), [whole, 226]);
    await rest();
    await client.ask("TYPE A");
    assertEquals((await client.ask("RETR notes.txt")).code, 554);
    assertEquals((await client.fetch("RETR notes.txt"))[0], "Networking: day 4\r\n");
  });

  await test.step("in TYPE A each line ends in one CR LF, and MLSD lists folders only", async () => {
    using client = await Client.loggedIn(target);
    await Deno.writeTextFile(`${root}/lectures/lines`, "\r\none\r\n\ntwo\rthree\r\r\n\r");
    assertEquals(await client.fetch("RETR lectures/lines"), [
      "\r\none\r\n\r\ntwo\rthree\r\r\n\r",
      226,
    ]);
    await Deno.remove(`${root}/lectures/lines`);
    for (const file of ["notes.txt", "/notes.txt", "lectures/week 9.txt"]) {
      assertEquals((await client.ask(`MLSD ${file}`)).code, 501);
      // which the others do, as ls does
      assertEquals((await client.fetch(`LIST ${file}`))[1], 226);
    }
    assertEquals((await client.ask("MLSD nothing")).code, 550);
    assertMatch(
      (await client.fetch("MLSD lectures"))[0],
      /^type=file;size=26;\S+ week 9\.txt\r\n$/,
    );
    assertEquals((await client.ask("MLST notes.txt")).code, 250);
  });

  await test.step("ABOR ends a transfer at once, and other commands wait for its end", async () => {
    // more than the system takes off the server's hands
    const size = 64 * 1024 * 1024;
    await Deno.truncate(`${root}/numbers.txt`, size);
    using client = await Client.loggedIn(target);
    await client.ask("TYPE I");
    for (const said of ["ABOR\r\n", "NOOP\r\nABOR\r\n", "\xff\xf4\xff\xf2abor\r\n"]) {
      using data = await client.begin("RETR numbers.txt");
      // it has been accepted then; else ABOR closes the data port, and the system resets it
      assertEquals(await data.read(new Uint8Array(1)), 1);
      await client.say(Uint8Array.from(said, (character) => character.charCodeAt(0)));
      const between = said.startsWith("NOOP") ? [200] : [];
      assertEquals(await client.codes(2 + between.length), [426, ...between, 226]);
      assert((await new Response(data.readable).bytes()).length < size);
      assertEquals((await client.ask("NOOP")).code, 200);
    }
    // while nobody comes for the data; after its 5 s of patience it would answer 425
    const port = await client.dataPort();
    await client.say("RETR notes.txt\r\nABOR\r\n");
    assertEquals(await client.codes(3), [150, 426, 226]);
    assert(!await isOpen(port), "the port is still open");
    assertEquals((await client.ask("ABOR")).code, 226);

    using data = await client.begin("RETR numbers.txt");
    const status = await client.ask("STAT");
    assertEquals(status.code, 211);
    assertMatch(status.text, /^Of numbers\.txt, \d+ bytes have been sent$/);
    await client.say("NOOP\r\nSTAT\r\nQUIT\r\n");
    assertEquals((await new Response(data.readable).bytes()).length, size);
    assertEquals(await client.codes(4), [226, 200, 211, 221]);
  });

  await test.step("who cannot log in, or makes nothing but mistakes, is sent away", async () => {
    using stranger = new Client(await target.dial());
    await stranger.reply();
    const codes: number[] = [];
    for (let tries = 0; tries < 3; tries++) {
      assertEquals((await stranger.ask("USER root")).code, 331);
      codes.push((await stranger.ask("PASS toor")).code);
    }
    assertEquals(codes, [530, 530, 421]);
    assertEquals(await stranger.control.read(new Uint8Array(1)), null);
    using fool = new Client(await target.dial());
    await fool.reply();
    let tries = 1;
    while ((await fool.ask("FOO")).code !== 421) tries++;
    assertEquals(tries, 20);
    using shouter = new Client(await target.dial());
    await shouter.reply();
    await shouter.say("X".repeat(5_000));
    assertEquals((await shouter.reply()).code, 500);
  });

  await test.step("a stranger who is first at the data port gets nothing, and it is released", async () => {
    using client = await Client.loggedIn(target);
    const port = await client.dataPort();
    const stolen = await new Promise<string>((resolve) => {
      const thief = createConnection({ host: "127.0.0.1", port, localAddress: "127.0.0.2" });
      let text = "";
      thief.on("data", (data) => text += data);
      thief.on("error", () => {});
      thief.on("close", () => resolve(text));
    });
    assertEquals(stolen, "");
    using data = await Deno.connect({ hostname: "127.0.0.1", port });
    assertEquals((await client.ask("NLST lectures")).code, 150);
    assertEquals(await new Response(data.readable).text(), "week 9.txt\r\n");
    assertEquals((await client.reply()).code, 226);

    using other = await Client.loggedIn(target);
    const unused = await other.dataPort();
    const missed = await client.dataPort();
    // nobody comes: in the end the server says so
    const reply = await client.ask("NLST");
    assertEquals(reply.code, 150);
    assertEquals((await within("425", client.reply(), 30_000)).code, 425);
    assert(!await isOpen(missed), "the port is still open");
    assert(!await isOpen(unused), "a port that nobody asked about again is still open");
    assertEquals((await client.fetch("NLST"))[1], 226);
  });
  assertEquals(/^ +at .*|.*(?:ncaught|Error:).*/m.exec(script.stderr)?.[0], undefined);
  assertEquals(await script.stop("SIGTERM"), 0);
});

async function isOpen(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
