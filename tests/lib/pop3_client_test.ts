import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { createAuthority, issueCertificate } from "../../lib/certificate.ts";
import { explain } from "../../lib/errors.ts";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { stuffed, withLineEnds } from "../../lib/mail_lines.ts";
import { Pop3Client } from "../../lib/pop3_client.ts";
import { Pop3Error, RefusedError } from "../../lib/pop3_errors.ts";
import { fileName, parseNames, parseSizes } from "../../lib/pop3_lists.ts";
import { topOf } from "../../lib/pop3_top.ts";
import { SocketReader } from "../../lib/reader.ts";
import { serve } from "../../lib/tcp.ts";
import { serveUpgradable } from "../../lib/upgradable.ts";
import { UsageError } from "../../lib/usage.ts";
import { cut, decode, encode, endpointOf, everyCut } from "./helpers.ts";

/** Holds one conversation with a server that says these pieces, whatever it hears. */
async function against<T>(
  pieces: (string | Uint8Array)[],
  talk: (pop: Pop3Client, shown: string[]) => Promise<T>,
): Promise<T> {
  await using server = await serve({
    hostname: "127.0.0.1",
    port: 0,
    onError: () => {},
  }, async (connection) => {
    for (const piece of pieces) {
      await connection.write(typeof piece === "string" ? encode(piece) : piece);
    }
    await connection.closeWrite();
    await new SocketReader(connection).readAll().catch(() => {});
  });
  const { port } = endpointOf(server) as Deno.NetAddr;
  const shown: string[] = [];
  const dialogue = new Dialogue({ print: (line) => shown.push(line) });
  using pop = new Pop3Client(await Deno.connect({ hostname: "127.0.0.1", port }), { dialogue });
  return await talk(pop, shown);
}

const MAIL = "Subject: a\r\n\r\n.\r\n..b\r\n+OK\r\n-ERR\r\nend\r\n";

/** A server that waits for each command before it answers, so that its answers can come cut. */
async function answering<T>(
  answers: (string | Uint8Array)[][],
  talk: (pop: Pop3Client) => Promise<T>,
): Promise<T> {
  await using server = await serve({
    hostname: "127.0.0.1",
    port: 0,
    onError: () => {},
  }, async (connection) => {
    const reader = new SocketReader(connection);
    for (const [index, pieces] of answers.entries()) {
      if (index > 0 && await reader.readLine() === null) return;
      for (const piece of pieces) {
        await connection.write(typeof piece === "string" ? encode(piece) : piece);
      }
    }
  });
  const { port } = endpointOf(server) as Deno.NetAddr;
  const dialogue = new Dialogue({ print: () => {} });
  using pop = new Pop3Client(await Deno.connect({ hostname: "127.0.0.1", port }), { dialogue });
  return await talk(pop);
}

const retrieve = async (pop: Pop3Client) => {
  await pop.greeting();
  await pop.ask("RETR 1");
  return decode(await pop.text());
};

const REPLY = new Uint8Array([...encode("+OK here it is\r\n"), ...stuffed(encode(MAIL))]);

Deno.test("Pop3Client gets a mail however its reply is cut", async () => {
  for (const pieces of everyCut(REPLY)) {
    assertEquals(await answering([["+OK hello\r\n"], pieces], retrieve), MAIL);
  }
});

Deno.test("Pop3Client takes no mail for whole that is not, wherever the connection ends", async () => {
  for (let end = 0; end < REPLY.length; end++) {
    const [beginning] = cut(REPLY, end);
    await assertRejects(() => answering([["+OK hello\r\n"], [beginning!]], retrieve), Error);
  }
});

