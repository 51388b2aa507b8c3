import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { explain } from "../../lib/errors.ts";
import { createShell, receiveOutput, sendInput, WsmanError, WsmanFault } from "../../lib/winrm.ts";
import { runCommand } from "../../lib/winrm_run.ts";
import { element, readReply, requestEnvelope } from "../../lib/wsman.ts";
import { Refusal, refuse, reply } from "../../lib/wsman_reply.ts";
import { findElement, parseXml, XmlError } from "../../lib/xml.ts";
import { fakeWinrm, nothingYet, PASSWORD, received } from "./fake_winrm.ts";

const COMMAND = { shellId: "S", commandId: "C" };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const each of texts) yield await Promise.resolve(new TextEncoder().encode(each));
}

Deno.test("runCommand sends the six messages and gives output and exit code", async () => {
  await using server = fakeWinrm({
    Receive: async (request) => {
      while (server.actions.filter((action) => action === "Send").length < 3) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return reply(request, received("out", 3, "err"));
    },
  });
  using client = server.client();
  let printed = "";
  const code = await runCommand(client, "dir <x> & y", {
    input: pieces("one", "two"),
    onOutput: ({ stdout, stderr }) => printed += `${text(stdout)} ${text(stderr)}`,
  });
  assertEquals([code, printed], [3, "out err"]);
  const [create, command, ...rest] = server.requests;
  assertEquals(create!.action, "Create");
  assertEquals(findElement(command!.body, "Command")?.text, "dir <x> & y");
  const input = rest.filter(({ action }) => action === "Send").map(({ body }) => {
    const { text, attributes } = findElement(body, "Stream")!;
    return [new TextDecoder().decode(Uint8Array.fromBase64(text)), attributes.End];
  });
  assertEquals(input, [["one", undefined], ["two", undefined], ["", "true"]]);
  assertEquals(server.actions.slice(-2), ["Signal", "Delete"]);
  assertEquals(server.logins[0], `Basic ${btoa(`student:${PASSWORD}`)}`);
});

Deno.test("runCommand asks again when nothing came in time, and sends again", async () => {
  await using server = fakeWinrm({
    Receive: (request, times) =>
      times < 3
        ? nothingYet(request)
        : times === 3
        ? reply(request, received("half "))
        : reply(request, received("whole", 0)),
    Send: (request, times) => times === 1 ? nothingYet(request) : reply(request),
  });
  using client = server.client();
  let printed = "";
  const onOutput = (output: { stdout: Uint8Array }) => printed += text(output.stdout);
  assertEquals(await runCommand(client, "x", { onOutput, input: pieces() }), 0);
  assertEquals(printed, "half whole");
});

Deno.test("runCommand goes on when the command takes no more input", async () => {
  await using server = fakeWinrm({
    Send: (request) =>
      refuse(
        new Refusal("w:InternalError", "The pipe has been ended.", { code: "109" }),
        request.messageId,
      ),
  });
  using client = server.client();
  assertEquals(await runCommand(client, "x", { onOutput() {}, input: pieces("one") }), 3);
});

for (const action of ["Command", "Receive"] as const) {
  for (
    const [what, answer, kind] of [
      [
        "a fault",
        () => refuse(new Refusal("w:AccessDenied", "Access is denied.", { code: "5" })),
        WsmanFault,
      ],
      ["no XML", () => new Response("hello"), WsmanError],
      ["nothing", () => new Response(""), WsmanError],
      [
        "an envelope of nothing",
        () => new Response(requestEnvelope("", "uuid:1", { action: "Delete" })),
        WsmanError,
      ],
      ["the answer to another message", () =>
        new Response(
          requestEnvelope("", "uuid:1", { action: "Delete" }).replace(
            "<a:To>",
            "<a:RelatesTo>uuid:other</a:RelatesTo><a:To>",
          ),
        ), WsmanError],
      [
        "truncated XML",
        () => new Response(requestEnvelope("", "uuid:1", { action: "Delete" }).slice(0, -9)),
        WsmanError,
      ],
      ["2 MB", () => new Response("<".repeat(2_000_000)), WsmanError],
      ["HTTP 404", () => new Response("no", { status: 404 }), WsmanError],
      [
        "a redirect",
        () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:9/" } }),
        WsmanError,
      ],
      ["HTTP 401", () => new Response(null, { status: 401 }), WsmanError],
    ] as const
  ) {
    Deno.test(`runCommand deletes its shell when ${action} is answered by ${what}`, async () => {
      await using server = fakeWinrm({ [action]: answer });
      using client = server.client();
      const error = await assertRejects(() => runCommand(client, "x", { onOutput() {} }));
      assert(error instanceof kind, `${error}`);
      assertEquals(server.actions.at(-1), "Delete");
      assertEquals(server.actions.includes("Signal"), action === "Receive");
    });
  }
}

