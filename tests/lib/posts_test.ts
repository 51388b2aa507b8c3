/** What a blog as a web service is made of: entity tags, fields, rules, and the file of posts. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { etagOf, judge } from "../../lib/etag.ts";
import { readFields } from "../../lib/http_fields.ts";
import { pointerTo, Problem } from "../../lib/http_problem.ts";
import { readJson } from "../../lib/json_reply.ts";
import { checkPost, checkQuery, LONGEST_POST, refuseOtherSites } from "../../lib/post_rules.ts";
import { PostStore } from "../../lib/post_store.ts";
import { chance, encode } from "./helpers.ts";

const URL_OF_POSTS = "http://127.0.0.1/posts";

function conditional(headers: Record<string, string>, method = "GET"): Request {
  return new Request(URL_OF_POSTS, { method, headers });
}

Deno.test("judge compares strongly for If-Match and weakly for If-None-Match when tags are given", () => {
  const cases: [headers: Record<string, string>, method: string, verdict: string][] = [
    [{}, "GET", "go on"],
    [{ "if-none-match": '"a"' }, "GET", "not modified"],
    [{ "if-none-match": 'W/"a"' }, "HEAD", "not modified"],
    [{ "if-none-match": '"b", "x,y",W/"a"' }, "GET", "not modified"],
    [{ "if-none-match": "*" }, "GET", "not modified"],
    [{ "if-none-match": "*" }, "PUT", "match"],
    [{ "if-none-match": '"a"' }, "POST", "match"],
    [{ "if-none-match": '"b"' }, "PUT", "go on"],
    [{ "if-none-match": "a" }, "GET", "go on"],
    [{ "if-none-match": '"a' }, "GET", "go on"],
    [{ "if-match": '"a"' }, "PUT", "go on"],
    [{ "if-match": '"b" , "a"' }, "PUT", "go on"],
    [{ "if-match": 'W/"a"' }, "PUT", "no match"],
    [{ "if-match": '"b"' }, "DELETE", "no match"],
    [{ "if-match": '"b"' }, "GET", "no match"],
    [{ "if-match": "*" }, "PUT", "go on"],
    [{ "if-match": "" }, "PUT", "no match"],
    [{ "if-match": '"b"', "if-none-match": '"a"' }, "GET", "no match"],
  ];
  for (const [headers, method, verdict] of cases) {
    assertEquals(judge(conditional(headers, method), '"a"'), verdict, JSON.stringify(headers));
  }
});

Deno.test("etagOf differs when a byte differs", async () => {
  assert(await etagOf("a") !== await etagOf("b"));
  assertEquals(await etagOf("ä"), await etagOf(encode("ä")));
});

/** What a request's fields are, or the status of the problem. */
async function fieldsOf(
  body: BodyInit,
  type: string,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const all = { ...headers, ...(type && { "content-type": type }) };
  const request = new Request(URL_OF_POSTS, { method: "POST", body, headers: all });
  try {
    return Object.fromEntries(await readFields(request, { limit: 100, timeout: 50 }));
  } catch (error) {
    if (error instanceof Problem) return error.status;
    throw error;
  }
}

Deno.test("readFields gives fields, or tells by the status what is wrong, when a body comes", async () => {
  const [json, form] = ["application/json", "application/x-www-form-urlencoded"];
  assertEquals(await fieldsOf('{"a":1,"b":[true]}', json), { a: 1, b: [true] });
  assertEquals(await fieldsOf('{"a":1}', "Application/JSON; charset=utf-8"), { a: 1 });
  assertEquals(await fieldsOf("a=1+2&b=%C3%A4&c", form), { a: "1 2", b: "ä", c: "" });
  assertEquals(
    await fieldsOf('{"__proto__":{"x":1}}', json).then(JSON.stringify),
    '{"__proto__":{"x":1}}',
  );
  assertEquals(await fieldsOf("a=1&a=2", form), 422);
  for (const body of ["", "{", "[]", "null", "1", '"a"', "\u0000"]) {
    assertEquals(await fieldsOf(body, json), 400, body);
  }
  assertEquals(await fieldsOf(new Uint8Array([0x61, 0x3d, 0xff]), form), 400);
  for (const body of ["a=%E4", "%E4=a", "a=%C3x%A4", "a=%c3+%a4", "a=%ED%A0%80", "b=1&a=%FF"]) {
    assertEquals(await fieldsOf(body, form), 400, body);
  }
  assertEquals(await fieldsOf("a=%c3%A4ü%&b=100%zz%4", form), { a: "äü%", b: "100%zz%4" });
  assertEquals(await fieldsOf("a=1", ""), 415);
  assertEquals(await fieldsOf("a=1", "text/plain"), 415);
  assertEquals(await fieldsOf("a=1", form, { "content-encoding": "gzip" }), 415);
  for (const coding of ["", " , ", "Identity,"]) {
    assertEquals(await fieldsOf("a=1", form, { "content-encoding": coding }), { a: "1" });
  }
  assertEquals(await fieldsOf(`a=${"x".repeat(98)}`, form), { a: "x".repeat(98) });
  assertEquals(await fieldsOf(`a=${"x".repeat(99)}`, form), 413);
  const endless = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(60)) });
  assertEquals(await fieldsOf(endless, form), 413);
  const silent = new ReadableStream({ pull: () => new Promise(() => {}) });
  assertEquals(await fieldsOf(silent, form), 408);
  const broken = new ReadableStream({ pull: (to) => to.error(new Error("reset")) });
  assertEquals(await fieldsOf(broken, form), 400);
});