Deno.test("Pop3Client tells what goes wrong with a reply", async () => {
  const greeting = (pop: Pop3Client) => pop.greeting();
  const text = async (pop: Pop3Client) => {
    await pop.greeting();
    return await pop.text(1_000);
  };
  const cases: [said: string, talk: (pop: Pop3Client) => Promise<unknown>, why: string][] = [
    ["", greeting, "the server closed the connection without one"],
    ["+OK hel", greeting, "the stream ended after 7 bytes, before the delimiter"],
    ["220 mail.example.org ESMTP\r\n", greeting, '"220 mail.example.org ESMTP" is no POP3 reply'],
    ["+ok hello\r\n", greeting, "is no POP3 reply"],
    ["+OKAY\r\n", greeting, "is no POP3 reply"],
    ["\x1b[2J\r\n", greeting, '"\\x1b[2J" is no POP3 reply'],
    ["-ERR go away\r\n", greeting, "the server refused the connection: go away"],
    [`+OK ${"x".repeat(5_000)}\r\n`, greeting, "longer than the limit of 4096 bytes"],
    ["+OK\r\none\r\ntwo\r\n", text, "the stream ended after 10 bytes, before the line with a dot"],
    ["+OK\r\none\r\n.\r", text, "before the line with a dot"],
    ["+OK\r\none\r\n.\r\n+OK", text, "it goes on behind the end of its text"],
    [`+OK\r\n${"one\r\n".repeat(1_000)}`, text, "the text is longer than the limit of 1000 bytes"],
    ["+OK\r\n+OK too early\r\n", async (pop) => {
      await pop.greeting();
      await pop.ask("STAT");
    }, "the server said more than it was asked for"],
  ];
  for (const [said, talk, why] of cases) {
    const error = await assertRejects(() => against([said], talk), Error);
    assertStringIncludes(explain(error).reason, why, said);
  }
});

Deno.test("Pop3Client explains a refusal by its code, or by the command", async () => {
  const cases = {
    "-ERR [AUTH] no": "The user name or the password is wrong (--user).",
    "-ERR [IN-USE] locked": "Another program reads this mailbox: try again when it has ended.",
    "-ERR [sys/temp] broken": "Something broke inside the server, or it is busy: try again later.",
    "-ERR": "Compare the user name (--user) and the password.",
  };
  for (const [said, next] of Object.entries(cases)) {
    const error = await assertRejects(
      () =>
        answering([["+OK\r\n"], [`${said}\r\n`]], async (pop) => {
          await pop.greeting();
          await pop.ask("PASS x");
        }),
      RefusedError,
    );
    assertEquals(explain(error).next, next);
  }
});

Deno.test("Pop3Client sends nothing that would begin another command", async () => {
  await against(["+OK\r\n"], async (pop, shown) => {
    await pop.greeting();
    for (const word of ["a\r\nDELE 1", "a\nDELE 1", "a\rb", "a\0", "\x1b"]) {
      await assertRejects(() => pop.ask(`USER ${word}`), UsageError);
    }
    assertEquals(shown, ["S: +OK"]);
  });
});

Deno.test("Pop3Client shows both sides, without the password, and nothing that a terminal obeys", async () => {
  await against(["+OK \x1b]0;x\x07\r\n-ERR bad secret\r\n"], async (pop, shown) => {
    await pop.greeting().catch(() => {});
    pop.dialogue.hide("secret");
    await pop.ask("PASS secret").catch(() => {});
    assertEquals(shown[0], "S: +OK \\x1b]0;x\\x07");
    assert(!shown.join().includes("secret"));
  });
});

Deno.test("Pop3Client gives up when told to, and says why", async () => {
  await using server = await serveUpgradable({ hostname: "127.0.0.1", port: 0 }, async (each) => {
    await new SocketReader(each).readAll().catch(() => {});
  });
  const stop = new AbortController();
  const { port } = endpointOf(server) as Deno.NetAddr;
  using pop = new Pop3Client(await Deno.connect({ hostname: "127.0.0.1", port }), {
    stop: stop.signal,
  });
  const waiting = pop.greeting();
  stop.abort(new Error("stopped"));
  await assertRejects(() => waiting, Error, "stopped");
  assert(pop.lost);
});