Deno.test("runCommand deletes its shell when it is aborted, or its output goes nowhere", async () => {
  for (const where of ["signal", "output"]) {
    const stop = new AbortController();
    await using server = fakeWinrm({
      Receive: (request, times) => {
        if (where === "signal" && times === 2) stop.abort(new Error("enough"));
        return reply(request, received("x"));
      },
    });
    using client = server.client();
    const onOutput = () => {
      if (where === "output") throw new Error("enough");
    };
    await assertRejects(
      () => runCommand(client, "x", { onOutput, signal: stop.signal }),
      Error,
      "enough",
    );
    assertEquals(server.actions.slice(-2), ["Signal", "Delete"]);
  }
});

Deno.test("runCommand ends by its signal when the server says for ever that there is nothing", async () => {
  await using server = fakeWinrm({ Receive: nothingYet });
  using client = server.client();
  const stop = new AbortController();
  const running = runCommand(client, "x", { onOutput() {}, signal: stop.signal });
  while (server.actions.length < 5) await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort(new Error("too long"));
  await assertRejects(() => running, Error, "too long");
  // it does not ask without a break
  assert(server.actions.length < 20, `${server.actions}`);
});

Deno.test("an answer that does not come is given up, with its action and address", async () => {
  const late = Promise.withResolvers<void>();
  await using server = fakeWinrm({
    Create: async (request) => {
      await late.promise;
      return reply(request);
    },
  });
  using client = server.client();
  const error = await assertRejects(() => createShell(client, { timeout: 100 }), WsmanError);
  assertEquals(error.kind, "timeout");
  assertStringIncludes(
    error.message,
    `Create was sent to http://127.0.0.1:${server.port}/wsman: no whole answer`,
  );
  late.resolve();
});

for (
  const [what, body, message] of [
    ["a stream that is not base64", '<rsp:Stream Name="stdout">!</rsp:Stream>', "not base64"],
    ["done without an exit code", '<rsp:CommandState State="x/CommandState/Done"/>', "no ExitCode"],
    [
      "an exit code that is none",
      '<rsp:CommandState State="x/CommandState/Done"><rsp:ExitCode>x</rsp:ExitCode></rsp:CommandState>',
      "an ExitCode that is no number",
    ],
  ] as const
) {
  Deno.test(`receiveOutput refuses ${what}`, async () => {
    await using server = fakeWinrm({
      Receive: (request) => reply(request, element("rsp:ReceiveResponse", {}, body)),
    });
    using client = server.client();
    const error = await assertRejects(() => receiveOutput(client, COMMAND), WsmanError, message);
    assertEquals(error.kind, "answer");
  });
}

Deno.test("receiveOutput joins streams, whatever else is among them", async () => {
  const body = element("rsp:Stream", { Name: "stdout" }, btoa("a")) +
    element("rsp:Stream", { Name: "other" }, "!") +
    element("rsp:Stream", { Name: "stdout" }, btoa("b"));
  await using server = fakeWinrm({
    Receive: (request) => reply(request, element("rsp:ReceiveResponse", {}, body)),
  });
  using client = server.client();
  const output = await receiveOutput(client, COMMAND);
  assertEquals([text(output!.stdout), output!.done, output!.exitCode], ["ab", false, undefined]);
});

