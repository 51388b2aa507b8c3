/**
 * WinRM among enemies: our client with servers that lie, hang and flood, our server with clients that do.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { ACTIONS, element, requestEnvelope } from "../../lib/wsman.ts";
import { reply } from "../../lib/wsman_reply.ts";
import { WsmanClient, WsmanError, WsmanFault } from "../../lib/winrm.ts";
import { createShell, startCommand } from "../../lib/winrm.ts";
import { runCommand } from "../../lib/winrm_run.ts";
import { fakeWinrm, nothingYet, received } from "../lib/fake_winrm.ts";
import { freePort } from "../peers/peers.ts";
import { attacks, tcpTarget } from "./attacks.ts";
import { exchange } from "./http_attacks.ts";
import { behaviours, misbehave, reset } from "./peers.ts";
import { ENVIRONMENT, memory, openFiles, type Script, startDeno } from "./script.ts";
import { pause, times, until, within } from "./waits.ts";

const PASSWORD = "correct horse";
ENVIRONMENT.WINRM_PASSWORD = PASSWORD;

/** Our client as a process, over plain HTTP. */
function startClient(port: number | string, ...words: string[]): Script {
  return startDeno(
    ["--allow-env=WINRM_PASSWORD", `--allow-net=127.0.0.1:${port}`],
    "scripts/remote/winrm_exec.ts",
    { words: ["--insecure-http", ...words, `student@127.0.0.1:${port}`, "dir"], smallHeap: true },
  );
}

function assertNoTrace(stderr: string): void {
  assert(!/^ +at |Uncaught/m.test(stderr) && !stderr.includes("\x1b"), stderr);
}

/** How the client ended: with one sentence, and not with a trace. */
async function failure(client: Script): Promise<string> {
  assertEquals(await within("the client's end", client.ended, 30_000), 1, client.stderr);
  const [, first = ""] = client.stderr.split("\n");
  assertNoTrace(client.stderr);
  assert(!client.stderr.includes(PASSWORD));
  return first;
}

for (
  const [name, words, said] of [
    ["is silent", ["--timeout=1"], "it took longer than 1 s"],
    ["sends a byte every 50 ms", ["--timeout=1"], "cannot reach|it took longer than 1 s"],
    ["closes without a word", [], "cannot reach"],
    ["closes in mid-answer", [], "cannot reach"],
    ["never stops sending", ["--timeout=3"], "cannot reach|it took longer"],
    ["sends nonsense", [], "that port does not speak HTTP"],
  ] as const
) {
  Deno.test(`winrm_exec ends in time when the server ${name}`, async () => {
    await using peer = misbehave(behaviours[name]!);
    await using client = startClient(peer.address, ...words);
    const told = await failure(client);
    peer.release();
    assert(new RegExp(said).test(told), told);
  });
}

Deno.test("winrm_exec ends in time when the server resets the connection", async () => {
  await using peer = await reset("data");
  await using client = startClient(peer.address);
  assertStringIncludes(await failure(client), "cannot reach");
});

Deno.test("winrm_exec ends by --timeout when the server says for ever that there is nothing", async () => {
  await using server = fakeWinrm({ Receive: nothingYet });
  await using client = startClient(server.port, "--timeout=1");
  assertEquals(await failure(client), "winrm_exec.ts: it took longer than 1 s");
  assertEquals(server.actions.slice(-2), ["Signal", "Delete"]);
});

Deno.test("winrm_exec ends by Ctrl-C, and says goodbye to the server", async () => {
  await using server = fakeWinrm({ Receive: nothingYet });
  await using client = startClient(server.port);
  await until(() => "no Receive came", () => server.actions.includes("Receive"), 20_000);
  assertEquals(await client.stop("SIGINT"), 130);
  assertEquals(server.actions.slice(-2), ["Signal", "Delete"]);
});

const envelope = (body: string) => requestEnvelope("", "uuid:1", { action: "Create", body });
const BOMB = `<!DOCTYPE x [<!ENTITY a "ha">${
  Array.from({ length: 20 }, (_, at) => `<!ENTITY a${at} "${"&a;".repeat(20)}">`).join("")
}]>`;

