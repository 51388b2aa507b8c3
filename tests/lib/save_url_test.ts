import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { within } from "../../lib/deadline.ts";
import { RefusedUrl, type SaveOptions, saveUrl } from "../../lib/save_url.ts";
import { decode, encode, temporaryFolder } from "./helpers.ts";

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]);
const LIMIT = 1_000;

/** A body that comes in parts, and has no length told beforehand. */
function inParts(parts: Uint8Array[], end: "ends" | "hangs" | "fails"): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      const part = parts[next++];
      if (part) return controller.enqueue(part);
      if (end === "ends") return controller.close();
      if (end === "fails") return controller.error(new Error("broken on purpose"));
      return new Promise(() => {});
    },
  });
}

const redirect = (location: string, status = 302) =>
  new Response(null, { status, headers: { location } });

const text = { "content-type": "text/plain" };

/** What the server of these tests has. */
const PAGES: Record<string, (url: URL) => Response> = {
  "/notes.txt": () => new Response("day 4\n"),
  "/dot.png": () => new Response(PNG, { headers: { "content-type": "image/png" } }),
  "/setup.exe": () => new Response("MZ"),
  "/zip": () => new Response("PK", { headers: { "content-type": "application/zip" } }),
  "/nothing-said": () => new Response(PNG),
  "/empty.txt": () => new Response("", { headers: text }),
  "/full.txt": () => new Response("x".repeat(LIMIT)),
  "/too-long.txt": () => new Response("x".repeat(LIMIT + 1)),
  "/full-in-parts": () =>
    new Response(inParts([new Uint8Array(900), new Uint8Array(100)], "ends"), { headers: text }),
  "/too-long-in-parts": () =>
    new Response(inParts([new Uint8Array(900), new Uint8Array(101)], "hangs"), { headers: text }),
  "/endless": () =>
    new Response(inParts(Array(10_000).fill(new Uint8Array(65_536)), "ends"), { headers: text }),
  "/hangs": () => new Response(inParts([encode("half")], "hangs"), { headers: text }),
  "/breaks": () => new Response(inParts([encode("half")], "fails"), { headers: text }),
  "/gone": () => new Response("no such page", { status: 404 }),
  "/broken": () => new Response("oh", { status: 500 }),
  "/once": () => redirect("/notes.txt"),
  "/named": () => redirect("/elsewhere/final.txt?x=1"),
  "/elsewhere/final.txt": () => new Response("there"),
  "/file": () => redirect("file:///etc/passwd"),
  "/ftp": () => redirect("ftp://127.0.0.1/x"),
  "/data": () => redirect("data:text/plain,hello"),
  "/secret": () => redirect("http://user:word@127.0.0.1/"),
  "/bad": () => redirect("http://[/"),
  "/hop": (url) => {
    const left = Number(url.search.slice(1));
    return left > 0 ? redirect(`/hop?${left - 1}`, 307) : new Response("arrived");
  },
};

/** A server, and a folder to save to. */
function world(): AsyncDisposable & {
  at: string;
  folder: string;
  files(): Record<string, string>;
} {
  const parent = temporaryFolder();
  const folder = `${parent.path}/downloads`;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response(null) },
    (request) => {
      const url = new URL(request.url);
      return PAGES[url.pathname]?.(url) ?? new Response(null, { status: 404 });
    },
  );
  return {
    at: `http://127.0.0.1:${server.addr.port}`,
    folder,
    files: () => filesOf(folder),
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      parent[Symbol.dispose]();
    },
  };
}

function filesOf(folder: string): Record<string, string> {
  try {
    return Object.fromEntries(
      Array.from(Deno.readDirSync(folder))
        .map(({ name }) => [name, decode(Deno.readFileSync(`${folder}/${name}`))]),
    );
  } catch {
    return {};
  }
}

Deno.test("saveUrl saves a text or an image when", async (t) => {
  const cases: [path: string, name: string, content: string][] = [
    ["/notes.txt", "notes.txt", "day 4\n"],
    ["/dot.png", "dot.png", decode(PNG)],
    ["/setup.exe", "setup.exe.txt", "MZ"],
    ["/empty.txt", "empty.txt", ""],
    ["/full.txt", "full.txt", "x".repeat(LIMIT)],
    ["/full-in-parts", "full-in-parts.txt", "\0".repeat(LIMIT)],
    ["/once", "notes.txt", "day 4\n"],
    ["/named", "final.txt", "there"],
    ["/hop?5", "hop.txt", "arrived"],
  ];
  for (const [path, name, content] of cases) {
    await t.step(`${path} is asked for`, async () => {
      await using w = world();
      const { folder } = w;
      const saved = await saveUrl(w.at + path, { folder, limit: LIMIT, allowPrivate: true });
      assertEquals(w.files(), { [name]: content });
      assertEquals(saved.path, `${folder}/${name}`);
      assertEquals(saved.bytes, Deno.statSync(saved.path).size);
    });
  }
});

