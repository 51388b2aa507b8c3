/** The blog with curl and Python's requests, and its client with a blog by Python's http.server. */
import { assertEquals, assertMatch } from "@std/assert";
import { freePort, peerTest, python, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

async function startBlog(folder: string) {
  const port = freePort();
  const grants = [`net=127.0.0.1:${port}`, `read=${folder}/posts`, `write=${folder}/posts`];
  const process = new Process([
    Deno.execPath(),
    "run",
    "--no-prompt",
    ...grants.map((grant) => `--allow-${grant}`),
    pathOf("http/posts_server"),
    ...["--port", String(port), "--folder", `${folder}/posts`],
  ]);
  await process.stdout.line(/^listening on/);
  return {
    blog: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** Runs curl; gives what it prints, header and body. */
async function curl(...words: string[]): Promise<string> {
  await using process = new Process(["curl", "--silent", "--show-error", "-i", ...words]);
  assertEquals(await process.end(), 0, process.stderr.text);
  return process.stdout.text;
}

peerTest("posts_server does for curl what its methods and headers ask", ["curl"], async () => {
  using folder = temporaryFolder();
  await using server = await startBlog(folder.path);
  const posts = `${server.blog}/posts`;
  const made = await curl(posts, "--data-urlencode", "post_text=50% & more = ä\n");
  assertMatch(made, /^HTTP\/1\.1 201 /);
  const place = server.blog + /^location: (\S+)/m.exec(made)![1];
  const etag = /^etag: (\S+)/m.exec(made)![1]!;
  assertEquals(JSON.parse(made.split("\r\n\r\n")[1]!).post_text, "50% & more = ä\n");
  assertMatch(await curl(place, "-H", `If-None-Match: ${etag}`), /^HTTP\/1\.1 304 [^]*\r\n\r\n$/);
  assertMatch(await curl("--head", posts), /^HTTP\/1\.1 200 [^]*\r\n\r\n$/);
  const put = ["-X", "PUT", "--json", '{"post_text":"new"}'];
  assertMatch(await curl(place, ...put, "-H", 'If-Match: "other"'), /^HTTP\/1\.1 412 /);
  assertMatch(await curl(place, ...put, "-H", `If-Match: ${etag}`), /^HTTP\/1\.1 200 /);
  assertMatch(await curl("-G", posts, "-d", "q=NEW"), /"post_text":"new"/);
  assertMatch(await curl("-G", posts, "-d", "other=1"), /^HTTP\/1\.1 400 /);
  assertMatch(
    await curl("-X", "PATCH", place),
    /^HTTP\/1\.1 405 [^]*allow: GET, HEAD, PUT, DELETE/,
  );
  assertMatch(await curl("-X", "OPTIONS", posts), /^HTTP\/1\.1 405 [^]*allow: GET, HEAD, POST/);
  assertMatch(await curl(`${server.blog}/other`), /^HTTP\/1\.1 404 [^]*application\/problem\+json/);
  // curl waits for "100 Continue" with a body so long, and need not send it
  const long = `${folder.path}/long`;
  await Deno.writeTextFile(long, `post_text=${"x".repeat(3_000_000)}`);
  assertMatch(await curl(posts, "-d", `@${long}`), /^HTTP\/1\.1 413 /m);
  assertMatch(await curl(posts, "-H", "Expect:", "-d", `@${long}`), /^HTTP\/1\.1 413 /m);
  assertMatch(await curl(posts, "-H", "Transfer-Encoding: chunked", "-d", `@${long}`), / 413 /);
  assertMatch(await curl(place, "-X", "DELETE"), /^HTTP\/1\.1 204 /);
  assertMatch(await curl(place), /^HTTP\/1\.1 404 /);
});

peerTest("posts_server does what Python's requests ask of it", ["python3"], async () => {
  using folder = temporaryFolder();
  await using server = await startBlog(folder.path);
  await using client = new Process(python("blog_client.py", server.blog));
  assertEquals(await client.end(), 0, client.stderr.text);
  assertEquals(client.stdout.text, "all as it should be\n");
});

peerTest("requests walks through a blog by Python's http.server", ["python3"], async () => {
  const port = freePort();
  await using server = await startPeer(python("blog_server.py", port), /^listening/);
  const words = [pathOf("http/requests"), "--port", String(port)];
  await using client = new Process([
    ...[Deno.execPath(), "run", "--no-prompt", `--allow-net=127.0.0.1:${port}`],
    ...words,
  ]);
  assertEquals(await client.end(), 0, client.stderr.text);
  const expected = [
    /^POST a form: 201 Created, it is at \/posts\/1$/,
    /^POST JSON: 201 Created, it is at \/posts\/2$/,
    /^GET .*\/posts\?q=Exciting%21: 200 OK$/,
    /^Success!$/,
    /^Content-Type: application\/json$/,
    /^content-type: application\/json$/,
    /^1 Today, I started learning Python\. Exciting!$/,
    /^PUT: 200 OK, now "some_updated_text"$/,
    /^GET, if it is not what I have: 304 Not Modified$/,
    /^PUT, if it is what I saw first: 412 Precondition Failed$/,
    /^POST without a text: 422 Unprocessable (?:Entity|Content): #\/post_text is missing$/,
    /^DELETE: 204 No Content$/,
    /^DELETE: 204 No Content$/,
    /^GET what is no more: 404 Not Found$/,
    /^Fail$/,
    /^GET with a deadline: cannot GET .*: no answer came in time$/,
  ];
  for (const [index, pattern] of expected.entries()) {
    assertMatch(client.stdout.lines[index] ?? "", pattern);
  }
  assertEquals(client.stdout.lines.length, expected.length);
  await server.stop("SIGTERM");
});
