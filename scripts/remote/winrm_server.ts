#!/usr/bin/env -S deno run --allow-env=WINRM_PASSWORD --allow-net=127.0.0.1:5986 --allow-run=echo,sort --allow-write=/tmp/winrm_ca.pem
/**
 * A stand-in for Windows' WinRM service
 *
 * The other side of the six messages: a shell is a number that a client gets and gives back with each further
 * message, a command is another. HTTP has no way for a server to speak first, so what a command prints waits
 * here until the client asks; when nothing comes in the time that the client names, the answer is a fault
 * that says so.
 *
 * It runs programs of this machine: those of --programs, and only where --allow-run grants them. There is no
 * cmd.exe and no shell: a command line is cut into words as a POSIX shell would. In place of PowerShell an
 * encoded command is decoded and taken for such a line. What programs print is UTF-8; a shell with another
 * code page, or with a working directory or variables of its own, is refused.
 *
 * At each start it makes an authority and a certificate of its own; clients trust it by the file of --ca. The
 * private keys stay in memory.
 *
 * @lecture 001 Winrm
 * @python  http.server → Deno.serve, subprocess.Popen → Deno.Command
 * @run     WINRM_PASSWORD=example deno run --allow-env=WINRM_PASSWORD --allow-net=127.0.0.1:5986 \
 *          --allow-run=echo,sort --allow-write=/tmp/winrm_ca.pem scripts/remote/winrm_server.ts
 * @client  WINRM_PASSWORD=example deno run --allow-env=WINRM_PASSWORD --allow-net=127.0.0.1:5986 \
 *          --allow-read=/tmp/winrm_ca.pem scripts/remote/winrm_exec.ts --ca /tmp/winrm_ca.pem \
 *          student@127.0.0.1:5986 "echo '1 < 2 & 3'"
 * @expect  listening on 127.0.0.1:5986
 * @log     127.0.0.1: opened a shell
 * @log     127.0.0.1: runs echo '1 < 2 & 3'
 * @log     127.0.0.1: closed its shell
 * @run     WINRM_PASSWORD=example deno run --allow-env=WINRM_PASSWORD --allow-net=127.0.0.1:5985 \
 *          --allow-run=date scripts/remote/winrm_server.ts --insecure-http --port 5985 --programs date
 * @client  WINRM_PASSWORD=example deno run --allow-env=WINRM_PASSWORD --allow-net=127.0.0.1:5985 \
 *          scripts/remote/winrm_exec.ts --insecure-http student@127.0.0.1:5985 "date -u"
 * @expect  listening on 127.0.0.1:5985
 * @log     127.0.0.1: runs date -u
 * @log     127.0.0.1: closed its shell
 * @option  --host HOST         the address to listen on; the certificate is for it (default: 127.0.0.1)
 * @option  --port PORT         the port to listen on, 0 for a free one (default: 5986)
 * @option  --user NAME         who may log in; the password comes from WINRM_PASSWORD, or is asked for (default: student)
 * @option  --programs LIST     what may be run, with commas between (default: echo,sort)
 * @option  --ca FILE           where the authority's certificate is put (default: /tmp/winrm_ca.pem)
 * @option  --insecure-http     plain HTTP, without a certificate
 * @option  --idle SECONDS      how long a shell may be left alone (default: 180)
 * @option  --max-shells COUNT  how many shells at once (default: 25)
 * @see     https://learn.microsoft.com/openspecs/windows_protocols/ms-wsmv
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { BasicLogin } from "../../lib/basic_login.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { ActionError, explain } from "../../lib/errors.ts";
import { freshCertificate, publishAuthority } from "../../lib/fresh_certificate.ts";
import { keepServing } from "../../lib/keep_serving.ts";
import { passwordToGive } from "../../lib/secrets.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { startLine } from "../../lib/winrm_line.ts";
import { Shells } from "../../lib/winrm_shells.ts";
import { element, NAMESPACES, SHELL_RESOURCE } from "../../lib/wsman.ts";
import { Refusal, refuse, reply, timedOut } from "../../lib/wsman_reply.ts";
import { readRequest, type WsmanRequest } from "../../lib/wsman_request.ts";
import { findElement, type XmlElement } from "../../lib/xml.ts";

/** What the command line says. */
export interface Options {
  host: string;
  port: number;
  user: string;
  programs: string;
  ca: string;
  insecureHttp: boolean;
  idle: number;
  maxShells: number;
}

/** What may be run, and what is told of it. */
interface Service {
  shells: Shells;
  programs: string[];
  tell: (what: string) => void;
}

