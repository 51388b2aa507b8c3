import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { type BarChart, barChart } from "../../lib/bar_chart.ts";
import { element, escaped } from "../../lib/svg.ts";

const chart = (values: (number | undefined)[][], more: Partial<BarChart> = {}): BarChart => ({
  title: "Speed",
  description: "what it shows",
  groups: values.map((_, index) => `group ${index}`),
  series: values[0]!.map((_, index) => `series ${index}`),
  charts: [{ heading: "per second", values }],
  ...more,
});

interface Node {
  [name: string]: Node[] | Record<string, string>;
}

/** The attributes of all elements with a name, wherever they are. */
function all(svg: string, name: string): Record<string, string>[] {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    preserveOrder: true,
  });
  const found: Record<string, string>[] = [];
  const walk = (nodes: Node[]) => {
    for (const node of nodes) {
      for (const [key, inside] of Object.entries(node)) {
        if (key === name) found.push((node[":@"] ?? {}) as Record<string, string>);
        if (Array.isArray(inside)) walk(inside);
      }
    }
  };
  walk(parser.parse(svg));
  return found;
}

const bars = (svg: string) =>
  all(svg, "rect").filter((box) => box.class !== "paper" && box.y !== "42");

Deno.test("barChart draws heights in proportion to the values", () => {
  const heights = bars(barChart(chart([[10, 20], [5, 0]]))).map((box) => Number(box.height));
  assertEquals(heights.length, 4);
  const [ten, twenty, five, none] = heights as [number, number, number, number];
  assert(Math.abs(twenty / ten - 2) < 0.01 && Math.abs(ten / five - 2) < 0.01, `${heights}`);
  assertEquals(none, 0);
});

Deno.test("barChart keeps every bar in the picture when values are small, large and all 0", () => {
  for (const values of [[[1e-9]], [[1e12, 1]], [[0, 0]], [[3]], [[99_999.5, 100_000]]]) {
    const svg = barChart(chart(values));
    const [{ width, height }] = all(svg, "svg") as [Record<string, string>];
    for (const box of all(svg, "rect")) {
      assert(Number(box.height) >= 0 && Number(box.height) <= Number(height), svg);
      assert(Number(box.x ?? 0) + Number(box.width) <= Number(width), svg);
    }
  }
});

Deno.test("barChart leaves out a bar whose value is not known", () => {
  assertEquals(bars(barChart(chart([[1, undefined]]))).length, 1);
});

Deno.test("barChart is well-formed when texts hold markup and control characters", () => {
  const nasty = `</text><script>alert("1")</script>&amp;\0\x1b\ud800]]>`;
  const svg = barChart({
    title: nasty,
    description: nasty,
    groups: [nasty],
    series: [nasty],
    charts: [{ heading: nasty, values: [[1]], format: () => nasty }],
  });
  assertEquals(XMLValidator.validate(svg), true);
  assertEquals(all(svg, "script"), []);
  assert(!/[^\P{Cc}\n]/u.test(svg));
});

Deno.test("barChart is named, described, and made for light and dark pages", () => {
  const svg = barChart(chart([[1]]));
  assertStringIncludes(svg, 'role="img" aria-labelledby="title description"');
  assertStringIncludes(svg, '<title id="title">Speed</title>');
  assertStringIncludes(svg, '<desc id="description">what it shows</desc>');
  assertStringIncludes(svg, "prefers-color-scheme: dark");
});

Deno.test("barChart refuses what it cannot draw", () => {
  for (const value of [-1, NaN, Infinity]) {
    assertThrows(() => barChart(chart([[value]])), RangeError, `${value}`);
  }
  assertThrows(() => barChart(chart([[1, 2], [1]])), RangeError, "not one row");
  assertThrows(() => barChart(chart([[1, 2, 3, 4, 5, 6, 7]])), RangeError, "at most 6");
});

Deno.test("element rounds numbers and escapes attributes", () => {
  assertEquals(
    element("a", { x: 2 / 3, title: `<"'&>` }),
    '<a x="0.67" title="&lt;&quot;&#39;&amp;&gt;"/>',
  );
  assertEquals(escaped("a\tb\n\u0085"), "a\tb\n\ufffd");
});
