/**
 * WinRM with software that nobody here wrote: pywinrm against our server, our client against the test server
 * of Go's winrm library.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { freePort, peerTest, python, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const PASSWORD = "pa:ss wörd";
const PROGRAMS = ["echo", "cat", "sh", "sort", "head", "printf"];
const GO = "/usr/share/gocode/src/github.com/dylanmei/winrmtest";

interface Server extends AsyncDisposable {
  process: Process;
  url: string;
  ca: string;
}

/** Our server, with the flags that its header declares, on a port and in a folder of the test's own. */
async function startServer(folder: string, ...words: string[]): Promise<Server> {
  const port = freePort();
  const ca = `${folder}/ca.pem`;
  const insecure = words.includes("--insecure-http");
  const process = new Process([
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--allow-env=WINRM_PASSWORD",
    `--allow-net=127.0.0.1:${port}`,
    `--allow-run=${PROGRAMS}`,
    ...(insecure ? [] : [`--allow-write=${ca}`]),
    pathOf("remote/winrm_server"),
    `--port=${port}`,
    `--ca=${ca}`,
    `--programs=${PROGRAMS}`,
    ...words,
  ], { env: { WINRM_PASSWORD: PASSWORD } });
  await process.stdout.line(/^listening on /);
  const url = `${insecure ? "http" : "https"}://127.0.0.1:${port}`;
  return { process, url, ca, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

/** What pywinrm says, a value for each line. */
async function pywinrm(
  { url, ca }: { url: string; ca: string },
  which: string,
  options: { password?: string; input?: unknown } = {},
): Promise<Record<string, unknown>[]> {
  const words = [url, ca, "student", options.password ?? PASSWORD, which];
  await using client = new Process(python("winrm_client.py", ...words));
  if (options.input) await client.send(new TextEncoder().encode(JSON.stringify(options.input)));
  await client.send();
  assertEquals(await client.end(), 0, client.stderr.text);
  return client.stdout.lines.map((line) => JSON.parse(line));
}

for (const [how, ...words] of [["HTTPS"], ["plain HTTP", "--insecure-http"]]) {
  peerTest(`pywinrm runs commands on winrm_server over ${how}`, ["python3"], async () => {
    using folder = temporaryFolder();
    await using server = await startServer(folder.path, ...words);
    const [good, bad, seven] = await pywinrm(server, "session");
    assertEquals(good, { code: 0, out: 'one <two> & "three" ä €\n', err: "" });
    assertEquals([bad!.code, bad!.out], [1, ""]);
    assertStringIncludes(String(bad!.err), "No such file or directory");
    assertEquals(seven, { code: 7, out: "", err: "" });
    assertEquals(await server.process.stop("SIGTERM"), 0);
    assert(!server.process.stderr.text.includes("wörd"));
  });
}

peerTest("pywinrm runs PowerShell's encoded commands on winrm_server", ["python3"], async () => {
  using folder = temporaryFolder();
  await using server = await startServer(folder.path);
  const [good, bad] = await pywinrm(server, "powershell");
  assertEquals(good, { code: 0, out: "naïve <€>\n", err: "" });
  assertEquals([bad!.code, bad!.out], [1, ""]);
  assertMatch(String(bad!.err), /^\| \(a pipe\) needs a shell/);
});

peerTest("pywinrm sends input, waits, and gets long output and faults", ["python3"], async () => {
  using folder = temporaryFolder();
  await using server = await startServer(folder.path);
  const [sorted, late, long, ...faults] = await pywinrm(server, "protocol");
  assertEquals(sorted, { code: 0, out: "apple ä\npear\n", err: "" });
  assertEquals(late, { code: 0, out: "late\n", err: "" });
  assertEquals(long, { code: 0, length: 1_000_000, err: "" });
  for (const { fault } of faults) {
    assertStringIncludes(String(fault), "The shell was not found on the server");
    assertStringIncludes(String(fault), "2150858843");
    assertStringIncludes(String(fault), "w:InvalidSelectors");
  }
  assertEquals(faults.length, 2);
});

peerTest("any text gets through from pywinrm to a program and back", ["python3"], async () => {
  using folder = temporaryFolder();
  await using server = await startServer(folder.path);
  const texts = [
    "a & b < c > d ]]> \"e\" 'f'",
    "&amp; &#65; <!-- --> <![CDATA[x]]> <?pi?> %PATH% $HOME `id`",
    "tab\tline\nreturn",
    "ä € 日本 😀 \u200b\u0085\u2028",
    "\\ \\\\ '' \"\" ^ ! * ? [x] ~ #",
  ];
  const answers = await pywinrm(server, "texts", { input: texts });
  assertEquals(answers, texts.map((out) => ({ code: 0, out, err: "" })));
});

peerTest("pywinrm is not let in with a wrong password", ["python3"], async () => {
  using folder = temporaryFolder();
  await using server = await startServer(folder.path);
  const [answer] = await pywinrm(server, "login", { password: "guess" });
  assertEquals(answer, { error: "the specified credentials were rejected by the server" });
});

peerTest("pywinrm trusts winrm_server only with its authority", ["python3"], async () => {
  using folder = temporaryFolder();
  await using server = await startServer(folder.path);
  const others = "/etc/ssl/certs/ca-certificates.crt";
  const [answer] = await pywinrm({ ...server, ca: others }, "trust");
  assertStringIncludes(String(answer!.error), "CERTIFICATE_VERIFY_FAILED");
});

/** Go's test server; it takes no input, so the client gets `--no-stdin`. */
async function withGo(body: (run: (command: string) => Promise<Process>) => Promise<void>) {
  using folder = temporaryFolder();
  const source = new URL("go/winrm_server.go", import.meta.url).pathname;
  const program = `${folder.path}/winrm_server`;
  const env = { GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOCACHE: `${folder.path}/cache` };
  await using build = new Process(["/usr/bin/go", "build", "-o", program, source], { env });
  assertEquals(await build.end(), 0, build.stderr.text);
  await using server = new Process([program]);
  const [, port] = await server.stdout.line(/^listening on .*:(\d+)$/);
  const clients: Process[] = [];
  try {
    await body(async (command) => {
      const client = new Process([
        Deno.execPath(),
        "run",
        "--no-prompt",
        "--allow-env=WINRM_PASSWORD",
        `--allow-net=127.0.0.1:${port}`,
        pathOf("remote/winrm_exec"),
        "--insecure-http",
        "--no-stdin",
        `student@127.0.0.1:${port}`,
        command,
      ], { env: { WINRM_PASSWORD: PASSWORD } });
      clients.push(client);
      await client.end();
      return client;
    });
  } finally {
    for (const client of clients) await client[Symbol.asyncDispose]();
  }
}

const noGo = !exists(GO) && "golang-github-dylanmei-winrmtest-dev missing";

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

if (noGo && Deno.env.get("REQUIRE_PEERS") === "1") {
  Deno.test("winrm_exec runs commands on Go's winrmtest", () => {
    throw new Error(`${noGo}: apt-get install $(cat tests/peers/packages.txt)`);
  });
} else {
  peerTest("winrm_exec runs commands on Go's winrmtest", ["go"], () =>
    withGo(async (run) => {
      const good = await run('echo <tacos> & "more"');
      assertEquals(good.stdout.text, "<tacos> & ä\r\n");
      assertEquals(await good.end(), 0);
      assertStringIncludes(good.stderr.text, "warning: plain HTTP");

      const failing = await run("fail");
      assertEquals([failing.stdout.text, await failing.end()], ["half", 17]);

      const long = await run("long output");
      assertEquals([long.stdout.text.length, await long.end()], [500_000, 0]);

      const unknown = await run("nobody knows this");
      assertEquals(await unknown.end(), 1);
      assertStringIncludes(unknown.stderr.text, "answers HTTP 500 without a word");
    }), { ignore: noGo });
}
