import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { escapeXml, findElement, findElements, parseXml, XmlError } from "../../lib/xml.ts";
import { indented } from "../../lib/xml_text.ts";
import { chance } from "./helpers.ts";

const SAMPLE =
  '<?xml version="1.0"?><!-- c --><a:x xmlns:a="urn:a" n="1 &amp; 2"><b xmlns="urn:b">t&#228;<![CDATA[<&>]]></b><a:e/></a:x>';

Deno.test("parseXml gives names, namespaces, attributes, text and CDATA", () => {
  assertEquals(parseXml(SAMPLE), {
    name: "x",
    namespace: "urn:a",
    attributes: { n: "1 & 2" },
    text: "",
    children: [
      { name: "b", namespace: "urn:b", attributes: {}, text: "tä<&>", children: [] },
      { name: "e", namespace: "urn:a", attributes: {}, text: "", children: [] },
    ],
  });
});

Deno.test("parseXml refuses every cut of a document", () => {
  for (let at = 0; at < SAMPLE.length; at++) {
    assertThrows(() => parseXml(SAMPLE.slice(0, at)), XmlError, undefined, `cut at ${at}`);
  }
});

Deno.test("parseXml refuses document types: no entity is ever expanded", () => {
  const laughs = Array.from(
    { length: 9 },
    (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`,
  );
  const bomb = `<!DOCTYPE a [<!ENTITY l0 "ha">${laughs.join("")}]><a>&l9;</a>`;
  const file = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>';
  for (const text of [bomb, file, `<?xml version="1.0"?>\n<!-- -->${bomb}`, "<!doctype a><a/>"]) {
    assertThrows(() => parseXml(text), XmlError, "document type");
  }
  assertThrows(() => parseXml("<a>&l9;</a>"), XmlError, "&l9; stands for nothing");
});

for (
  const text of [
    "",
    "hello",
    "<a/><b/>",
    "<a></b>",
    "<a x=1/>",
    '<a x="1" x="2"/>',
    "<a>&#0;</a>",
    "<a>&#x110000;</a>",
    "<a>&</a>",
    "<a>".repeat(70) + "</a>".repeat(70),
  ]
) {
  Deno.test(`parseXml refuses ${text.slice(0, 30) || "nothing"}`, () => {
    assertThrows(() => parseXml(text), XmlError);
  });
}

Deno.test("parseXml ends soon when a large document opens what it does not close", () => {
  for (const part of ["<a>", "<!--", "<?", "<![CDATA[", "<a b='", "&amp;", "<a ", "]]>"]) {
    assertThrows(() => parseXml(part.repeat(50_000)), XmlError);
  }
});

Deno.test("any text that XML can carry comes back from an element and an attribute", () => {
  const unit = fc.oneof(
    fc.constantFrom(..."<>&;\"' \t\r\n]!-[?/", "]]>", "&amp;", "\u0085", "\u2028", "😀"),
    fc.integer({ min: 0x20, max: 0xd7ff }).map((code) => String.fromCodePoint(code)),
  );
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      const root = parseXml(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`);
      assertEquals([root.attributes.b ?? "", root.text], [text, text]);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("escapeXml refuses what XML cannot carry", () => {
  for (const bad of ["\0", "\x1b", "\ufffe", "\ud800", "a\udc00b"]) {
    assertThrows(() => escapeXml(bad), XmlError, "XML cannot carry the character U+");
  }
});

Deno.test("parseXml fails with XmlError only in 100,000 generated documents", () => {
  const next = chance(1998);
  const pieces =
    "< > & ; / ? ! - [ ] = \" ' : a b xmlns # x CDATA DOCTYPE __proto__ constructor &amp; </a> <a> é"
      .split(" ");
  let read = 0;
  for (let count = 0; count < 100_000; count++) {
    const some = Array.from({ length: next(20) }, () => pieces[next(pieces.length)]).join("");
    // of each kind: garbage, garbage in an element, and a document with garbage in place of a part
    const from = next(SAMPLE.length);
    const changed = SAMPLE.slice(0, from) + some.slice(0, 6) + SAMPLE.slice(from + next(6));
    const text = [some, `<a>${some}</a>`, changed][count % 3]!;
    try {
      parseXml(text);
      read++;
    } catch (error) {
      assert(error instanceof XmlError, `${text}: ${error}`);
    }
  }
  assert(read > 1_000 && read < 90_000, `${read} were taken`);
});

Deno.test("findElement and findElements go in document order", () => {
  const root = parseXml("<a><b n='1'><c/><b n='2'/></b><b n='3'/></a>");
  assertEquals(findElement(root, "b")?.attributes.n, "1");
  assertEquals([...findElements(root, "b")].map(({ attributes }) => attributes.n), ["1", "2", "3"]);
  assertEquals(findElement(root, "d"), undefined);
});

Deno.test("indented puts each element on a line of its own", () => {
  assertEquals(indented("<?xml?><a><b>t</b><c></c><d/></a>"), [
    "<?xml?>",
    "<a>",
    "  <b>t</b>",
    "  <c></c>",
    "  <d/>",
    "</a>",
  ]);
});
