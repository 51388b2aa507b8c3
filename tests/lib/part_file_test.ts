import { assertEquals, assertRejects } from "@std/assert";
import { PartFile } from "../../lib/part_file.ts";
import { decode, encode, temporaryFolder } from "./helpers.ts";

const names = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();

Deno.test("a part file gets its name when it is finished, in place of an older one", async () => {
  using folder = temporaryFolder();
  const target = `${folder.path}/file`;
  await Deno.writeTextFile(target, "old");
  using part = await PartFile.open(target);
  await part.write(encode("new"));
  assertEquals([part.size, Deno.readTextFileSync(target)], [3, "old"]);
  await part.finish();
  assertEquals([Deno.readTextFileSync(target), names(folder.path)], ["new", ["file"]]);
});

Deno.test("a part file stays when it is not finished, unless nothing is in it", async () => {
  using folder = temporaryFolder();
  const target = `${folder.path}/file`;
  {
    using _empty = await PartFile.open(target);
  }
  assertEquals(names(folder.path), []);
  {
    using part = await PartFile.open(target);
    await part.write(encode("half"));
  }
  assertEquals(names(folder.path), ["file.part"]);
  {
    using part = await PartFile.open(target, { resume: true });
    assertEquals(decode(await part.takeTail(2)), "lf");
    assertEquals([part.size, part.kept], [2, 4]);
  }
  // what was taken out for comparison, and did not come again, is not lost
  assertEquals(Deno.readTextFileSync(`${target}.part`), "half");
  {
    using part = await PartFile.open(target, { resume: true });
    assertEquals(decode(await part.takeTail(9)), "half");
    await part.write(encode("hal"));
    await part.finish();
  }
  assertEquals(Deno.readTextFileSync(target), "hal");
  {
    using part = await PartFile.open(target);
    assertEquals(part.size, 0);
  }
});

Deno.test("a part file is never written through a link that somebody put there", async () => {
  using folder = temporaryFolder();
  const target = `${folder.path}/file`;
  await Deno.writeTextFile(`${folder.path}/victim`, "mine");
  await Deno.symlink("victim", `${target}.part`);
  await assertRejects(() => PartFile.open(target, { resume: true }), Error, "is no plain file");
  {
    using part = await PartFile.open(target);
    await part.write(encode("theirs"));
    await part.finish();
  }
  assertEquals(Deno.readTextFileSync(`${folder.path}/victim`), "mine");
  assertEquals(Deno.readTextFileSync(target), "theirs");
});

Deno.test("a part file is nobody else's while it is written, and can be gone on with after that", async () => {
  using folder = temporaryFolder();
  const target = `${folder.path}/file`;
  {
    using part = await PartFile.open(target);
    await part.write(encode("half"));
    for (const resume of [true, false]) {
      await assertRejects(() => PartFile.open(target, { resume }), Error, "by another program");
    }
    assertEquals(Deno.readTextFileSync(part.path), "half");
  }
  using part = await PartFile.open(target, { resume: true });
  assertEquals(part.size, 4);
  await part.finish();
  using _next = await PartFile.open(target);
  assertEquals(names(folder.path), ["file", "file.part"]);
});

Deno.test("a part file that is given up is gone, and one in no folder names the folder", async () => {
  using folder = temporaryFolder();
  const part = await PartFile.open(`${folder.path}/file`);
  await part.write(encode("half"));
  part.discard();
  assertEquals([part.closed, names(folder.path)], [true, []]);
  const target = `${folder.path}/none/file`;
  await assertRejects(() => PartFile.open(target), Error, "none/file.part is not there: make it");
});
