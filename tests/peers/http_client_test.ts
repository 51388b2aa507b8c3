/**
 * http_by_hand and bad_request with nginx and Python's http.server; the bytes are those that curl gets.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bytesOfSize, NGINX, type Nginx, SIZES, startNginx } from "./nginx.ts";
import { freePort, peerTest, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const AT_ONCE = 4;

/** A script of the chapter with its narrow flags. */
async function client(script: string, flags: string[], words: string[]) {
  const start = [Deno.execPath(), "run", "--no-prompt", ...flags, pathOf(`http/${script}`)];
  await using process = new Process([...start, ...words]);
  const code = await process.end();
  return { code, bytes: process.stdout.bytes, stderr: process.stderr.text };
}

function byHand(url: string, ...words: string[]) {
  const { host } = new URL(url);
  const ca = words.includes("--ca") ? [`--allow-read=${words[words.indexOf("--ca") + 1]}`] : [];
  return client("http_by_hand", [`--allow-net=${host}`, ...ca], [...words, url]);
}

async function curl(url: string, ...words: string[]) {
  await using process = new Process(["curl", "-sS", "--noproxy", "*", ...words, url]);
  assertEquals(await process.end(), 0, process.stderr.text);
  return process.stdout.bytes;
}

/** Does something with each element, some at a time. */
async function each<T>(list: T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = list.values();
  const worker = async () => {
    for (const one of left) await work(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function assertSame(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assertEquals(actual.length, expected.length, what);
  assert(actual.every((byte, at) => byte === expected[at]), `${what}: the bytes differ`);
}

const PATHS = [
  ...["", "chunked/", "close/", "gzip/"].flatMap((way) => SIZES.map((size) => `/${way}${size}`)),
  "/closing/4096",
  "/moved/301",
  "/moved/302",
  "/moved/308",
  "/folder", // is redirected to /folder/
  "/status/200",
  "/status/204",
  "/status/403",
  "/status/500",
  "/status/503",
  "/nowhere",
  "/",
  "/1?query=/a%20b&c",
  "/a%20name.txt",
  "/gr%C3%B6%C3%9Fe.html",
];

peerTest(
  `http_by_hand gets from nginx what curl gets, at ${PATHS.length} URLs`,
  [NGINX, "curl"],
  async () => {
    await using nginx = await startNginx();
    const ends = new Map<string, number>();
    await each(PATHS, async (path) => {
      const url = `http://127.0.0.1:${nginx.port}${path}`;
      const expected = await curl(url);
      const { code, bytes, stderr } = await byHand(url);
      assertEquals(code, 0, stderr);
      assertSame(bytes, expected, path);
      const end = /bytes of body, (.*)$/m.exec(stderr)![1]!;
      ends.set(end, (ends.get(end) ?? 0) + 1);
      if (!/^\/(chunked\/|close\/)?409[67]$/.test(path)) return;
      const single = await byHand(url, "--read-size", "1");
      assertSame(single.bytes, expected, `${path}, a byte at a time`);
    });
    assertEquals([...ends.keys()].sort(), [
      "as many as announced",
      "since HEAD, 204 and 304 are answered without one",
      "up to the end of the connection",
      "up to the last chunk",
    ]);
  },
);

peerTest("http_by_hand asks nginx for headers, and refuses what is packed", [NGINX], async () => {
  await using nginx = await startNginx();
  const url = `http://127.0.0.1:${nginx.port}`;
  const head = await byHand(`${url}/4096`, "--head");
  assertEquals([head.code, head.bytes.length], [0, 0], head.stderr);
  assertStringIncludes(head.stderr, "< Content-Length: 4096\n");
  const packed = await byHand(`${url}/packed/4096`);
  assertEquals([packed.code, packed.bytes.length], [1, 0], packed.stderr);
  assertStringIncludes(packed.stderr, 'sends the body as "gzip", but was asked not to');
  // a megabyte does not come in one read, and nginx keeps the connection open
  const naive = await byHand(`${url}/slow/1048576`, "--naive");
  assertEquals(naive.code, 0, naive.stderr);
  assertMatch(
    new TextDecoder().decode(naive.bytes),
    /the lecture's loop: [^]*by the rules: 1048\d{3} /,
  );
});

peerTest("http_by_hand gets from nginx over TLS what curl gets", [NGINX, "curl"], async () => {
  await using nginx = await startNginx();
  const url = `https://127.0.0.1:${nginx.tlsPort}`;
  await each(
    [4_096, 1_048_576].flatMap((size) => [`/${size}`, `/chunked/${size}`, `/close/${size}`]),
    async (path) => {
      const { code, bytes, stderr } = await byHand(url + path, "--ca", nginx.ca);
      assertEquals(code, 0, stderr);
      assertSame(bytes, await curl(url + path, "--cacert", nginx.ca), path);
    },
  );
  const untrusted = await byHand(`${url}/1`);
  assertEquals(untrusted.code, 1);
  assertStringIncludes(untrusted.stderr, "issued by an authority that is not trusted here");
  const plain = await byHand(`http://127.0.0.1:${nginx.tlsPort}/1`);
  assertStringIncludes(plain.stderr, "< HTTP/1.1 400 Bad Request\n");
});

for (const version of ["HTTP/1.0", "HTTP/1.1"]) {
  peerTest(
    `http_by_hand gets files from Python's http.server, ${version}`,
    ["python3"],
    async () => {
      using folder = temporaryFolder();
      for (const size of SIZES) await Deno.writeFile(`${folder.path}/${size}`, bytesOfSize(size));
      await using server = await startPython(folder.path, version);
      await each(SIZES, async (size) => {
        const { code, bytes, stderr } = await byHand(`http://127.0.0.1:${server.port}/${size}`);
        assertEquals(code, 0, stderr);
        assertSame(bytes, bytesOfSize(size), `${size}`);
      });
      const missing = await byHand(`http://127.0.0.1:${server.port}/missing`);
      assertStringIncludes(missing.stderr, `< ${version} 404 File not found\n`);
    },
  );
}

/** Python's web server over a folder. Before 3.11 it can be told the version of HTTP only by a program. */
async function startPython(folder: string, version: string) {
  const port = freePort();
  const program = `import http.server as h, functools
class Handler(h.SimpleHTTPRequestHandler): protocol_version = "${version}"
server = h.ThreadingHTTPServer(("127.0.0.1", ${port}), functools.partial(Handler, directory="${folder}"))
print("listening", flush=True)
server.serve_forever()`;
  const process = new Process(["/usr/bin/python3", "-c", program]);
  await process.stdout.line(/^listening$/);
  return { port, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

function badRequest(port: number, ...words: string[]) {
  const where = ["--port", String(port)];
  return client("bad_request", [`--allow-net=127.0.0.1:${port}`], [...where, ...words]);
}

async function assertAnswer(nginx: Nginx, text: string, stdout: RegExp, stderr: RegExp) {
  const { code, bytes, stderr: said } = await badRequest(nginx.port, ...text.split("|"));
  assertEquals(code, 0, said);
  assertMatch(new TextDecoder().decode(bytes), stdout);
  assertMatch(said, stderr);
}

peerTest("bad_request is refused by nginx, and explained", [NGINX], async () => {
  await using nginx = await startNginx();
  const cases: [text: string, stdout: RegExp, stderr: RegExp][] = [
    [
      "hi",
      /^HTTP\/1\.1 400 Bad Request\n[^]*<center>nginx/,
      /"hi" has 1\n400 Bad Request: .*understand/,
    ],
    ["GET / HTTP/1.1", /^HTTP\/1\.1 400 Bad Request\n/, /this has none\n400 Bad Request/],
    [
      "GET /status/200 HTTP/1.1|Host: x|Connection: close",
      /a text\n$/,
      /close"\n200 OK: .*understood$/m,
    ],
    ["GET /nowhere HTTP/1.0", /^HTTP\/1\.1 404 Not Found\n/, /404 Not Found: .*refuses/],
    ["GET /status/200 HTTP/1.0", /a text\n$/, /200 OK: the server understood$/m],
    ["GET / HTTP/2.0", /^HTTP\/1\.1 505/, /since HTTP\/2 a request is no text: it is not typed/],
    ["get / HTTP/1.1", /^HTTP\/1\.1 400/, /"get" is no method such as GET/],
    ["GET x HTTP/1.1", /^HTTP\/1\.1 400/, /"x" is no target/],
    [
      "GET / HTTP/7.7",
      /^HTTP\/1\.1 505/,
      /505 HTTP Version Not Supported: the server could not do/,
    ],
    ["GET /1", /^[^]{1,2}$/, /no status line: it is answered as HTTP\/0\.9/],
  ];
  await each(cases, (one) => assertAnswer(nginx, ...one));
});

peerTest(
  "bad_request is refused by Python's http.server as in the first days",
  ["python3"],
  async () => {
    using folder = temporaryFolder();
    await using server = await startPython(folder.path, "HTTP/1.1");
    const { code, bytes, stderr } = await badRequest(server.port);
    assertEquals(code, 0, stderr);
    assertStringIncludes(new TextDecoder().decode(bytes), "Error code: 400");
    assertStringIncludes(stderr, "there is no status line: it is answered as HTTP/0.9");
  },
);
