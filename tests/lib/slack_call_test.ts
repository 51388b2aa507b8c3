import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { freePort } from "../../lib/runner/free_port.ts";
import { callSlack, SlackError } from "../../lib/slack.ts";
import { slackError } from "../../lib/slack_error.ts";
import { fitText, unescapeText } from "../../lib/slack_text.ts";
import { readCall } from "../../lib/slack_request.ts";
import { readToken, requireToken, Token } from "../../lib/token.ts";
import { UsageError } from "../../lib/usage.ts";

const SECRET = "xoxb-very-secret";
const token = new Token(SECRET);

/** Calls a server that answers so. */
async function callWith(
  answer: (request: Request) => Response | Promise<Response>,
  options: { timeout?: number; signal?: AbortSignal } = {},
) {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  const api = `http://127.0.0.1:${server.addr.port}/api/`;
  return await callSlack(api, "chat.postMessage", { channel: "#bot", text: "hi" }, {
    token,
    ...options,
  });
}

async function failureOf(answer: () => Response | Promise<Response>, timeout?: number) {
  return await assertRejects(() => callWith(answer, { timeout }), SlackError);
}

Deno.test("callSlack sends the token in the header, and JSON", async () => {
  const seen: unknown[] = [];
  await callWith(async (request) => {
    seen.push(request.url.replace(/^.*?:\d+/, ""), request.method);
    seen.push(request.headers.get("authorization"), await request.json());
    return Response.json({ ok: true });
  });
  assertEquals(seen, ["/api/chat.postMessage", "POST", `Bearer ${SECRET}`, {
    channel: "#bot",
    text: "hi",
  }]);
});

const html = "<html><h1>Bad Gateway</h1></html>";
for (
  const [what, answer, fault, message] of [
    ["429", () => new Response("", { status: 429 }), "again", "it says wait"],
    [
      "503 with HTML",
      () => new Response(html, { status: 503 }),
      "again",
      "HTTP 503 with an HTML page",
    ],
    ["200 with HTML", () => new Response(html), "again", "HTTP 200 with an HTML page"],
    ["200 with nothing", () => new Response(""), "again", "HTTP 200 where JSON should be"],
    ["200 with half an object", () => new Response('{"ok":tr'), "again", "where JSON should be"],
    ["200 with null", () => new Response("null"), "again", "where JSON should be"],
    ["200 with another object", () => Response.json({ okay: true }), "again", "where JSON"],
    ["404 with HTML", () => new Response(html, { status: 404 }), "setup", "HTTP 404 with an HTML"],
    ["a redirect", () => Response.redirect("http://127.0.0.1:1/"), "setup", "HTTP 302"],
    [
      "internal_error",
      () => Response.json({ ok: false, error: "internal_error" }),
      "again",
      "problem",
    ],
    [
      "no_text",
      () => Response.json({ ok: false, error: "no_text" }),
      "message",
      "there is no text",
    ],
    ["a new code", () => Response.json({ ok: false, error: "odd\x1b" }), "message", "odd\\x1b"],
    ["no code", () => Response.json({ ok: false }), "message", "undefined"],
    ["toString", () => Response.json({ ok: false, error: "toString" }), "message", "toString"],
    [
      "invalid_auth",
      () => Response.json({ ok: false, error: "invalid_auth" }),
      "setup",
      "not valid",
    ],
  ] as const
) {
  Deno.test(`callSlack tells what to do when the answer is ${what}`, async () => {
    const error = await failureOf(answer);
    assertEquals(error.fault, fault, error.message);
    assertStringIncludes(error.message, message);
  });
}

for (
  const [header, expected] of [["7", 7_000], ["soon", undefined], ["99999", 3_600_000]] as const
) {
  Deno.test(`callSlack waits ${expected} ms when Retry-After is ${header}`, async () => {
    const headers = { "retry-after": header };
    const error = await failureOf(() => new Response("", { status: 429, headers }));
    assertEquals([error.code, error.retryAfter], ["ratelimited", expected]);
  });
}

Deno.test("callSlack gives up when no answer, or only half of it, comes in time", async () => {
  const never = Promise.withResolvers<void>();
  const half = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode('{"ok":'));
      await never.promise;
      controller.close();
    },
    // the client has gone
    cancel: () => never.resolve(),
  });
  const late = await failureOf(
    () => new Promise((resolve) => setTimeout(resolve, 150, new Response())),
    50,
  );
  const cut = await failureOf(() => new Response(half), 50);
  never.resolve();
  for (const error of [late, cut]) {
    assertEquals([error.fault, error.message], [
      "again",
      "no answer came from Slack within 0.05 s",
    ]);
  }
});

Deno.test("callSlack reads no endless answer", async () => {
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(0x20)),
  });
  const error = await failureOf(() => new Response(endless));
  assertStringIncludes(error.message, "where JSON should be");
});

Deno.test("callSlack throws the signal's reason when it is aborted", async () => {
  const reason = new Error("stopped");
  const signal = AbortSignal.abort(reason);
  const call = callWith(() => Response.json({ ok: true }), { signal });
  assertEquals(await call.catch((error) => error), reason);
});

Deno.test("callSlack names the partner's absence when nothing listens", async () => {
  const port = freePort();
  const error = await assertRejects(
    () => callSlack(`http://127.0.0.1:${port}/api`, "auth.test", {}, { token }),
    SlackError,
    "connection refused, nothing is listening there",
  );
  assertEquals([error.fault, error.explanation.partner], ["again", true]);
});