Deno.test("winrm_exec says that nobody reads its output when its reader has gone, not the server", async () => {
  await using server = fakeWinrm({
    Receive: (request, times) => reply(request, received("out", times > 3 ? 0 : undefined)),
  });
  const target = `student@127.0.0.1:${server.port}`;
  const script = new URL("../../scripts/remote/winrm_exec.ts", import.meta.url).pathname;
  const { stderr } = await new Deno.Command("sh", {
    args: ["-c", `"$@" </dev/null | true`, "sh", Deno.execPath(), "run", "--no-prompt"]
      .concat("--allow-env=WINRM_PASSWORD", `--allow-net=127.0.0.1:${server.port}`)
      .concat(script, "--insecure-http", target, "dir"),
    env: { ...ENVIRONMENT, NO_COLOR: "1" },
  }).output();
  const told = new TextDecoder().decode(stderr);
  assertMatch(told, /^winrm_exec\.ts: nobody reads its output any more\n$/m);
  assertEquals(server.actions.at(-1), "Delete");
});

/** A body of a gigabyte, that nobody has in memory. */
function gigabyte(): ReadableStream<Uint8Array> {
  const piece = new TextEncoder().encode("<a>".repeat(20_000));
  let left = 1024 * 1024 * 1024;
  return new ReadableStream({
    pull(controller) {
      left -= piece.length;
      if (left > 0) controller.enqueue(piece);
      else controller.close();
    },
  });
}

Deno.test("a client tells every answer that makes no sense, and takes no harm", async () => {
  const answers: [string, () => BodyInit, string][] = [
    ["garbage", () => "hello", "it is not XML"],
    [
      "bytes that are no text",
      () => new Uint8Array(5_000).map((_, at) => at * 7),
      "XML cannot carry",
    ],
    ["truncated XML", () => envelope("<rsp:Shell>").slice(0, -20), "it is not XML"],
    ["an entity bomb", () => BOMB + envelope(""), "document type"],
    ["an entity", () => envelope("&a;"), "&a; stands for nothing"],
    ["1 GB", gigabyte, "longer than 1048576 bytes"],
    ["deep XML", () => envelope("<a>".repeat(5_000) + "</a>".repeat(5_000)), "it is not XML"],
    ["another envelope", () => "<Envelope/>", "no SOAP 1.2 envelope"],
    ["an empty envelope", () => envelope(""), "the answer to Create has no ShellId"],
    ["an empty id", () => envelope("<rsp:ShellId></rsp:ShellId>"), "has no ShellId"],
  ];
  for (const [what, body, said] of answers) {
    await using server = fakeWinrm({ Create: () => new Response(body()) });
    using client = server.client();
    const error = await within(what, createShell(client).catch((error) => error), 20_000);
    assert(error instanceof WsmanError, `${what}: ${error}`);
    assertStringIncludes(error.message, said, what);
    assertEquals(error.kind, "answer");
  }
});

Deno.test("a client tells stray values in a Receive, and closes its shell", async () => {
  for (
    const [body, said] of [
      ["", "no ReceiveResponse"],
      [received("x").replace(/(?<=>)eA==/, "e*A"), "not base64"],
      [received("x", 1).replace(">1<", ">one<"), "no number"],
    ]
  ) {
    await using server = fakeWinrm({ Receive: (request) => reply(request, body!) });
    using client = server.client();
    const error = await runCommand(client, "x", { onOutput() {} }).catch((error) => error);
    assertStringIncludes(error.message, said!);
    assertEquals(server.actions.at(-1), "Delete");
  }
});

Deno.test("what a server says cannot move the cursor of a terminal", async () => {
  const fault = envelope(
    `<s:Fault><s:Code><s:Value>s:\u009b31m</s:Value></s:Code><s:Reason><s:Text>\u202eno</s:Text></s:Reason></s:Fault>`,
  );
  await using server = fakeWinrm({ Create: () => new Response(fault, { status: 500 }) });
  await using client = startClient(server.port);
  const told = await failure(client);
  assertStringIncludes(told, 's:\\u009b31m; it says "\\u202eno"');
});

// from here on: the server

interface Server {
  script: Script;
  port: number;
  post(
    body: BodyInit,
    headers?: Record<string, string>,
    http?: Deno.HttpClient,
  ): Promise<Response>;
  client(password?: string): WsmanClient;
}

