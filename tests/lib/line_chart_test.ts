import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { lineChart } from "../../lib/line_chart.ts";

const NAMES = { title: "Throughput", x: "segments", y: "KB/s" };

function pointsOf(svg: string): [number, number][] {
  const parsed = new XMLParser({ ignoreAttributes: false }).parse(svg);
  const written: string = parsed.svg.polyline["@_points"];
  return written.split(" ").map((point) => point.split(",").map(Number) as [number, number]);
}

Deno.test("lineChart draws a higher value higher, and twice the value twice as high", () => {
  const [zero, one, two] = pointsOf(lineChart([[1, 0], [2, 100], [4, 200]], NAMES));
  assert(zero![0] < one![0] && one![0] < two![0]);
  assertEquals(zero![1] - two![1], 2 * (zero![1] - one![1]));
});

Deno.test("lineChart is XML whatever stands at it", () => {
  const svg = lineChart([[1, 1]], { title: '<script>&"', x: "a<b", y: "</svg>" });
  assertEquals(XMLValidator.validate(svg), true);
  assertStringIncludes(svg, "&lt;script&gt;&amp;&quot;");
});

Deno.test("lineChart draws one point, and nothing but zeros", () => {
  for (const points of [[[5, 7]], [[1, 0], [2, 0]]] as [number, number][][]) {
    const svg = lineChart(points, NAMES);
    assertEquals(XMLValidator.validate(svg), true);
    assert(!/NaN|Infinity/.test(svg), svg);
  }
});

Deno.test("lineChart refuses what cannot be drawn", () => {
  for (const points of [[], [[1, NaN]], [[1, Infinity]], [[1, -1]]] as [number, number][][]) {
    assertThrows(() => lineChart(points, NAMES), RangeError);
  }
});