Deno.test("callSlack tries again later when the connection is dropped", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dropping = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(10));
  })();
  const api = `http://127.0.0.1:${listener.addr.port}/api`;
  const error = await assertRejects(() => callSlack(api, "auth.test", {}, { token }), SlackError);
  await dropping;
  assertEquals(error.fault, "again", error.message);
});

for (const api of ["http://slack.com/api", "slack.com", "ftp://slack.com/api", ""]) {
  Deno.test(`callSlack sends no token to "${api}"`, async () => {
    await assertRejects(() => callSlack(api, "auth.test", {}, { token }), UsageError, "--api is");
  });
}

Deno.test("callSlack never shows the token, even when the answer repeats it", async () => {
  const errors = [
    await failureOf(() => Response.json({ ok: false, error: `bad ${SECRET}` })),
    await failureOf(() => new Response(`<p>${SECRET}`, { status: 500 })),
    await failureOf(() => new Response(SECRET)),
  ];
  for (const error of errors) {
    const all = Deno.inspect(error) + JSON.stringify(error) + error.message + error.stack;
    assert(!all.includes(SECRET), all);
  }
  assert(!Deno.inspect({ token }).includes(SECRET));
});

Deno.test("a token equals itself and nothing else", async () => {
  const guesses = ["", SECRET.slice(1), SECRET.toUpperCase(), SECRET + " "];
  for (const guess of guesses) assertEquals(await token.equals(guess), false, guess);
  assertEquals(await token.equals(SECRET), true);
});

Deno.test("readToken refuses what would break the header, without showing it", () => {
  const name = "SLACK_TOKEN_OF_A_TEST";
  for (const value of ["two words", "a\nb: c", "ä", "x".repeat(1_025)]) {
    Deno.env.set(name, value);
    try {
      readToken(name);
      throw new Error("accepted");
    } catch (error) {
      assert(error instanceof UsageError && !error.message.includes(value), String(error));
    }
  }
  Deno.env.set(name, "xoxb-1");
  assertEquals(requireToken(name).reveal(), "xoxb-1");
  Deno.env.delete(name);
  assertEquals(readToken(name), undefined);
});

Deno.test("every known error says what is wrong", () => {
  for (const code of ["channel_not_found", "not_in_channel", "msg_too_long", "not_authed"]) {
    assert(slackError(code).message.includes(": "), code);
  }
});

Deno.test("fitText keeps within the limit, cuts no character or entity, and loses nothing else", () => {
  const samples = [
    "&<>".repeat(20),
    "a😀".repeat(20),
    "👩‍👩‍👧&".repeat(9),
    "plain text of some length",
  ];
  for (const sample of samples) {
    for (let limit = 1; limit < 130; limit++) {
      const { text, leftOut } = fitText(sample, limit);
      assert(text.length <= limit, `${text.length} > ${limit}`);
      assert(text.isWellFormed());
      const kept = unescapeText(text).replace(/…$/, "");
      assert(sample.startsWith(kept), text);
      assertEquals([...sample].length - [...kept].length, leftOut);
    }
  }
});

Deno.test("fitText replaces half a character, which UTF-8 cannot hold", () => {
  assertEquals(fitText("a\ud83d").text, "a\ufffd");
});

Deno.test("readCall reads JSON, forms and queries alike", async () => {
  const form = new FormData();
  form.set("channel", "#bot");
  form.set("text", "ä & <");
  const json = { channel: "#bot", text: "ä & <" };
  for (
    const init of [
      { body: JSON.stringify(json), headers: { "content-type": "application/json" } },
      { body: new URLSearchParams(json) },
      { body: form },
    ]
  ) {
    const request = new Request("http://127.0.0.1/api?pretty=1", { method: "POST", ...init });
    assertEquals((await readCall(request)).values, { pretty: "1", ...json });
  }
});

for (
  const [code, body, type] of [
    ["invalid_json", "{", "application/json"],
    ["json_not_object", "[]", "application/json"],
    ["json_not_object", "null", "application/json; charset=utf-8"],
    ["invalid_form_data", "xyz", "multipart/form-data; boundary=b"],
    ["invalid_form_data", "xyz", "image/png"],
    ["request_too_large", " ".repeat(1024 * 1024 + 1), "application/json"],
  ]
) {
  Deno.test(`readCall says ${code} of ${body!.length} bytes of ${type}`, async () => {
    const headers = { "content-type": type! };
    const request = new Request("http://127.0.0.1/api", { method: "POST", body, headers });
    const error = await assertRejects(() => readCall(request), Error, "cannot be read");
    assertEquals("code" in error && error.code, code);
  });
}

Deno.test("callSlack shows the token to no proxy", async () => {
  await using proxy = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ ok: false, error: "went_through_the_proxy" }),
  );
  const script = `
    import { callSlack } from "${new URL("../../lib/slack.ts", import.meta.url)}";
    import { Token } from "${new URL("../../lib/token.ts", import.meta.url)}";
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} },
      () => Response.json({ ok: true, ts: "1.0" }));
    const api = "http://127.0.0.1:" + server.addr.port + "/api";
    console.log((await callSlack(api, "x", {}, { token: new Token("xoxb-1") })).ts);
  `;
  const address = `http://127.0.0.1:${proxy.addr.port}`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    env: { HTTP_PROXY: address, http_proxy: address, NO_COLOR: "1" },
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "1.0\n", new TextDecoder().decode(stderr));
});