Deno.test("the login is in no envelope that is traced, and errors do not show it", async () => {
  await using server = fakeWinrm();
  let traced = "";
  using client = server.client({ trace: (_, envelope) => traced += envelope });
  await runCommand(client, "x", { onOutput() {} });
  assertStringIncludes(traced, "transfer/Delete");
  assert(!traced.includes(PASSWORD) && !traced.includes(btoa(`student:${PASSWORD}`)));
  assert(
    !Deno.inspect(client, { depth: 9, showHidden: true }).includes(btoa(`student:${PASSWORD}`)),
  );
});

Deno.test("a message that XML cannot carry is not sent", async () => {
  await using server = fakeWinrm();
  using client = server.client();
  await assertRejects(() => runCommand(client, "bell \x07", { onOutput() {} }), XmlError, "U+0007");
  assertEquals(server.actions, ["Create", "Delete"]);
});

Deno.test("any command line and input arrive as they are", async () => {
  await using server = fakeWinrm();
  using client = server.client();
  const unit = fc.oneof(
    fc.constantFrom(..."<>&;\"' \t\r\n]!-[?%", "]]>", "&lt;", "\u0085", "😀"),
    fc.integer({ min: 0x20, max: 0xd7ff }).map((code) => String.fromCodePoint(code)),
  );
  const bytes = fc.uint8Array({ maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(fc.string({ unit, minLength: 1 }), bytes, async (line, input) => {
      await runCommand(client, line, { onOutput() {} });
      const command = server.requests.findLast(({ action }) => action === "Command");
      assertEquals(findElement(command!.body, "Command")?.text, line);
      await sendInput(client, COMMAND, input);
      const sent = findElement(server.requests.at(-1)!.body, "Stream")!.text;
      assertEquals(Uint8Array.fromBase64(sent), input);
    }),
    { numRuns: 25 },
  );
});

Deno.test("WsmanFault explains its code, SOAP's word, and what the server says", () => {
  const fault = (subcode: string, code?: string) => {
    const answer = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault>
      <s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>${subcode}</s:Value></s:Subcode></s:Code>
      <s:Reason><s:Text>said \x1b]0;</s:Text></s:Reason>
      ${
      code ? `<s:Detail><f:WSManFault xmlns:f="x" Code="${code}"/></s:Detail>` : ""
    }</s:Fault></s:Body></s:Envelope>`
      .replace("\x1b", "\u202e");
    try {
      readReply(answer, "uuid:1");
    } catch (error) {
      assertInstanceOf(error, WsmanFault);
      return error;
    }
    throw new Error("no fault");
  };
  const denied = fault("w:AccessDenied", "5");
  assertEquals(
    explain(denied).reason,
    'the server answers a fault: w:AccessDenied, code 5: access denied; it says "said \\u202e]0;"',
  );
  assertStringIncludes(
    explain(fault("w:InvalidSelectors", "2150858843")).reason,
    "code 2150858843 (0x8033805B): there is no such shell",
  );
  assertStringIncludes(explain(fault("w:QuotaLimit", "2150859173")).reason, "too many shells open");
  assertStringIncludes(explain(fault("w:QuotaLimit")).reason, "too much to do for this user");
  assertStringIncludes(explain(fault("w:New", "77")).reason, "w:New, code 77;");
  assert(fault("w:TimedOut").timedOut && fault("x", "2150858793").timedOut && !denied.timedOut);
});

Deno.test("readReply takes no fault, or an envelope of another kind", () => {
  assertEquals(parseXml(requestEnvelope("u", "uuid:1", { action: "Create" })).name, "Envelope");
  for (
    const other of ["<a/>", '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>']
  ) {
    try {
      readReply(other, "uuid:1");
      throw new Error("taken");
    } catch (error) {
      assertInstanceOf(error, XmlError);
    }
  }
});
