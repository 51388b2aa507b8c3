/** The blog and its client, when the other side or the world is bad to them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { exchange, httpAttacks } from "./http_attacks.ts";
import { behaviours, misbehave, reset } from "./peers.ts";
import { type Script, startScript } from "./script.ts";
import { besiege, type Place, type Subject } from "./siege.ts";
import { pause, until, within } from "./waits.ts";
import { chance } from "../lib/helpers.ts";
import { freePort } from "../peers/peers.ts";

/** Like fetch, on a connection of its own, which is closed afterwards. */
async function ask(url: string, options: RequestInit = {}): Promise<Response> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const response = await fetch(url, { ...options, client });
  const { status, headers } = response;
  return new Response(status === 204 ? null : await response.bytes(), { status, headers });
}

/** A port, and a folder for the posts. */
function somewhere(): Place {
  const folder = Deno.makeTempDirSync({ prefix: "hostile-posts-" });
  const at = (port: string): Place => ({
    words: ["--port", port, "--folder", `${folder}/posts-${port}`],
    flags: (flag) =>
      flag.replace(/(?<=127\.0\.0\.1:)\d+/g, port)
        .replaceAll("/tmp/lecture-posts", `${folder}/posts-${port}`),
    at,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  });
  return at("0");
}

const subject: Subject<Target & { port: string }> = {
  path: "scripts/http/posts_server.ts",
  attacks: {
    ...attacks,
    ...httpAttacks,
    "clients send bodies that are no posts": async (target) => {
      const random = chance(7);
      const types = ["application/json", "application/x-www-form-urlencoded", "text/html", ""];
      for (let round = 0; round < 100; round++) {
        const body = Array.from(
          { length: random(200) },
          () => '{}[]":,\\u0d%&=post_text\u00e9\0'.charAt(random(26)),
        ).join("");
        const response = await ask(`http://127.0.0.1:${target.port}/posts`, {
          method: "POST",
          body,
          headers: { "content-type": types[random(types.length)]! },
        });
        assertMatch(String(response.status), /^4/);
        assertEquals(response.headers.get("content-type"), "application/problem+json");
      }
    },
  },
  target: (address) => ({ ...tcpTarget(Number(address)), port: address }),
  async goodClient({ port }) {
    const posts = `http://127.0.0.1:${port}/posts`;
    const text = crypto.randomUUID();
    const body = new URLSearchParams({ post_text: text });
    const { id } = await (await ask(posts, { method: "POST", body })).json();
    const found = await (await ask(`${posts}?q=${text}`)).json();
    assertEquals(found.map((post: { id: number }) => post.id), [id]);
    assertEquals((await ask(`${posts}/${id}`, { method: "DELETE" })).status, 204);
  },
  idleClient: (target) => target.dial(),
  taken:
    /^posts_server\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
};

besiege(subject, somewhere);
Deno.test("posts_server serves on when 200 clients want more files than it may open", async () => {
  using place = somewhere();
  // it has to listen again: on a port of its own, then, not on any
  const port = String(freePort());
  await using server = startScript(subject.path, { ...place.at!(port), files: 64 });
  await server.printed(/^listening on/m);
  const crowd: Deno.Conn[] = [];
  for (let each = 0; each < 200; each++) {
    // Deno.serve gives up, and starts again: meanwhile some are refused
    await subject.target(port).dial().then((connection) => crowd.push(connection), () => {});
  }
  await until(() => server.stderr, () => server.stderr.includes("too many files and sockets"));
  const target = subject.target(port);
  const served = async () => {
    for (let tries = 1; tries < 20; tries++) {
      const answer = await subject.goodClient(target).then(() => true, () => false);
      if (answer) return;
      await pause(100);
    }
    await subject.goodClient(target);
  };
  await within("a good client's answer", served(), 20_000);
  for (const connection of crowd) connection.close();
  assertEquals(await server.stop("SIGINT"), 0);
});

async function startBlog(place: Place, folder: string): Promise<{ server: Script; posts: string }> {
  const server = startScript("scripts/http/posts_server.ts", {
    words: [...place.words.slice(0, -1), folder],
    flags: (flag) => place.flags(flag).replace(/(?<=allow-(?:read|write)=).*/, folder),
  });
  const port = await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m);
  return { server, posts: `http://127.0.0.1:${port}/posts` };
}