async function startServer(
  options: { words?: string[]; files?: number; programs?: string } = {},
): Promise<Server> {
  const { words = [], files, programs = "echo,cat,printf" } = options;
  const port = freePort();
  const script = startDeno(
    ["--allow-env=WINRM_PASSWORD", `--allow-net=127.0.0.1:${port}`, `--allow-run=${programs}`],
    "scripts/remote/winrm_server.ts",
    {
      words: ["--insecure-http", `--port=${port}`, `--programs=${programs}`, ...words],
      smallHeap: true,
      files,
    },
  );
  await script.printed(/^listening on /m);
  const there = { hostname: "127.0.0.1", port, user: "student", insecureHttp: true };
  return {
    script,
    port,
    client: (password = PASSWORD) => new WsmanClient({ ...there, password }),
    post: (body, headers, http) =>
      fetch(`http://127.0.0.1:${port}/wsman`, {
        method: "POST",
        body,
        client: http,
        headers: {
          authorization: `Basic ${btoa(`student:${PASSWORD}`)}`,
          "content-type": "application/soap+xml;charset=UTF-8",
          ...headers,
        },
      }),
  };
}

async function goodClient(server: Server): Promise<void> {
  using client = server.client();
  let out = "";
  const onOutput = ({ stdout }: { stdout: Uint8Array }) => out += new TextDecoder().decode(stdout);
  assertEquals(
    await within("a good client", runCommand(client, "echo good", { onOutput }), 30_000),
    0,
  );
  assertEquals(out, "good\n");
}

const create = (change: (text: string) => string = (text) => text) =>
  change(requestEnvelope("http://127.0.0.1/wsman", "uuid:7", { action: "Create" }));

Deno.test("winrm_server refuses what it cannot take, and says why", async () => {
  const server = await startServer();
  await using script = server.script;
  const soap = "application/soap+xml";
  const cases: [string, BodyInit, number, string, Record<string, string>?][] = [
    ["nothing", "", 400, "w:SchemaValidationError"],
    ["garbage", "\x1b]0;\x07", 400, "w:SchemaValidationError"],
    ["bytes that are no UTF-8", new Uint8Array([0x3c, 0xff, 0xfe]), 400, "it is not UTF-8"],
    ["cut XML", create((text) => text.slice(0, -5)), 400, "w:SchemaValidationError"],
    ["an entity bomb", create((text) => text.replace(/^.*\n/, BOMB)), 400, "document type"],
    ["deep XML", "<a>".repeat(100_000), 400, "w:SchemaValidationError"],
    ["too much", " ".repeat(600_000), 413, "w:EncodingLimit"],
    ["too much in chunks", gigabyte(), 413, "w:EncodingLimit"],
    ["another type", create(), 415, "application/soap+xml", { "content-type": "text/xml" }],
    [
      "another SOAP",
      create((text) => text.replace("2003/05", "2001/12")),
      500,
      "s:VersionMismatch",
    ],
    ["no action", create((text) => text.replace(ACTIONS.Create, "")), 500, "a:ActionNotSupported"],
    [
      "another action",
      create((text) => text.replace("/Create<", "/Get<")),
      500,
      "a:ActionNotSupported",
    ],
    [
      "another resource",
      create((text) => text.replace("shell/cmd", "shell/ps")),
      500,
      "a:DestinationUnreachable",
    ],
    [
      "no message id",
      create((text) => text.replace("uuid:7", "")),
      500,
      "a:MessageInformationHeaderRequired",
    ],
    [
      "a header that it must know",
      create((text) => text.replace("<a:To>", '<a:X s:mustUnderstand="1"></a:X><a:To>')),
      500,
      "s:MustUnderstand",
    ],
    [
      "a tiny envelope",
      create((text) => text.replace(">153600<", ">100<")),
      500,
      "w:EncodingLimit",
    ],
    [
      "a shell that is not there",
      requestEnvelope("", "uuid:7", { action: "Delete", shellId: "x" }),
      500,
      'Code="2150858843"',
    ],
    ["no shell", requestEnvelope("", "uuid:7", { action: "Receive" }), 500, "w:InvalidSelectors"],
  ];
  for (const [what, body, status, said, headers] of cases) {
    const response = await within(
      what,
      server.post(body, { "content-type": soap, ...headers }),
      30_000,
    );
    const text = await response.text();
    assertEquals(response.status, status, what);
    assertStringIncludes(text, said, what);
    assertStringIncludes(text, "<s:Fault>", what);
  }
  for (const [path, method, status] of [["/", "POST", 404], ["/wsman", "GET", 405]] as const) {
    const authorization = `Basic ${btoa(`student:${PASSWORD}`)}`;
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: { authorization },
    });
    await response.body?.cancel();
    assertEquals(response.status, status);
  }
  await goodClient(server);
  assertNoTrace(script.stderr);
  assertEquals(await script.stop("SIGTERM"), 0);
});

