/**
 * The structure of a mail as IMAP tells it: which parts it has, of which type and size, so that a client fetches
 * the text without the pictures.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-7.4.2 RFC 3501, 7.4.2}: BODY and BODYSTRUCTURE
 * @module
 */

import { envelopePieces } from "./imap_envelope.ts";
import { nstring, type Pieces } from "./imap_string.ts";
import { fieldValue } from "./mail_header.ts";
import { type MimePart, parseParameters } from "./mime_parts.ts";

/**
 * The structure of a mail.
 *
 * @param extended whether all is told, as BODYSTRUCTURE does, or what BODY tells
 *
 * @example
 * ```ts
 * import { structurePieces } from "./imap_structure.ts";
 * import { mimeParts } from "./mime_parts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const mail = new TextEncoder().encode("Subject: a\r\n\r\none\r\ntwo\r\n");
 * assertEquals(
 *   structurePieces(mail, mimeParts(mail), false).join(""),
 *   '("text" "plain" NIL NIL NIL "7bit" 10 2)',
 * );
 * ```
 */
export function structurePieces(mail: Uint8Array, part: MimePart, extended: boolean): Pieces {
  const field = (name: string) => fieldValue(part.fields, name);
  const extension: Pieces = extended
    ? [...disposition(field("content-disposition")), " ", ...nstring(field("content-language"))]
    : [];
  if (part.parts.length > 0) {
    return [
      "(",
      ...part.parts.flatMap((each) => structurePieces(mail, each, extended)),
      " ",
      ...nstring(part.subtype),
      ...(extended ? [" ", ...parameterPieces(part.parameters), " ", ...extension, " NIL"] : []),
      ")",
    ];
  }
  const body = mail.subarray(part.bodyStart, part.end);
  // a multipart in which no part was found is told as what it is then: a text
  const [type, subtype] = part.type === "multipart" ? ["text", "plain"] : [part.type, part.subtype];
  const rest: Pieces[] = [
    nstring(subtype),
    parameterPieces(part.parameters),
    nstring(field("content-id")),
    nstring(field("content-description")),
    nstring(field("content-transfer-encoding")?.toLowerCase() || "7bit"),
    [String(body.length)],
  ];
  if (part.message) {
    rest.push(envelopePieces(part.message.fields));
    rest.push(structurePieces(mail, part.message, extended));
  }
  if (part.message || type === "text") rest.push([String(linesIn(body))]);
  if (extended) rest.push([...nstring(field("content-md5")), " ", ...extension, " NIL"]);
  return ["(", ...nstring(type), ...rest.flatMap((each) => [" ", ...each]), ")"];
}

function parameterPieces(parameters: Map<string, string>): Pieces {
  if (parameters.size === 0) return ["NIL"];
  const pairs = [...parameters].flat().flatMap((text, index) => [
    ...(index === 0 ? [] : [" "]),
    ...nstring(text),
  ]);
  return ["(", ...pairs, ")"];
}

function disposition(field: string | undefined): Pieces {
  if (!field) return ["NIL"];
  const { value, parameters } = parseParameters(field);
  return ["(", ...nstring(value), " ", ...parameterPieces(parameters), ")"];
}

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}