Deno.test("posts_server keeps every post that it acknowledged when it is killed again and again", async () => {
  using place = somewhere();
  const parent = await Deno.makeTempDir({ prefix: "hostile-posts-" });
  const folder = `${parent}/posts`;
  const acknowledged = new Map<number, string>();
  for (let life = 1; life <= 4; life++) {
    const { server, posts } = await startBlog(place, folder);
    await using _ended = server;
    // what is there is all that was acknowledged, and perhaps what was written but not yet answered for
    const kept = new Map<number, string>(
      (await (await ask(posts)).json()).map((
        { id, post_text }: { id: number; post_text: string },
      ) => [id, post_text]),
    );
    for (const [id, text] of acknowledged) assertEquals(kept.get(id), text, `life ${life}`);
    let count = 0;
    const write = async (writer: number) => {
      for (let number = 0;; number++) {
        const text = `life ${life}, writer ${writer}, post ${number}`;
        const body = new URLSearchParams({ post_text: text });
        const response = await ask(posts, { method: "POST", body });
        acknowledged.set((await response.json()).id, text);
        count++;
      }
    };
    const writers = Array.from({ length: 8 }, (_, index) => write(index).catch(() => "gone"));
    await until(() => `${count} posts were written`, () => count >= 20 * life, 20_000);
    assertEquals(await server.stop("SIGKILL"), 137);
    await within("the writers' end", Promise.all(writers));
  }
  const { server, posts } = await startBlog(place, folder);
  await using _ended = server;
  const last = await (await ask(posts)).json() as { id: number; post_text: string }[];
  assertEquals(new Set(last.map(({ id }) => id)).size, last.length);
  for (const [id, text] of acknowledged) {
    assertEquals(last.find((post) => post.id === id)?.post_text, text);
  }
  await server.stop("SIGTERM");
  await Deno.remove(parent, { recursive: true });
});

Deno.test("posts_server says so and stops when another one has the folder", async () => {
  using place = somewhere();
  const parent = await Deno.makeTempDir({ prefix: "hostile-posts-" });
  const { server } = await startBlog(place, `${parent}/posts`);
  await using _ended = server;
  await using second = startScript("scripts/http/posts_server.ts", {
    words: ["--port", "0", "--folder", `${parent}/posts`],
    flags: (flag) => place.flags(flag).replace(/(?<=allow-(?:read|write)=).*/, `${parent}/posts`),
  });
  assertEquals(await within("the second one's end", second.ended), 1);
  assertMatch(second.stderr, /another program is using it\nStop that program, or .* --folder\.$/m);
  await server.stop("SIGTERM");
  await Deno.remove(parent, { recursive: true });
});

/** Conditions come before the method: what they say about the list of posts decides over a new one. */
async function assertConditions(posts: string): Promise<void> {
  const status = async (method: string, url: string, headers: Record<string, string>) => {
    const body = method === "DELETE" ? null : new URLSearchParams({ post_text: "new" });
    return (await ask(url, { method, headers, body })).status;
  };
  const tag = async () => (await ask(posts)).headers.get("etag")!;
  const empty = await tag();
  assertEquals(await status("POST", posts, { "if-match": '"nope"' }), 412);
  assertEquals(await status("POST", posts, { "if-none-match": "*" }), 412);
  assertEquals(await status("POST", posts, { "if-none-match": `"x", W/${empty}` }), 412);
  assertEquals(await tag(), empty);
  assertEquals(await status("POST", posts, { "if-none-match": '"x"', "if-match": empty }), 201);
  // of many that have seen the same list, one may add to it
  const seen = await tag();
  const race = Array.from({ length: 8 }, () => status("POST", posts, { "if-match": seen }));
  assertEquals((await Promise.all(race)).sort(), [201, ...Array(7).fill(412)]);
  const one = `${posts}/1`;
  const refusal = await ask(one, {
    method: "PUT",
    headers: { "if-none-match": "*" },
    body: new URLSearchParams({ post_text: "new" }),
  });
  assertEquals(refusal.status, 412);
  assertMatch(
    (await refusal.json()).detail,
    /^the tag of what is there now is ".*If-None-Match has it$/,
  );
  assertEquals(await status("DELETE", one, { "if-none-match": "*" }), 412);
  assertEquals(await status("PUT", `${posts}/99`, { "if-none-match": "*" }), 404);
  assertEquals(await status("PUT", one, { "if-match": "*" }), 200);
}