Deno.test("winrm_server runs nothing but its list, and hands its password to no program", async () => {
  const server = await startServer();
  await using _script = server.script;
  using client = server.client();
  for (const line of ["sh -c id", "/usr/bin/echo x", "./echo x", "rm"]) {
    const error = await runCommand(client, line, { onOutput() {} }).catch((error) => error);
    assert(error instanceof WsmanFault, `${line}: ${error}`);
    assertEquals(error.code, "5");
  }
  let out = "";
  const onOutput = ({ stdout }: { stdout: Uint8Array }) => out += new TextDecoder().decode(stdout);
  await runCommand(client, "cat /proc/self/environ", { onOutput });
  assertEquals(out.split("\0").sort(), ["", "LANG=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin"]);
});

Deno.test("any text gets through to a program of winrm_server and back", async () => {
  const server = await startServer();
  await using _script = server.script;
  using client = server.client();
  const unit = fc.oneof(
    fc.constantFrom(..."<>&;\"' \t\r\n]!-[?%$`\\\\|*~#=", "]]>", "&lt;", "\u0085", "\u200b", "😀"),
    fc.integer({ min: 0x20, max: 0xd7ff }).map((code) => String.fromCodePoint(code)),
  );
  await fc.assert(
    fc.asyncProperty(fc.string({ unit, maxLength: 200 }), async (text) => {
      let out = "";
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      const onOutput = ({ stdout }: { stdout: Uint8Array }) =>
        out += decoder.decode(stdout, { stream: true });
      const line = `printf %s '${text.replaceAll("'", `'\\''`)}'`;
      assertEquals(await runCommand(client, line, { onOutput }), 0);
      assertEquals(out, text);
    }),
    { numRuns: 40 },
  );
});

Deno.test("winrm_server keeps to the size of an envelope when a program prints in many pieces", async () => {
  const server = await startServer({ programs: "sh" });
  await using _script = server.script;
  using client = server.client();
  const shellId = await createShell(client);
  // one write each, with time between for the server to read it
  const drip = "i=0; while [ $i -lt 200 ]; do echo x; sleep 0.005; i=$((i+1)); done; read x";
  const command = await startCommand(client, shellId, `sh -c '${drip}'`);
  const body = element(
    "rsp:Receive",
    {},
    element("rsp:DesiredStream", { CommandId: command.commandId }, "stdout stderr"),
  );
  const question = requestEnvelope("", "uuid:7", { action: "Receive", shellId, body })
    .replace(">153600<", ">8192<");
  await pause(3_000);
  let out = "";
  while (out.length < 400) {
    const answer = await (await server.post(question)).text();
    assert(answer.length <= 8_192, `${answer.length} bytes`);
    for (const [, piece] of answer.matchAll(/<rsp:Stream [^>]*>([^<]+)</g)) out += atob(piece!);
  }
  assertEquals(out, "x\n".repeat(200));
});

Deno.test("winrm_server refuses a shell with settings that would do nothing", async () => {
  const server = await startServer();
  await using _script = server.script;
  const opening = (codePage: string, setting = "") => {
    const body = element("rsp:Shell", {}, setting);
    const options = { WINRS_CODEPAGE: codePage };
    return server.post(requestEnvelope("", "uuid:7", { action: "Create", options, body }));
  };
  const variable = element("rsp:Variable", { Name: "A" }, "1");
  for (
    const [codePage, setting, said] of [
      ["65001", element("rsp:WorkingDirectory", {}, "/usr"), "has no WorkingDirectory"],
      ["65001", element("rsp:Environment", {}, variable), "has no Environment"],
      ["1252", "", "The code page 1252 is not known here"],
    ] as const
  ) {
    const response = await opening(codePage, setting);
    assertStringIncludes(await response.text(), said);
    assertEquals(response.status, 500);
  }
  // what pywinrm asks for unless told
  const usual = await opening("437");
  assertStringIncludes(await usual.text(), "ShellId");
});

Deno.test("winrm_server makes who guesses passwords wait", async () => {
  const server = await startServer();
  await using _script = server.script;
  using guesser = server.client("guess");
  const kinds: string[] = [];
  for (let tries = 0; tries < 11; tries++) {
    const error = await createShell(guesser).catch((error) => error);
    kinds.push(/HTTP \d+/.exec(error.message)![0]);
  }
  assertEquals(kinds, [...Array(10).fill("HTTP 401"), "HTTP 429"]);
});

Deno.test("winrm_server closes shells that are left alone, with the programs in them", async () => {
  const server = await startServer({ words: ["--idle=1", "--max-shells=3"] });
  await using script = server.script;
  const files = openFiles(script.pid);
  using client = server.client();
  for (let count = 0; count < 3; count++) {
    const shell = await createShell(client);
    const body = element("rsp:CommandLine", {}, element("rsp:Command", {}, "cat"));
    await client.post({ action: "Command", shellId: shell, body });
  }
  const error = await createShell(client).catch((error) => error);
  assertEquals(error.code, "2150859173");
  await until(
    () => `shells stay: ${script.stderr}`,
    () => script.stderr.split("closed a shell").length === 4,
    20_000,
  );
  await goodClient(server);
  await until(() => "files stay open", () => openFiles(script.pid) <= files + 4, 20_000);
});

Deno.test("winrm_server serves on when hundreds of clients misbehave, with the same memory", async () => {
  const server = await startServer();
  await using script = server.script;
  const target = tcpTarget(server.port);
  const head = "POST /wsman HTTP/1.1\r\nhost: x\r\ncontent-type: application/soap+xml\r\n" +
    `authorization: Basic ${btoa(`student:${PASSWORD}`)}\r\ncontent-length: 1000\r\n`;
  const round = async () => {
    const ask = () => goodClient(server);
    for (
      const name of [
        "clients reset the connection in mid-message",
        "clients vanish while they are written to",
        "500 clients connect and stay silent",
        "2,000 clients connect and close",
        "200 clients send random bytes (seed 20240611)",
      ]
    ) {
      await attacks[name]!(target, ask);
    }
    // 200 that stop in mid-header, 20 that stop in mid-body
    const slow = await times(220, 20, async (index) => {
      const connection = await target.dial();
      const part = index < 200 ? head.slice(0, 40 + index % 80) : `${head}\r\n<s:Env`;
      await connection.write(new TextEncoder().encode(part));
      return connection;
    });
    await ask();
    for (const connection of slow) connection.close();
    // 200 requests at once, all of them bombs; no connection is kept, since how many would be is chance
    using http = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    const statuses = await times(200, 50, async () => {
      const response = await server.post(create((text) => text.replace(/^.*\n/, BOMB)), {}, http);
      await response.body?.cancel();
      return response.status;
    });
    assertEquals(new Set(statuses), new Set([400]));
    await ask();
  };
  await round();
  const [files, before] = [openFiles(script.pid), memory(script.pid)];
  await round();
  await pause(100);
  const growth = (memory(script.pid) - before) / 1024 / 1024;
  assert(growth < 40, `grew by ${growth} MiB`);
  await until(
    () => `${openFiles(script.pid)} files are open, not ${files}`,
    () => openFiles(script.pid) <= files + 5,
    20_000,
  );
  assertNoTrace(script.stderr);
  assertEquals(await script.stop("SIGINT"), 0);
});

Deno.test("winrm_server serves on when clients hold all the connections that it may have", async () => {
  const server = await startServer({ files: 60 });
  await using script = server.script;
  const target = tcpTarget(server.port);
  const held: Deno.Conn[] = [];
  try {
    await until(() => "it holds them all", () => {
      // those whose handshake the system does, while nobody accepts them
      for (let count = 0; count < 20; count++) {
        target.dial().then((each) => held.push(each), () => {});
      }
      return script.stderr.includes("too many files and sockets are open");
    }, 20_000);
  } finally {
    await pause(100);
    for (const each of held) each.close();
  }
  const listensAgain = async () => {
    for (;;) {
      try {
        return (await target.dial()).close();
      } catch {
        await pause(100);
      }
    }
  };
  await within("it listens again", listensAgain(), 20_000);
  await goodClient(server);
  assertNoTrace(script.stderr);
  assertEquals(await script.stop("SIGINT"), 0);
});

Deno.test("winrm_server has nothing for a host that is none", async () => {
  const server = await startServer();
  await using _ended = server.script;
  const request = "POST /wsman HTTP/1.1\r\nhost: a b<>\r\ncontent-length: 0\r\n" +
    `authorization: Basic ${btoa(`student:${PASSWORD}`)}\r\n\r\n`;
  assertMatch(
    await exchange(tcpTarget(server.port), request, { until: /\r\n\r\n/ }),
    /^HTTP\/1\.1 404 /,
  );
  await goodClient(server);
});
