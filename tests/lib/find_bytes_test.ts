/** Bytes found in bytes. */
import { assertEquals } from "@std/assert";
import { finderOf } from "../../lib/find_bytes.ts";
import { chance } from "./helpers.ts";

Deno.test("finderOf finds what indexOf finds in texts when 20,000 are made of two letters", () => {
  const random = chance(5);
  const text = (length: number) => Array.from({ length }, () => "ab"[random(2)]).join("");
  for (let round = 0; round < 20_000; round++) {
    const [wanted, all] = [text(1 + random(6)), text(random(40))];
    const expected: number[] = [];
    for (let at = -wanted.length; (at = all.indexOf(wanted, at + wanted.length)) >= 0;) {
      expected.push(at);
    }
    const encode = (text: string) => new TextEncoder().encode(text);
    assertEquals(finderOf(encode(wanted))(encode(all)), expected, `${wanted} in ${all}`);
  }
});
