/**
 * WS-Management's messages as the server sees them: a request, read with every limit on.
 *
 * @module
 */

import { within } from "./deadline.ts";
import { ACTIONS, NAMESPACES, SHELL_RESOURCE } from "./wsman.ts";
import { Refusal } from "./wsman_reply.ts";
import { findElement, findElements, parseXml, type XmlElement, XmlError } from "./xml.ts";

/** What a client asks for. */
export interface WsmanRequest {
  action: keyof typeof ACTIONS;
  messageId: string;
  shellId?: string;
  /** Settings by name. */
  options: Record<string, string>;
  /** How long the answer may take, in milliseconds, at most a minute. */
  operationTimeout: number;
  /** The most bytes that the answer may have. */
  maxEnvelope: number;
  body: XmlElement;
}

/** The largest request, as Windows has it (MaxEnvelopeSizekb). */
export const LARGEST_REQUEST = 500 * 1024;
const SMALLEST_ENVELOPE = 8_192;
const LONGEST_OPERATION = 60_000;
const KNOWN_HEADERS =
  "To ReplyTo MessageID Action ResourceURI MaxEnvelopeSize Locale DataLocale OperationTimeout SelectorSet OptionSet SessionId OperationID SequenceId FaultTo"
    .split(" ");

/**
 * Reads a request.
 *
 * @param timeout how long its body may take, in milliseconds; 10,000 unless told
 * @throws {Refusal} when it is too large, too slow, of another type, or no request for a shell
 */
export async function readRequest(request: Request, timeout = 10_000): Promise<WsmanRequest> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/soap\+xml(\s*;|$)/i.test(type)) {
    throw new Refusal("s:Sender", "a message is application/soap+xml", { status: 415 });
  }
  const bytes = await within(timeout, bodyOf(request)).catch((error) => {
    if (error instanceof Refusal) throw error;
    throw new Refusal("s:Sender", "the message did not come whole", { status: 408 });
  });
  try {
    return understand(parseXml(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const why = error instanceof XmlError ? error.message : "it is not UTF-8";
    throw new Refusal("w:SchemaValidationError", why, { status: 400 });
  }
}

function understand(root: XmlElement): WsmanRequest {
  if (root.name !== "Envelope" || root.namespace !== NAMESPACES.s) {
    throw new Refusal("s:VersionMismatch", "the message is no SOAP 1.2 envelope");
  }
  const part = (name: string) =>
    root.children.find((each) => each.name === name && each.namespace === NAMESPACES.s);
  const header = part("Header");
  const body = part("Body") ??
    { name: "Body", namespace: "", attributes: {}, text: "", children: [] };
  const text = (name: string) => header && findElement(header, name)?.text.trim();
  const messageId = text("MessageID");
  const refuse = (subcode: string, why: string, code?: string) => {
    throw new Refusal(subcode, why, { code, relatesTo: messageId });
  };
  if (!header || !messageId || messageId.length > 200) {
    throw new Refusal("a:MessageInformationHeaderRequired", "the header MessageID is missing");
  }
  for (const { name, attributes } of header.children) {
    const must = ["true", "1"].includes(attributes.mustUnderstand ?? "");
    if (must && !KNOWN_HEADERS.includes(name)) {
      refuse("s:MustUnderstand", `the header ${name} is not known`);
    }
  }
  const action = Object.entries(ACTIONS).find(([, uri]) => uri === text("Action"))?.[0];
  if (!action) refuse("a:ActionNotSupported", "the action is not known");
  if (text("ResourceURI") !== SHELL_RESOURCE) {
    refuse("a:DestinationUnreachable", "there are only shells for command lines", "2150858752");
  }
  const maxEnvelope = Number(text("MaxEnvelopeSize") ?? LARGEST_REQUEST);
  if (!(maxEnvelope >= SMALLEST_ENVELOPE)) {
    refuse("w:EncodingLimit", `MaxEnvelopeSize is at least ${SMALLEST_ENVELOPE}`);
  }
  const selector = findElements(header, "Selector").find(({ attributes }) =>
    attributes.Name === "ShellId"
  );
  const options = Array.from(
    findElements(header, "Option"),
    ({ attributes, text }) => [attributes.Name ?? "", text.trim()],
  );
  return {
    options: Object.fromEntries(options),
    action: action as keyof typeof ACTIONS,
    messageId,
    shellId: selector?.text.trim(),
    operationTimeout: Math.min(duration(text("OperationTimeout")) ?? 20_000, LONGEST_OPERATION),
    maxEnvelope: Math.min(maxEnvelope, LARGEST_REQUEST),
    body,
  };
}

/** `PT20S`, `PT1M`, `P0DT0H0M20.5S` in milliseconds. */
function duration(text: string | undefined): number | undefined {
  const found =
    /^P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?$/
      .exec(text ?? "");
  if (!found) return undefined;
  const [days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0));
  return 1_000 * (seconds! + 60 * (minutes! + 60 * (hours! + 24 * days!)));
}

async function bodyOf(request: Request): Promise<Uint8Array> {
  const tooLarge = () =>
    new Refusal("w:EncodingLimit", `a message has at most ${LARGEST_REQUEST} bytes`, {
      status: 413,
    });
  if (Number(request.headers.get("content-length") ?? 0) > LARGEST_REQUEST) throw tooLarge();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.body ?? []) {
    length += piece.length;
    if (length > LARGEST_REQUEST) throw tooLarge();
    pieces.push(piece);
  }
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}