Deno.test("Pop3Client speaks TLS, but not when somebody speaks before it", async () => {
  const authority = await createAuthority();
  const { certificate, key } = await issueCertificate(authority, ["localhost"]);
  const trusting = { hostname: "localhost", caCerts: [authority.certificate] };
  for (const behind of ["", "+OK injected\r\n"]) {
    await using server = await serveUpgradable({
      hostname: "127.0.0.1",
      port: 0,
      onError: () => {},
    }, async (connection) => {
      await connection.write(encode("+OK hello\r\n"));
      await new SocketReader(connection).readLine();
      await connection.write(encode(`+OK go ahead\r\n${behind}`));
      await connection.startTls({ cert: certificate, key });
      await new SocketReader(connection).readLine();
      await connection.write(encode("+OK over TLS\r\n"));
    });
    const { port } = endpointOf(server) as Deno.NetAddr;
    const dialogue = new Dialogue({ print: () => {} });
    using pop = new Pop3Client(await Deno.connect({ hostname: "127.0.0.1", port }), { dialogue });
    await pop.greeting();
    await pop.ask("STLS");
    if (behind === "") {
      await pop.startTls(trusting);
      assert(pop.secure);
      assertEquals(await pop.ask("NOOP"), "over TLS");
    } else {
      await assertRejects(() => pop.startTls(trusting), Pop3Error, "more than it was asked for");
      assert(pop.lost && !pop.secure);
    }
  }
});

Deno.test("parseSizes and parseNames refuse what is no list", () => {
  assertEquals(parseSizes(["1 120 more", "2  0"]), new Map([[1, 120], [2, 0]]));
  assertEquals(parseNames(["1 a/b", "7 <x@y>"]), new Map([[1, "a/b"], [7, "<x@y>"]]));
  for (const line of ["", "1", "0 5", "-1 5", "1 -5", "1e3 5", "x 5", "1 5x", "1\t5"]) {
    assertThrows(() => parseSizes([line]), Pop3Error, "does not belong into a LIST");
  }
  for (const line of ["1", "1 ", "1 a b", "1 ä", `1 ${"x".repeat(71)}`, "1 \x1b"]) {
    assertThrows(() => parseNames([line]), Pop3Error, "does not belong into a UIDL");
  }
  assertThrows(() => parseSizes(["1 5", "1 6"]), Pop3Error);
  assertThrows(() => parseNames(["1 same", "1 same"]), Pop3Error, "does not belong into a UIDL");
});

Deno.test("parseSizes and parseNames give a list or a Pop3Error for 100,000 generated lines", () => {
  const characters = fc.constantFrom(..."0123456789 \t.-+aä\0\x1b/%");
  const line = fc.string({ unit: characters, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 3 }), (lines) => {
      for (const parse of [parseSizes, parseNames]) {
        try {
          assertEquals(parse(lines).size, lines.length);
        } catch (error) {
          if (!(error instanceof Pop3Error)) throw error;
        }
      }
    }),
    { numRuns: 50_000 },
  );
});

Deno.test("fileName leads nowhere else, and gives different names for different mails", () => {
  const names = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 70,
  });
  fc.assert(
    fc.property(names, names, (one, other) => {
      const file = fileName(one);
      assert(/^mail-[A-Za-z0-9._=+@%-]{1,210}\.eml$/.test(file), file);
      assertEquals(file === fileName(other), one === other);
    }),
    { numRuns: 100_000 },
  );
});

Deno.test("topOf gives the header and so many lines, of any bytes", () => {
  const bytes = fc.string({ unit: fc.constantFrom("a", "\n", "\r", "\r\n", "."), maxLength: 40 });
  fc.assert(
    fc.property(bytes, fc.nat(10), (text, count) => {
      const mail = decode(withLineEnds(encode(text)));
      const lines = mail.split("\r\n").slice(0, -1);
      const empty = lines.indexOf("");
      const wanted = empty < 0 ? lines : lines.slice(0, empty + 1 + count);
      assertEquals(
        decode(topOf(encode(mail), count)),
        wanted.map((line) => `${line}\r\n`).join(""),
      );
    }),
    { numRuns: 20_000 },
  );
});
