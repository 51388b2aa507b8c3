/**
 * What a WS-Management server answers: that it is done, or why not.
 *
 * @module
 */

import { visible } from "./display.ts";
import { ACTIONS, element, envelope, NAMESPACES } from "./wsman.ts";
import { OPERATION_TIMEOUT } from "./wsman_fault.ts";
import type { WsmanRequest } from "./wsman_request.ts";
import { escapeXml } from "./xml_text.ts";

/** A reason not to do what was asked, as the client is told it. */
export class Refusal extends Error {
  override name = "Refusal";

  /**
   * @param subcode such as `w:InvalidSelectors`; one that begins with `s:` is SOAP's own
   * @param options.code Windows' number
   * @param options.status of the HTTP answer; 500 unless told
   */
  constructor(
    readonly subcode: string,
    text: string,
    readonly options: { code?: string; status?: number; relatesTo?: string } = {},
  ) {
    super(text);
  }
}

const ANONYMOUS = `${NAMESPACES.a}/role/anonymous`;

function respond(
  action: string,
  relatesTo: string | undefined,
  body: string,
  status: number,
): Response {
  const header = [
    element("a:Action", {}, action),
    element("a:MessageID", {}, `uuid:${crypto.randomUUID()}`),
    relatesTo === undefined ? "" : element("a:RelatesTo", {}, escapeXml(relatesTo)),
    element("a:To", {}, ANONYMOUS),
  ];
  const bytes = new TextEncoder().encode(envelope(header.join(""), body));
  const headers = { "content-type": "application/soap+xml;charset=UTF-8" };
  // of unknown length, so in chunks: over TLS Deno.serve sends the end of a body of known length apart, and
  // waits with it until the client's system has confirmed the rest: 40 ms for each answer
  return new Response(ReadableStream.from([bytes]), { status, headers });
}

/** The answer to a request, made of {@linkcode element}s. */
export function reply(request: WsmanRequest, body = ""): Response {
  return respond(`${ACTIONS[request.action]}Response`, request.messageId, body, 200);
}

/** The fault that tells a client why not. */
export function refuse({ subcode, message, options }: Refusal, relatesTo?: string): Response {
  // it may show what a client sent, even half a character of it
  const text = escapeXml(visible(message).toWellFormed());
  const soap = subcode.startsWith("s:");
  const code = soap
    ? subcode
    : subcode === "w:TimedOut" || subcode === "w:QuotaLimit"
    ? "s:Receiver"
    : "s:Sender";
  const value = (word: string) => element("s:Value", {}, word);
  const windows = {
    "xmlns:f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    Machine: "localhost",
  };
  const fault = [
    element("s:Code", {}, value(code) + (soap ? "" : element("s:Subcode", {}, value(subcode)))),
    element("s:Reason", {}, element("s:Text", { "xml:lang": "en-US" }, text)),
    options.code === undefined ? "" : element(
      "s:Detail",
      {},
      element(
        "f:WSManFault",
        { ...windows, Code: options.code },
        element("f:Message", {}, text),
      ),
    ),
  ];
  const action = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault";
  const body = element("s:Fault", {}, fault.join(""));
  return respond(action, options.relatesTo ?? relatesTo, body, options.status ?? 500);
}

/** Nothing has happened in the time given. */
export const timedOut = () =>
  new Refusal("w:TimedOut", "The operation did not complete in the time given.", {
    code: OPERATION_TIMEOUT,
  });
