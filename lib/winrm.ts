/**
 * Windows Remote Management: the six messages that run a command on another machine.
 *
 *     Create                     a shell, which gets an id
 *       Command                  a command in it, which gets an id too
 *         Send …                 what the command reads
 *         Receive …              what it prints, again and again until it is done
 *       Signal                   the command is no longer needed
 *     Delete                     nor is the shell
 *
 * @see {@link https://learn.microsoft.com/openspecs/windows_protocols/ms-wsmv MS-WSMV, section 3.1.4}
 *
 * @module
 */

import { element, NAMESPACES } from "./wsman.ts";
import { WsmanClient } from "./wsman_client.ts";
import { WsmanError } from "./wsman_error.ts";
import { WsmanFault } from "./wsman_fault.ts";
import { escapeXml, findElement, findElements, type XmlElement } from "./xml.ts";

export { WsmanClient, WsmanError, WsmanFault };

/** How long to wait for an answer, and what makes it give up. */
export interface Patience {
  signal?: AbortSignal;
  /** In milliseconds. */
  timeout?: number;
}

/** A command that runs in a shell. */
export interface RemoteCommand {
  shellId: string;
  commandId: string;
}

/** What a command has printed since it was last asked. */
export interface Output {
  stdout: Uint8Array;
  stderr: Uint8Array;
  /** Nothing more will come. */
  done: boolean;
  /** Once it is done. */
  exitCode?: number;
}

/** Create: opens a shell. Its code page says how what it prints is encoded; 65001 is UTF-8. */
export async function createShell(
  client: WsmanClient,
  options: { codePage?: number } & Patience = {},
): Promise<string> {
  const streams = element("rsp:InputStreams", {}, "stdin") +
    element("rsp:OutputStreams", {}, "stdout stderr");
  const answer = await client.post({
    action: "Create",
    options: { WINRS_NOPROFILE: "TRUE", WINRS_CODEPAGE: options.codePage ?? 65001 },
    body: element("rsp:Shell", {}, streams),
  }, options);
  const selectors = answer ? [...findElements(answer, "Selector")] : [];
  const id = answer && findElement(answer, "ShellId") ||
    selectors.find(({ attributes }) => attributes.Name === "ShellId");
  return required(id?.text.trim(), "Create", "ShellId");
}

/** Command: starts a command line in the shell. */
export async function startCommand(
  client: WsmanClient,
  shellId: string,
  line: string,
  options: Patience = {},
): Promise<RemoteCommand> {
  const answer = await client.post({
    action: "Command",
    shellId,
    // FALSE: the command reads from a pipe, which can end
    options: { WINRS_CONSOLEMODE_STDIN: "FALSE", WINRS_SKIP_CMD_SHELL: "FALSE" },
    body: element("rsp:CommandLine", {}, element("rsp:Command", {}, escapeXml(line))),
  }, options);
  const id = answer && findElement(answer, "CommandId");
  return { shellId, commandId: required(id?.text.trim(), "Command", "CommandId") };
}

/** Send: what the command is to read; `end` says that this is all. At most 64 KiB at once. */
export async function sendInput(
  client: WsmanClient,
  { shellId, commandId }: RemoteCommand,
  bytes: Uint8Array,
  options: { end?: boolean } & Patience = {},
): Promise<void> {
  const stream = { Name: "stdin", CommandId: commandId, ...(options.end && { End: "true" }) };
  const body = element("rsp:Send", {}, element("rsp:Stream", stream, bytes.toBase64()));
  await client.post({ action: "Send", shellId, body }, options);
}

/**
 * Receive: what the command has printed.
 *
 * @param options.operationTimeout how long the server may wait for output, in seconds; 20 unless told
 * @returns `undefined` when nothing came in that time: ask again
 */
export async function receiveOutput(
  client: WsmanClient,
  { shellId, commandId }: RemoteCommand,
  options: { operationTimeout?: number } & Patience = {},
): Promise<Output | undefined> {
  const { operationTimeout } = options;
  const wanted = element("rsp:DesiredStream", { CommandId: commandId }, "stdout stderr");
  const body = element("rsp:Receive", {}, wanted);
  try {
    const answer = await client.post(
      { action: "Receive", shellId, operationTimeout, body },
      options,
    );
    return outputOf(
      required(answer && findElement(answer, "ReceiveResponse"), "Receive", "ReceiveResponse"),
    );
  } catch (error) {
    if (error instanceof WsmanFault && error.timedOut) return undefined;
    throw error;
  }
}

function outputOf(response: XmlElement): Output {
  const pieces: Record<"stdout" | "stderr", Uint8Array[]> = { stdout: [], stderr: [] };
  for (const { attributes: { Name }, text } of findElements(response, "Stream")) {
    if (Name !== "stdout" && Name !== "stderr") continue;
    try {
      pieces[Name].push(Uint8Array.fromBase64(text));
    } catch {
      throw unreadable("Receive", `a ${Name} that is not base64`);
    }
  }
  const [stdout, stderr] = [joined(pieces.stdout), joined(pieces.stderr)];
  const state = findElement(response, "CommandState");
  if (!state?.attributes.State?.endsWith("/CommandState/Done")) {
    return { stdout, stderr, done: false };
  }
  const code = required(findElement(state, "ExitCode")?.text.trim(), "Receive", "ExitCode");
  if (!/^-?\d{1,10}$/.test(code)) throw unreadable("Receive", "an ExitCode that is no number");
  return { stdout, stderr, done: true, exitCode: Number(code) };
}

/** Signal: ends the command, and frees what it holds; also told when it has ended by itself. */
export async function signalCommand(
  client: WsmanClient,
  { shellId, commandId }: RemoteCommand,
  signal: "terminate" | "ctrl_c",
  options: Patience = {},
): Promise<void> {
  const code = element("rsp:Code", {}, `${NAMESPACES.rsp}/signal/${signal}`);
  const body = element("rsp:Signal", { CommandId: commandId }, code);
  await client.post({ action: "Signal", shellId, body }, options);
}

/** Delete: closes the shell, and ends what still runs in it. */
export async function deleteShell(
  client: WsmanClient,
  shellId: string,
  options: Patience = {},
): Promise<void> {
  await client.post({ action: "Delete", shellId }, options);
}

function joined(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function required<T>(value: T | undefined | "", action: string, name: string): T {
  if (value === undefined || value === "") throw unreadable(action, `no ${name}`);
  return value;
}

const unreadable = (action: string, what: string) =>
  new WsmanError("answer", { reason: `the answer to ${action} has ${what}` });
