/**
 * Documents of strangers, read with every limit on.
 *
 * The reading is done by npm:fast-xml-parser. It gets no document type to read, so there are no entities to
 * expand: the "billion laughs" and files named by entities never come to be.
 *
 * @module
 */

import { XMLParser, XMLValidator } from "fast-xml-parser";
import { decodeEntities, refuseBad, XmlError } from "./xml_text.ts";

export { escapeXml, XmlError } from "./xml_text.ts";

/** An element, its prefixes replaced by the namespaces that they stand for. */
export interface XmlElement {
  /** Without prefix. */
  name: string;
  namespace: string;
  /** By name without prefix. */
  attributes: Record<string, string>;
  /** The text directly in it. */
  text: string;
  children: XmlElement[];
}

const PARSER = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  cdataPropName: "#cdata",
  processEntities: false,
  parseTagValue: false,
  trimValues: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: 64,
});

/**
 * Reads a document.
 *
 * @throws {XmlError} when it is not well-formed, has a document type, or nests deeper than 64 elements
 *
 * @example
 * ```ts
 * import { findElement, parseXml } from "./xml.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const root = parseXml('<a:list xmlns:a="urn:a"><a:item n="1">x &lt; y</a:item></a:list>');
 * assertEquals(root.namespace, "urn:a");
 * assertEquals(findElement(root, "item")?.text, "x < y");
 * ```
 */
export function parseXml(text: string): XmlElement {
  const document = text.replace(/^\ufeff/, "");
  refuseBad(document);
  if (/^<!doctype/i.test(document.slice(prologEnd(document)).slice(0, 9))) {
    throw new XmlError("it has a document type, which no message may have");
  }
  const valid = XMLValidator.validate(document);
  if (valid !== true) throw new XmlError(`it is not XML: ${valid.err.msg.slice(0, 100)}`);
  let nodes: Node[];
  try {
    nodes = PARSER.parse(document);
  } catch (error) {
    throw new XmlError(`it is not XML: ${(error as Error).message.slice(0, 100)}`);
  }
  const [root, ...more] = nodes.filter((node) => nameOf(node) !== "#text");
  if (!root || more.length > 0) throw new XmlError("it is not XML: there must be one root element");
  return elementOf(root, { xml: "http://www.w3.org/XML/1998/namespace" });
}

/** The first element of that name at or below `root`, in document order. */
export function findElement(root: XmlElement, name: string): XmlElement | undefined {
  return findElements(root, name).next().value;
}

/** All elements of that name at or below `root`, in document order. */
export function* findElements(root: XmlElement, name: string): Generator<XmlElement, undefined> {
  if (root.name === name) yield root;
  for (const child of root.children) yield* findElements(child, name);
}

/** The parser's way to keep the order: one key that is the element's name, and `:@` for attributes. */
type Node = { [name: string]: Node[] | string } & { ":@"?: Record<string, string> };

const nameOf = (node: Node) => Object.keys(node).find((key) => key !== ":@") ?? "";

/** Where declaration, comments and white space before the root element end. */
function prologEnd(text: string): number {
  for (let at = 0;;) {
    while (/\s/.test(text.charAt(at))) at++;
    const [start, end] = text.startsWith("<?", at) ? ["<?", "?>"] : ["<!--", "-->"];
    const close = text.startsWith(start, at) ? text.indexOf(end, at) : -1;
    if (close < 0) return at;
    at = close + end.length;
  }
}

function elementOf(node: Node, outer: Record<string, string>): XmlElement {
  const written = nameOf(node);
  const given = Object.entries(node[":@"] ?? {}).map(([name, value]) =>
    [name, decodeEntities(value)] as const
  );
  const scope = { ...outer };
  const attributes: Record<string, string> = {};
  for (const [name, value] of given) {
    const [prefix, local] = parted(name);
    if (name === "xmlns") scope[""] = value;
    else if (prefix === "xmlns") scope[local] = value;
    else if (prefix === "" || !Object.hasOwn(attributes, local)) attributes[local] = value;
  }
  const [prefix, name] = parted(written);
  const element: XmlElement = {
    name,
    namespace: (Object.hasOwn(scope, prefix) ? scope[prefix] : "") ?? "",
    attributes,
    text: "",
    children: [],
  };
  for (const child of node[written] as Node[]) {
    const kind = nameOf(child);
    if (kind === "#text") element.text += decodeEntities(String(child["#text"]));
    else if (kind === "#cdata") {
      element.text += String((child["#cdata"] as Node[])[0]?.["#text"] ?? "");
    } else element.children.push(elementOf(child, scope));
  }
  return element;
}

function parted(name: string): [prefix: string, local: string] {
  const colon = name.indexOf(":");
  return colon < 0 ? ["", name] : [name.slice(0, colon), name.slice(colon + 1)];
}
