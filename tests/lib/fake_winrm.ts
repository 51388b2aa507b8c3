/**
 * A WinRM server in this process that answers as a test wants it to, and remembers what it was asked.
 *
 * @module
 */

import { WsmanClient, type WsmanOptions } from "../../lib/wsman_client.ts";
import { ACTIONS, element, NAMESPACES } from "../../lib/wsman.ts";
import { refuse, reply, timedOut } from "../../lib/wsman_reply.ts";
import { readRequest, type WsmanRequest } from "../../lib/wsman_request.ts";
import { freePort } from "../peers/peers.ts";

type Action = keyof typeof ACTIONS;
type Answer = (request: WsmanRequest, times: number) => Response | Promise<Response>;

export const PASSWORD = "correct horse";

/** What a Receive is answered with. */
export function received(stdout: string | Uint8Array, exitCode?: number, stderr = ""): string {
  const base64 = (text: string | Uint8Array) =>
    (typeof text === "string" ? new TextEncoder().encode(text) : text).toBase64();
  const State = `${NAMESPACES.rsp}/CommandState/${exitCode === undefined ? "Running" : "Done"}`;
  const code = exitCode === undefined ? "" : element("rsp:ExitCode", {}, `${exitCode}`);
  return element(
    "rsp:ReceiveResponse",
    {},
    element("rsp:Stream", { Name: "stdout", CommandId: "C" }, base64(stdout)) +
      element("rsp:Stream", { Name: "stderr", CommandId: "C" }, base64(stderr)) +
      element("rsp:CommandState", { CommandId: "C", State }, code),
  );
}

/** The fault that says "nothing yet". */
export const nothingYet = (request: WsmanRequest) => refuse(timedOut(), request.messageId);

const USUAL: Record<Action, Answer> = {
  Create: (request) => reply(request, element("rsp:ShellId", {}, "S")),
  Command: (request) => reply(request, element("rsp:CommandId", {}, "C")),
  Send: (request) => reply(request),
  Receive: (request) => reply(request, received("out", 3, "err")),
  Signal: (request) => reply(request),
  Delete: (request) => reply(request),
};

/** A server over plain HTTP, and how to make clients of it. */
export interface FakeWinrm extends AsyncDisposable {
  port: number;
  /** What it was asked, in order. */
  actions: Action[];
  requests: WsmanRequest[];
  logins: (string | null)[];
  client(options?: Partial<WsmanOptions>): WsmanClient;
}

/** Starts a server that answers as usual, apart from `answers`. */
export function fakeWinrm(answers: Partial<Record<Action, Answer>> = {}): FakeWinrm {
  const port = freePort();
  const actions: Action[] = [];
  const requests: WsmanRequest[] = [];
  const logins: (string | null)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, async (http) => {
    logins.push(http.headers.get("authorization"));
    const request = await readRequest(http);
    actions.push(request.action);
    requests.push(request);
    const times = actions.filter((action) => action === request.action).length;
    return await (answers[request.action] ?? USUAL[request.action])(request, times);
  });
  const there = { hostname: "127.0.0.1", port, user: "student", password: PASSWORD };
  return {
    port,
    actions,
    requests,
    logins,
    client: (options) => new WsmanClient({ ...there, insecureHttp: true, ...options }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
