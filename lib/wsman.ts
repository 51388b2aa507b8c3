/**
 * WS-Management's messages: SOAP envelopes whose header says what is to be done with which thing.
 *
 * @see {@link https://www.dmtf.org/standards/wsman WS-Management, DSP0226}
 * @see {@link https://learn.microsoft.com/openspecs/windows_protocols/ms-wsmv MS-WSMV}: Windows' shells
 *
 * @module
 */

import { WsmanFault } from "./wsman_fault.ts";
import { escapeXml, findElement, parseXml, type XmlElement, XmlError } from "./xml.ts";

const SCHEMAS = "http://schemas.microsoft.com/wbem/wsman/1";

/** The vocabularies that an envelope is made of, by the prefixes used here. */
export const NAMESPACES = {
  s: "http://www.w3.org/2003/05/soap-envelope",
  a: "http://schemas.xmlsoap.org/ws/2004/08/addressing",
  x: "http://schemas.xmlsoap.org/ws/2004/09/transfer",
  w: "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
  p: `${SCHEMAS}/wsman.xsd`,
  rsp: `${SCHEMAS}/windows/shell`,
} as const;

/** What can be done with a shell. */
export const ACTIONS = {
  Create: "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create",
  Command: `${NAMESPACES.rsp}/Command`,
  Send: `${NAMESPACES.rsp}/Send`,
  Receive: `${NAMESPACES.rsp}/Receive`,
  Signal: `${NAMESPACES.rsp}/Signal`,
  Delete: "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete",
} as const;

/** The thing: a shell that runs cmd.exe's command lines. */
export const SHELL_RESOURCE = `${NAMESPACES.rsp}/cmd`;

const ANONYMOUS = `${NAMESPACES.a}/role/anonymous`;
/** The most bytes that an answer may have, as is said to the server; Windows' own client says the same. */
export const MAX_ENVELOPE = 153_600;

/** A message to a server. */
export interface Message {
  action: keyof typeof ACTIONS;
  /** The shell that it is about; none to create one. */
  shellId?: string;
  /** Settings by name. */
  options?: Record<string, string | number | boolean>;
  /** How long the server may take until it says "nothing yet", in seconds; 20 unless told. */
  operationTimeout?: number;
  /** What goes into the body, made of {@linkcode element}s. */
  body?: string;
}

/**
 * Writes an element: attributes are escaped, the content is markup (a text goes through `escapeXml` first).
 *
 * @example
 * ```ts
 * import { element } from "./wsman.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(element("w:Option", { Name: "A&B" }, "TRUE"), '<w:Option Name="A&amp;B">TRUE</w:Option>');
 * ```
 */
export function element(
  name: string,
  attributes: Record<string, string> = {},
  content = "",
): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  return `<${name}${written.join("")}>${content}</${name}>`;
}

/** An envelope around header and body, with all the vocabularies of {@linkcode NAMESPACES} declared. */
export function envelope(header: string, body: string): string {
  const declared = Object.entries(NAMESPACES).map(([prefix, uri]) => [`xmlns:${prefix}`, uri]);
  const parts = element("s:Header", {}, header) + element("s:Body", {}, body);
  return `<?xml version="1.0" encoding="UTF-8"?>\n` +
    element("s:Envelope", Object.fromEntries(declared), parts);
}

/**
 * Writes a message to a server.
 *
 * @param to the server's URL
 * @param messageId names the message, as `uuid:…`; the answer repeats it
 * @throws {XmlError} for a character that XML cannot carry
 */
export function requestEnvelope(to: string, messageId: string, message: Message): string {
  // who does not know such a header must refuse the message
  const must = { "s:mustUnderstand": "true" };
  const options = Object.entries(message.options ?? {}).map(([Name, value]) =>
    element("w:Option", { Name }, escapeXml(String(value)))
  );
  const header = [
    element("a:To", {}, escapeXml(to)),
    element("a:ReplyTo", {}, element("a:Address", must, ANONYMOUS)),
    element("a:MessageID", {}, escapeXml(messageId)),
    element("a:Action", must, ACTIONS[message.action]),
    element("w:ResourceURI", must, SHELL_RESOURCE),
    element("w:MaxEnvelopeSize", must, `${MAX_ENVELOPE}`),
    element("w:Locale", { "xml:lang": "en-US", "s:mustUnderstand": "false" }),
    element("w:OperationTimeout", {}, `PT${message.operationTimeout ?? 20}S`),
    message.shellId === undefined ? "" : element(
      "w:SelectorSet",
      {},
      element("w:Selector", { Name: "ShellId" }, escapeXml(message.shellId)),
    ),
    options.length > 0 ? element("w:OptionSet", must, options.join("")) : "",
  ];
  return envelope(header.join(""), message.body ?? "");
}

/**
 * Reads an answer.
 *
 * @param messageId what it must be the answer to, if it says
 * @throws {WsmanFault} when the answer is one
 * @throws {XmlError} when it is no envelope, or the answer to another message
 */
export function readReply(text: string, messageId: string): XmlElement {
  const root = parseXml(text);
  if (root.name !== "Envelope" || root.namespace !== NAMESPACES.s) {
    throw new XmlError("it is XML, but no SOAP 1.2 envelope");
  }
  const fault = findElement(root, "Fault");
  if (fault?.namespace === NAMESPACES.s) throw faultOf(fault);
  const to = findElement(root, "RelatesTo")?.text.trim();
  if (to && to.toLowerCase() !== messageId.toLowerCase()) {
    throw new XmlError("it is the answer to another message");
  }
  return root;
}

/** A fault carries a code twice: SOAP's word for it, and Windows' number. */
function faultOf(fault: XmlElement): WsmanFault {
  const number = findElement(fault, "WSManFault")?.attributes.Code;
  const subcode = findElement(fault, "Subcode");
  const code = (subcode && findElement(subcode, "Value")) ?? findElement(fault, "Value");
  const detail = findElement(fault, "WSManFault");
  const message = (detail && findElement(detail, "Message")?.text.trim()) ||
    findElement(fault, "Text")?.text.trim();
  return new WsmanFault(code?.text.trim() ?? "", number, message ?? "");
}