Deno.test("checkPost tells all faults at once when a post has several", () => {
  assertEquals(
    checkPost(new Map([["post_text", "x".repeat(LONGEST_POST)]])),
    "x".repeat(LONGEST_POST),
  );
  const faults = (fields: Record<string, unknown>) => {
    const { options } = assertThrows(() => checkPost(new Map(Object.entries(fields))), Problem);
    return options.errors!.map(({ pointer, detail }) => `${pointer} ${detail}`);
  };
  assertEquals(faults({}), ["#/post_text is missing"]);
  assertEquals(faults({ post_text: 1 }), ["#/post_text is to be a text"]);
  assertEquals(faults({ post_text: " \n" }), ["#/post_text is empty"]);
  assertEquals(faults({ post_text: "\ud800" }), [
    "#/post_text has half a character (a lone surrogate)",
  ]);
  assertEquals(faults({ post_text: "x".repeat(LONGEST_POST + 1) }).length, 1);
  assertEquals(faults({ "a/b~\ud800": 1 }).length, 2);
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`n${index}`, 1]));
  assertEquals(faults(many).length, 11);
});

Deno.test("pointerTo escapes when a field's name has a slash, a tilde, or no ASCII", () => {
  assertEquals(pointerTo("a/b~ä"), "#/a~1b~0%C3%A4");
});

Deno.test("checkQuery finds texts in any case and refuses when a parameter is unknown", () => {
  const post = { id: 1, post_text: "Hello World", created: "", updated: "" };
  assertEquals(checkQuery(new URLSearchParams("q=WORLD"))(post), true);
  assertEquals(checkQuery(new URLSearchParams("q=mars"))(post), false);
  assertEquals(checkQuery(new URLSearchParams(""))(post), true);
  assertThrows(() => checkQuery(new URLSearchParams("p=1")), Problem);
  assertThrows(() => checkQuery(new URLSearchParams("q=1&q=2")), Problem);
});

Deno.test("refuseOtherSites refuses when a page of another site asks", () => {
  const ask = (origin?: string) =>
    refuseOtherSites(
      new Request(URL_OF_POSTS, { headers: origin === undefined ? {} : { origin } }),
      new URL(URL_OF_POSTS),
    );
  ask();
  ask("http://127.0.0.1");
  for (
    const origin of ["null", "http://evil.example", "https://127.0.0.1", "http://127.0.0.1:81"]
  ) {
    assertThrows(() => ask(origin), Problem);
  }
});

Deno.test("readJson fails when a body is longer than the limit", async () => {
  await assertRejects(
    () => readJson(Response.json("x".repeat(100)), { limit: 50 }),
    Error,
    "50 bytes",
  );
});

async function temporary(): Promise<AsyncDisposable & { folder: string; file: string }> {
  const parent = await Deno.makeTempDir({ prefix: "posts-" });
  const folder = `${parent}/posts`;
  const remove = () => Deno.remove(parent, { recursive: true });
  return { folder, file: `${folder}/posts.jsonl`, [Symbol.asyncDispose]: remove };
}

Deno.test("PostStore gives no number twice when posts are removed and it is opened again", async () => {
  await using place = await temporary();
  for (let life = 1; life <= 3; life++) {
    using posts = await PostStore.open(place.folder);
    const { id } = await posts.add("hello");
    assertEquals(id, life);
    await posts.change(id, () => undefined);
    assertEquals(posts.all(), []);
  }
});

Deno.test("PostStore lets one of many win when all change the same version of a post", async () => {
  await using place = await temporary();
  using posts = await PostStore.open(place.folder);
  const seen = await posts.add("first");
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, writer) =>
      posts.change(seen.id, async (post) => {
        await Promise.resolve();
        if (post!.post_text !== seen.post_text) throw new Problem(412, "changed");
        return { ...post!, post_text: `writer ${writer}` };
      })),
  );
  assertEquals(results.filter(({ status }) => status === "fulfilled").length, 1);
  assertEquals(posts.get(seen.id)?.post_text, "writer 0");
});

