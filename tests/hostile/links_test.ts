/** The reader of links, when the page's server is bad to it, or the page. */
import { assertEquals, assertMatch } from "@std/assert";
import { behaviours, misbehave, NONSENSE, reset } from "./peers.ts";
import { startScript } from "./script.ts";
import { within } from "./waits.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";

const reply =
  (head: string, ...body: Uint8Array[]) => async (connection: Deno.Conn, gone: () => boolean) => {
    await connection.read(new Uint8Array(64 * 1024));
    await connection.write(encode(`${head}\r\n`));
    for (const piece of body) {
      for (let sent = 0; sent < piece.length && !gone();) {
        sent += await connection.write(piece.subarray(sent));
      }
    }
  };

const more: typeof behaviours = {
  ...behaviours,
  "sends a page without end": reply(HEAD, ...Array(1_000).fill(new Uint8Array(64 * 1024))),
  "sends a page that is too deep": reply(HEAD, encode("<div>".repeat(100_000))),
  "ends in the middle": reply(`${HEAD}Content-Length: 100\r\n`, encode("<a href=//example.org>")),
  "sends a picture": reply("HTTP/1.1 200 OK\r\nContent-Type: image/png\x1b[2J\r\n"),
  "sends a type with an escape": reply("HTTP/1.1 200 OK\r\nContent-Type: x/\x9b2J\r\n"),
  "redirects to a place that is not granted": reply(
    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:7000/\r\nContent-Length: 0\r\n",
  ),
};

const outcomes: Record<string, RegExp> = {
  "is silent": /cannot get http.*: no answer came in time$/m,
  "sends a byte every 50 ms": /cannot get http/,
  "closes without a word": /cannot get http/,
  "closes in mid-answer": /cannot get http/,
  "never stops sending": /cannot get http/,
  "sends nonsense": /cannot get http/,
  "resets the connection": /cannot get http/,
  "sends a page without end": /cannot read http.*: the body has more than 4194304 bytes$/m,
  "sends a page that is too deep": /elements stand more than 512 deep$/m,
  "ends in the middle": /cannot read http/,
  "sends a picture": /cannot get http/,
  "sends a type with an escape": /what is there is ".*", and no HTML$/m,
  "redirects to a place that is not granted": /Deno was not given --allow-net=127\.0\.0\.2/m,
};

Deno.test("links ends in time with one clear error when the server", async (test) => {
  const results = await Promise.all(
    Object.keys(outcomes).map(async (name) => {
      const behaviour = more[name];
      await using peer = behaviour ? misbehave(behaviour) : await reset("data");
      await using client = startScript("scripts/http/links.ts", {
        words: [`http://127.0.0.1:${peer.address}/`],
        flags: (flag) => flag.replace(/(?<=127\.0\.0\.1:)\d+/, peer.address),
      });
      const code = await within("the client's end", client.ended, 30_000);
      peer.release();
      return { name, code, stdout: client.stdout, stderr: client.stderr };
    }),
  );
  for (const { name, code, stdout, stderr } of results) {
    await test.step(name, () => {
      assertMatch(stderr, outcomes[name]!);
      assertEquals([code, stdout], [1, ""]);
      assertEquals(/^ +at .*|Uncaught|[^\P{Cc}\n]/mu.exec(stderr)?.[0], undefined, stderr);
    });
  }
});

Deno.test("links prints no control characters when they are in a typed page", async () => {
  const page = new Uint8Array([...encode("<a href='http://ex\x1b[2Jample.org'>"), ...NONSENSE]);
  await using client = startScript("scripts/http/links.ts", { words: ["-"], stdin: page });
  assertEquals(await within("the end", client.ended, 30_000), 0);
  assertEquals([client.stdout, client.stderr], ["", ""]);
});
