import { assert, assertEquals } from "@std/assert";
import { readVersion, strongValidator, versionPath, writeVersion } from "../../lib/part_version.ts";
import { chance, temporaryFolder } from "./helpers.ts";

Deno.test("strongValidator trusts", async (t) => {
  const old = "Wed, 21 Oct 2015 07:28:00 GMT", later = "Wed, 21 Oct 2015 07:29:00 GMT";
  const cases: [headers: Record<string, string>, validator: string | undefined][] = [
    [{}, undefined],
    [{ etag: '"a b"' }, undefined],
    [{ etag: '"a"' }, '"a"'],
    [{ etag: 'W/"a"' }, undefined],
    [{ etag: "a" }, undefined],
    [{ etag: '"' + "a".repeat(901) + '"' }, undefined],
    [{ etag: 'W/"a"', "last-modified": old, date: later }, undefined],
    [{ "last-modified": old }, undefined],
    [{ "last-modified": old, date: old }, undefined],
    [{ "last-modified": old, date: later }, old],
    [{ "last-modified": "yesterday", date: later }, undefined],
  ];
  for (const [headers, validator] of cases) {
    await t.step(
      JSON.stringify(headers).slice(0, 60),
      () => assertEquals(strongValidator(new Headers(headers)), validator),
    );
  }
});

Deno.test("readVersion gives what writeVersion noted, and nothing for what is no good", async () => {
  using folder = temporaryFolder();
  const target = `${folder.path}/file`;
  assertEquals(await readVersion(target), undefined);
  const version = { url: "http://host/", validator: '"1"' };
  await writeVersion(target, version);
  await writeVersion(target, version);
  assertEquals(await readVersion(target), version);
  const next = chance(3);
  const pieces = [
    "{",
    "}",
    '"url":"http://h/",',
    '"validator":',
    '"a\\r\\nX: y"',
    "null",
    "[]",
    "7",
  ];
  for (let round = 0; round < 500; round++) {
    const text = Array.from({ length: next(7) }, () => pieces[next(pieces.length)]).join("");
    await Deno.writeTextFile(versionPath(target), text);
    assert((await readVersion(target)) === undefined, text);
  }
  await writeVersion(target);
  await writeVersion(target);
  assertEquals(Array.from(Deno.readDirSync(folder.path)), []);
});
