import { assertRejects } from "@std/assert";
import { checkNew, checkOutput } from "../../lib/output_path.ts";
import { UsageError } from "../../lib/usage.ts";
import { temporaryFolder } from "./helpers.ts";

Deno.test("checkOutput takes a file and a free name, and refuses all else", async () => {
  using folder = temporaryFolder();
  const path = (name: string) => `${folder.path}/${name}`;
  await Deno.writeTextFile(path("file"), "");
  await Deno.symlink("/dev/null", path("link"));
  await checkOutput(path("file"));
  await checkOutput(path("free"));
  for (const other of [folder.path, path("free/"), path("link"), "/dev/null"]) {
    await assertRejects(() => checkOutput(other), UsageError, "--output is a file, and ");
  }
  await assertRejects(() => checkOutput(path("file/inside")), Error, `cannot look for ${path("")}`);
});

Deno.test("checkNew takes a free name only", async () => {
  using folder = temporaryFolder();
  await checkNew(`${folder.path}/free`);
  await Deno.symlink("nowhere", `${folder.path}/link`);
  for (const taken of [folder.path, `${folder.path}/link`]) {
    await assertRejects(() => checkNew(taken), Error, `${taken} is there already: remove it, or`);
  }
});