/** Does what a message asks for, and answers it. */
async function answer(
  request: WsmanRequest,
  { shells, programs, tell }: Service,
): Promise<Response> {
  const { action, shellId, body, options, operationTimeout } = request;
  const attribute = (name: string, key: string) => findElement(body, name)?.attributes[key];

  if (action === "Create") {
    refuseSettings(body, options);
    const id = shells.open();
    tell("opened a shell");
    const selector = element("w:Selector", { Name: "ShellId" }, id);
    const reference = element("w:ResourceURI", {}, SHELL_RESOURCE) +
      element("w:SelectorSet", {}, selector);
    const created = element("a:ReferenceParameters", {}, reference);
    const shell = element("rsp:Shell", {}, element("rsp:ShellId", {}, id));
    return reply(request, element("x:ResourceCreated", {}, created) + shell);
  }
  return await shells.use(shellId, async (shell) => {
    const commandId = attribute("DesiredStream", "CommandId") ?? attribute("Stream", "CommandId") ??
      attribute("Signal", "CommandId");
    switch (action) {
      case "Command": {
        const line = (findElement(body, "CommandLine")?.children ?? [])
          .filter(({ name }) => name === "Command" || name === "Arguments")
          .map(({ text }) => text).join(" ");
        const id = shells.add(shell, () => startLine(line, programs));
        tell(`runs ${visible(line).slice(0, 200)}`);
        return reply(request, element("rsp:CommandResponse", {}, element("rsp:CommandId", {}, id)));
      }
      case "Send": {
        const stream = findElement(body, "Stream");
        const bytes = fromBase64(stream?.text ?? "");
        const end = stream?.attributes.End === "true";
        const process = shells.command(shell, commandId);
        if (!await process.send(bytes, end, operationTimeout)) throw timedOut();
        return reply(request, element("rsp:SendResponse"));
      }
      case "Receive": {
        // as base64 four bytes carry three, and the envelope needs some: so each stream is one element
        const most = Math.floor((request.maxEnvelope - 4_096) * 3 / 4);
        const process = shells.command(shell, commandId);
        const printed = await process.receive(operationTimeout, most);
        if (!printed) throw timedOut();
        const done = printed.exitCode !== undefined;
        const parts = (["stdout", "stderr"] as const).flatMap((Name) => {
          const stream = { Name, CommandId: commandId! };
          const bytes = printed[Name];
          return [
            bytes.length > 0 ? element("rsp:Stream", stream, bytes.toBase64()) : "",
            done ? element("rsp:Stream", { ...stream, End: "true" }) : "",
          ];
        });
        const State = `${NAMESPACES.rsp}/CommandState/${done ? "Done" : "Running"}`;
        const code = done ? element("rsp:ExitCode", {}, `${printed.exitCode}`) : "";
        const state = element("rsp:CommandState", { CommandId: commandId!, State }, code);
        return reply(request, element("rsp:ReceiveResponse", {}, parts.join("") + state));
      }
      case "Signal": {
        const code = findElement(body, "Code")?.text.trim().split("/").at(-1);
        if (code === "terminate") shells.remove(shell, commandId ?? "");
        else if (code === "ctrl_c") shells.command(shell, commandId).interrupt();
        else throw new Refusal("w:InvalidParameter", "The signals are terminate and ctrl_c.");
        return reply(request, element("rsp:SignalResponse"));
      }
      case "Delete":
        shells.close(shell);
        tell("closed its shell");
        return reply(request);
    }
  });
}

/** Settings of a shell that would do nothing here are refused: the client would wonder why. */
function refuseSettings(body: XmlElement, options: Record<string, string>): void {
  for (const setting of ["WorkingDirectory", "Environment"]) {
    if (!findElement(body, setting)) continue;
    throw new Refusal("w:UnsupportedFeature", `This stand-in has no ${setting}: leave it out.`);
  }
  const { WINRS_CODEPAGE = "65001" } = options;
  // 437 is what pywinrm asks for unless told
  if (["65001", "437"].includes(WINRS_CODEPAGE)) return;
  throw new Refusal(
    "w:UnsupportedFeature",
    `The code page ${WINRS_CODEPAGE.slice(0, 20)} is not known here: programs print UTF-8, 65001.`,
  );
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    throw new Refusal("w:InvalidParameter", "A stream is base64.");
  }
}

/** Answers one HTTP request: a page for who is lost, no for who is not let in, else what was asked for. */
async function handle(
  http: Request,
  from: string,
  login: BasicLogin,
  service: Omit<Service, "tell">,
): Promise<Response> {
  const tell = (what: string) => console.error(`${from}: ${what}`);
  const no = await login.refusal(http, from);
  if (no) {
    tell(`was not let in (${no.status})`);
    return no;
  }
  if (URL.parse(http.url)?.pathname !== "/wsman") return new Response(null, { status: 404 });
  if (http.method !== "POST") {
    return new Response(null, { status: 405, headers: { allow: "POST" } });
  }
  let messageId: string | undefined;
  try {
    const request = await readRequest(http);
    messageId = request.messageId;
    return await answer(request, { ...service, tell });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // "nothing yet" is no news
    if (error.subcode !== "w:TimedOut") tell(`refused: ${visible(error.message)}`);
    return refuse(error, messageId);
  }
}

export async function main(options: Options): Promise<void> {
  const { host, port, user, ca, insecureHttp, idle, maxShells } = options;
  const programs = options.programs.split(",").filter((name) => name !== "");
  for (const command of programs) {
    const { state } = await Deno.permissions.query({ name: "run", command });
    if (state === "granted") continue;
    const refused = new Deno.errors.NotCapable(`Requires run access to "${command}"`);
    throw new ActionError(`offer ${command}`, refused);
  }
  const login = new BasicLogin(user, await passwordToGive("WINRM_PASSWORD", user));
  const tls = insecureHttp ? undefined : await freshCertificate(host);
  await using shells = new Shells({ idle: idle * 1_000, most: maxShells });
  const server = await keepServing({ hostname: host, port }, (place) =>
    Deno.serve(
      {
        ...place,
        ...(tls && { cert: tls.cert, key: tls.key }),
        onError(error) {
          console.error(`could not answer: ${visible(explain(error).reason)}`);
          return new Response(null, { status: 500 });
        },
      },
      (request, { remoteAddr }) =>
        handle(request, remoteAddr.hostname, login, { shells, programs }),
    ));
  using _stopping = onInterrupt(() => {
    // who waits for output is told that there will be none
    shells.closeAll();
    server.shutdown();
  });
  if (tls) await publishAuthority(ca, tls.authority);
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