Deno.test("PostStore keeps on the disk what it says when many write at once", async () => {
  await using place = await temporary();
  const random = chance(3);
  const model = new Map<number, string>();
  {
    using posts = await PostStore.open(place.folder, { limit: 100 });
    await Promise.all(Array.from({ length: 20 }, async () => {
      for (let step = 0; step < 10; step++) {
        const text = `${random(1e9)} "\n\u2028 ä`;
        const { id } = await posts.add(text).catch(() => ({ id: 0 }));
        if (id === 0) continue;
        model.set(id, text);
        if (random(2) === 0) {
          await posts.change(id, () => undefined);
          model.delete(id);
        }
      }
    }));
    assert(model.size <= 100);
  }
  using again = await PostStore.open(place.folder);
  assertEquals(new Map(again.all().map(({ id, post_text }) => [id, post_text])), model);
});

Deno.test("PostStore takes no more when it is full, and again when one has gone", async () => {
  await using place = await temporary();
  using posts = await PostStore.open(place.folder, { limit: 2 });
  await posts.add("one");
  await posts.add("two");
  const full = await assertRejects(() => posts.add("three"), Problem);
  assertEquals(full.status, 507);
  await posts.change(1, () => undefined);
  assertEquals((await posts.add("three")).id, 3);
});

Deno.test("PostStore names the line when a file was damaged, and leaves it as it is", async () => {
  await using place = await temporary();
  {
    using posts = await PostStore.open(place.folder);
    await posts.add("one");
  }
  const good = await Deno.readTextFile(place.file);
  for (
    const [text, message] of [
      [good.slice(0, -5), "line 2 is no JSON object"],
      [good + '{"id":"2"}\n', "line 3 is no post"],
      [good.replace('"next":2', '"next":"2"'), "line 1 does not have the next number"],
      ["", "line 1 is no JSON object"],
    ] as const
  ) {
    await Deno.writeTextFile(place.file, text);
    await assertRejects(() => PostStore.open(place.folder), Error, message);
    assertEquals(await Deno.readTextFile(place.file), text);
  }
  // what a process that was killed left beside it does not matter
  await Deno.writeTextFile(place.file, good);
  await Deno.writeTextFile(`${place.file}.part`, "half");
  using posts = await PostStore.open(place.folder);
  assertEquals(posts.get(1)?.post_text, "one");
  await posts.add("two");
});

Deno.test("PostStore fails to add, and keeps what was there, when the file cannot be written", async () => {
  await using place = await temporary();
  using posts = await PostStore.open(place.folder);
  await posts.add("one");
  await Deno.mkdir(`${place.file}.part`);
  await Deno.writeTextFile(`${place.file}.part/in-the-way`, "");
  await assertRejects(() => posts.add("two"), Error, "cannot write");
  assertEquals(posts.all().length, 1);
  await Deno.remove(`${place.file}.part`, { recursive: true });
  assertEquals((await posts.add("two")).id, 2);
});

Deno.test("judge comes to a verdict when it gets 100,000 headers of chance", () => {
  const random = chance(17);
  const parts = ['"', "W/", "w/", ",", " ", "*", "a", '"a"', '\\"', "\u00ff", "\t", "-"];
  for (let round = 0; round < 100_000; round++) {
    const list = Array.from({ length: random(12) }, () => parts[random(parts.length)]).join("");
    const request = conditional({ [random(2) === 0 ? "if-match" : "if-none-match"]: list });
    const verdict = judge(request, '"a"');
    // what is known is in the list, as a tag of its own
    const listed = list.trim() === "*" || /(?:^|[^])"a"/.test(list);
    if (verdict === "not modified") assert(listed, list);
    if (verdict === "go on" && request.headers.has("if-match")) assert(listed, list);
  }
});

Deno.test("readFields gives fields or a problem when it gets 20,000 bodies of chance", async () => {
  const random = chance(19);
  const parts = [
    "{",
    "}",
    '"',
    ":",
    ",",
    "post_text",
    "[",
    "]",
    "1e999",
    "\\ud800",
    "&",
    "=",
    "%",
    "%zz",
    "+",
  ];
  const types = ["application/json", "application/x-www-form-urlencoded"];
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: random(12) }, () => parts[random(parts.length)]).join("");
    const body = encode(text);
    if (random(4) === 0 && body.length > 0) body[random(body.length)] = random(256);
    const outcome = await fieldsOf(body, types[random(2)]!);
    assert(typeof outcome === "object" || [400, 413, 422].includes(outcome as number), text);
  }
});

Deno.test("PostStore opens a file or names its fault when it is cut anywhere", async () => {
  await using place = await temporary();
  {
    using posts = await PostStore.open(place.folder);
    await posts.add("one ä");
    await posts.add("two");
  }
  const whole = await Deno.readFile(place.file);
  for (let length = 0; length < whole.length; length++) {
    await Deno.writeFile(place.file, whole.subarray(0, length));
    try {
      using posts = await PostStore.open(place.folder);
      // cut between two lines: what is there is whole
      assert(
        posts.all().every(({ post_text }) => ["one ä", "two"].includes(post_text)),
        `${length}`,
      );
    } catch (error) {
      assert(
        /cannot read .*posts\.jsonl: line \d is no/.test((error as Error).message),
        `${error}`,
      );
    }
  }
});