Deno.test("saveUrl leaves no file and says why when", async (t) => {
  const cases: [path: string, fault: string, options?: Partial<SaveOptions>][] = [
    ["/too-long.txt", "it has more than 1000 bytes"],
    ["/too-long-in-parts", "it has more than 1000 bytes"],
    ["/endless", "it has more than 1000 bytes"],
    ["/zip", '"application/zip" is neither text nor an image'],
    ["/nothing-said", '"" is neither text nor an image'],
    ["/gone", "the server answered 404"],
    ["/broken", "the server answered 500"],
    ["/hangs", "it took longer than 0.1 s", { timeout: 100 }],
    ["/breaks", "error"],
    ["/hop?6", "it was redirected more than 5 times"],
    ["/hop?1", "it was redirected more than 0 times", { redirects: 0 }],
    ["/file", "file: is neither http: nor https:"],
    ["/ftp", "ftp: is neither"],
    ["/data", "data: is neither"],
    ["/secret", "it carries a user name or password"],
    ["/bad", "it is no URL"],
  ];
  for (const [path, fault, options] of cases) {
    await t.step(`${path} is asked for`, async () => {
      await using w = world();
      const { folder } = w;
      const settings = { folder, limit: LIMIT, allowPrivate: true, ...options };
      const error = await assertRejects(() => saveUrl(w.at + path, settings), Error);
      assertStringIncludes(error.message, fault);
      assertEquals(w.files(), {});
    });
  }
});

Deno.test("saveUrl refuses before it connects when", async (t) => {
  const cases: [url: string, fault: string][] = [
    ["", "it is no URL"],
    ["notes.txt", "it is no URL"],
    ["//host/x", "it is no URL"],
    ["file:///etc/passwd", "file: is neither http: nor https:"],
    ["ftp://host/x", "ftp: is neither"],
    ["javascript:alert(1)", "javascript: is neither"],
    ["http://user@8.8.8.8/", "it carries a user name or password"],
    ["http://127.0.0.1/x", "127.0.0.1 is in a private network"],
    ["http://2130706433/x", "127.0.0.1 is in a private network"],
    ["http://0x7f.1/x", "127.0.0.1 is in a private network"],
    ["https://[::1]/x", "[::1] is in a private network"],
    ["http://[::ffff:10.0.0.1]/x", "is in a private network"],
    ["http://169.254.169.254/latest/meta-data", "is in a private network"],
    ["http://localhost/x", "localhost is in a private network"],
    ["http://a.LOCALHOST/x", "a.localhost is in a private network"],
    ["http://localhost./x", "localhost. is in a private network"],
  ];
  for (const [url, fault] of cases) {
    await t.step(`the URL is "${url}"`, async () => {
      using folder = temporaryFolder();
      const saving = () => saveUrl(url, { folder: folder.path });
      assertStringIncludes((await assertRejects(saving, RefusedUrl)).message, fault);
      assertEquals(filesOf(folder.path), {});
    });
  }
});

/** Answers in place of the internet; gives what was asked for. */
function internet(answer: (url: string) => Response): Disposable & { asked: string[] } {
  const real = globalThis.fetch;
  const asked: string[] = [];
  globalThis.fetch = (input) => {
    asked.push(String(input));
    return Promise.resolve(answer(String(input)));
  };
  return { asked, [Symbol.dispose]: () => void (globalThis.fetch = real) };
}

for (const target of ["http://127.0.0.1:8000/", "//10.0.0.1/x", "http://[fd00::1]/"]) {
  Deno.test(`saveUrl asks nobody there when a public server redirects to ${target}`, async () => {
    using folder = temporaryFolder();
    using net = internet(() => redirect(target));
    const saving = () => saveUrl("http://93.184.216.34/a", { folder: folder.path });
    assertStringIncludes((await assertRejects(saving, RefusedUrl)).message, "private network");
    assertEquals(net.asked, ["http://93.184.216.34/a"]);
  });
}

Deno.test("saveUrl saves from a public address when private ones are refused", async () => {
  using folder = temporaryFolder();
  using _net = internet(() => new Response("public"));
  await saveUrl("http://93.184.216.34/a", { folder: folder.path });
  assertEquals(filesOf(folder.path), { "a.txt": "public" });
});

Deno.test("saveUrl numbers the files when the name is taken, also by several at once", async () => {
  await using w = world();
  const { folder } = w;
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/notes.txt`, "mine");
  await Deno.symlink("/dev/null", `${folder}/notes (2).txt`);
  const save = () => saveUrl(`${w.at}/notes.txt`, { folder, allowPrivate: true });
  const saved = await Promise.all([save(), save(), save()]);
  const names = ["notes (3).txt", "notes (4).txt", "notes (5).txt"];
  assertEquals(saved.map(({ path }) => path).sort(), names.map((name) => `${folder}/${name}`));
  assertEquals(w.files()["notes.txt"], "mine");
  assertEquals(names.map((name) => w.files()[name]), Array(3).fill("day 4\n"));
});

/** A server that is none of HTTP: says something when asked, and closes or not. */
function rawServer(says: string, closes: boolean) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(4_096));
    await connection.write(encode(says));
    // until the client has gone
    while (!closes && await connection.read(new Uint8Array(1)).catch(() => null) !== null);
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}/x`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

Deno.test("saveUrl leaves no file and ends in time when the server", async (t) => {
  const head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n";
  const cases: [does: string, says: string, closes: boolean][] = [
    ["is silent", "", false],
    ["sends half of a header", "HTTP/1.1 200 OK\r\ncontent-ty", false],
    ["closes without an answer", "", true],
    ["sends nonsense", "\0\xff\r\n\r\n", true],
    ["announces more than it sends", `${head}content-length: 100\r\n\r\nhalf`, true],
    ["announces more than it sends, and waits", `${head}content-length: 100\r\n\r\nhalf`, false],
  ];
  for (const [does, says, closes] of cases) {
    await t.step(does, async () => {
      using folder = temporaryFolder();
      await using server = rawServer(says, closes);
      const options = { folder: folder.path, timeout: 150, allowPrivate: true };
      const saving = saveUrl(server.url, options);
      await within(30_000, Promise.allSettled([saving]));
      await assertRejects(() => saving, Error);
      assertEquals(filesOf(folder.path), {});
    });
  }
});