Deno.test("posts_server answers as it should on the wire when asked by hand", async () => {
  using place = somewhere();
  const parent = await Deno.makeTempDir({ prefix: "hostile-posts-" });
  const { server, posts } = await startBlog(place, `${parent}/posts`);
  await using _ended = server;
  const target = tcpTarget(Number(new URL(posts).port));
  const head = await exchange(
    target,
    "HEAD /posts HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
  );
  assertMatch(head, /^HTTP\/1\.1 200 OK\r\n/);
  assert(head.endsWith("\r\n\r\n"), "a body after HEAD");
  const body = new URLSearchParams({ post_text: "from elsewhere" });
  const headers = { origin: "http://evil.example" };
  const response = await ask(posts, { method: "POST", body, headers });
  assertEquals(response.status, 403);
  // with a name that leads here only for a moment, a page is of the same site as what it asks
  const form =
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n\r\npost_text=a";
  const rebound = "Host: evil.example\r\nOrigin: http://evil.example\r\n";
  const post = `POST /posts HTTP/1.1\r\n${rebound}Connection: close\r\n${form}`;
  assertMatch(await exchange(target, post), /^HTTP\/1\.1 421 /);
  await assertConditions(posts);
  await server.stop("SIGTERM");
  await Deno.remove(parent, { recursive: true });
});

const outcomes: Record<string, RegExp> = {
  "is silent": /no answer came in time/,
  "sends a byte every 50 ms": /cannot POST http/,
  "closes without a word": /cannot POST http/,
  "closes in mid-answer": /cannot POST http/,
  "never stops sending": /cannot POST http/,
  "sends nonsense": /cannot POST http/,
  "resets the connection": /cannot POST http/,
  "answers with a page": /the server answered 200 with text\/html, not JSON/,
  "answers without end": /the body has more than 1048576 bytes/,
  "redirects for ever": /cannot POST http/,
  "answers null": /the server's JSON is no post/,
  "answers a post whose text is none": /the server's JSON is no post/,
  "tells a place that is no URL": /the server says that the post is at "http:\/\/\[bad", no URL/,
};

const reply = (text: string) => async (connection: Deno.Conn) => {
  await connection.read(new Uint8Array(64 * 1024));
  await connection.write(new TextEncoder().encode(text));
};

const json = (text: string, headers = "") =>
  reply(
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n" +
      `${headers}Content-Length: ${text.length}\r\n\r\n${text}`,
  );

Deno.test("requests ends with one clear error when it asks for a list and gets a post", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(listener.addr.port);
  const serving = (async () => {
    for (let times = 0; times < 3; times++) {
      using connection = await listener.accept();
      await json('{"id":1,"post_text":"x"}')(connection);
    }
  })();
  await using client = startScript("scripts/http/requests.ts", {
    words: ["--port", port],
    flags: (flag) => flag.replace(/(?<=127\.0\.0\.1:)\d+/, port),
  });
  assertEquals(await within("the client's end", client.ended, 30_000), 1);
  assertMatch(client.stderr, /^requests\.ts: the server's JSON is no list of posts\n/);
  await serving;
});

Deno.test("requests ends in time with one clear error when the server", async (test) => {
  const more = {
    "answers null": json("null"),
    "answers a post whose text is none": json('{"id":1,"post_text":{"toString":1}}'),
    "tells a place that is no URL": json('{"id":1,"post_text":""}', "Location: http://[bad\r\n"),
    ...behaviours,
    "answers with a page": reply(
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p>\n",
    ),
    "answers without end": async (connection: Deno.Conn, gone: () => boolean) => {
      await reply("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")(connection);
      const bytes = new Uint8Array(64 * 1024).fill(0x20);
      while (!gone()) await connection.write(bytes);
    },
    "redirects for ever": reply(
      "HTTP/1.1 308 Permanent Redirect\r\nLocation: /posts\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ),
  };
  // most of them only wait: they do so together
  const results = await Promise.all(
    Object.keys(outcomes).map(async (name) => {
      const behaviour = more[name as keyof typeof more];
      await using peer = behaviour ? misbehave(behaviour) : await reset("data");
      await using client = startScript("scripts/http/requests.ts", {
        words: ["--port", peer.address],
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
      assertEquals(/^ +at .*|Uncaught/m.exec(stderr)?.[0], undefined, stderr);
    });
  }
});
