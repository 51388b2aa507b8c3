import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { PathRefused, realPathInside, virtualPath } from "../../lib/ftp_path.ts";
import { temporaryFolder } from "./helpers.ts";

Deno.test("virtualPath resolves against the working directory and stops at the root", () => {
  const cases: [string, string, string][] = [
    ["/", "", "/"],
    ["/a/b", "", "/a/b"],
    ["/a/b", "c", "/a/b/c"],
    ["/a/b", "/c", "/c"],
    ["/a/b", "..", "/a"],
    ["/a", "../../..", "/"],
    ["/", "../../etc/passwd", "/etc/passwd"],
    ["/", "a//b/./c/", "/a/b/c"],
    ["/", "...", "/..."],
    ["/", "a b/ü", "/a b/ü"],
    ["/", "~/x", "/~/x"],
    ["/", "%2e%2e/x", "/%2e%2e/x"],
  ];
  for (const [current, path, wanted] of cases) assertEquals(virtualPath(current, path), wanted);
});

Deno.test("virtualPath refuses line ends, NUL and paths without end", () => {
  for (const path of ["a\rb", "a\nb", "a\0b", "x".repeat(4_097)]) {
    assertThrows(() => virtualPath("/", path), PathRefused);
  }
});

const segment = fc.constantFrom("..", ".", "", "in", "folder", "out", "loop", "deep", "...", "a b");
const anyPath = fc.oneof(
  fc.array(segment, { maxLength: 8 }).map((parts) => parts.join("/")),
  fc.string({ maxLength: 30, unit: "binary" }),
);

Deno.test("virtualPath never gives a path with .. or ., for any input", () => {
  fc.assert(
    fc.property(anyPath, anyPath, (first, second) => {
      try {
        const path = virtualPath(virtualPath("/", first), second);
        assert(path.startsWith("/"));
        assertEquals(path.split("/").filter((part) => part === ".." || part === "."), []);
        assertEquals(virtualPath("/", path), path);
      } catch (error) {
        assert(error instanceof PathRefused);
      }
    }),
    { numRuns: 50_000 },
  );
});

/** A root with links that stay inside, lead out, and go round in circles; beside it what nobody may see. */
async function tree(folder: string) {
  const root = `${await Deno.realPath(folder)}/root`;
  await Deno.mkdir(`${root}/folder/deep`, { recursive: true });
  await Deno.mkdir(`${root}-beside`);
  await Deno.writeTextFile(`${root}-beside/secret`, "");
  await Deno.writeTextFile(`${root}/folder/in`, "");
  await Deno.symlink("folder/in", `${root}/in`);
  await Deno.symlink("..", `${root}/folder/up`);
  await Deno.symlink("../..", `${root}/folder/deep/out`);
  await Deno.symlink(`${root}-beside`, `${root}/out`);
  await Deno.symlink("loop", `${root}/loop`);
  return root;
}

Deno.test("realPathInside follows links inside the root and refuses those that lead out", async () => {
  using folder = temporaryFolder();
  const root = await tree(folder.path);
  assertEquals(await realPathInside(root, "/"), root);
  assertEquals(await realPathInside(root, "/in"), `${root}/folder/in`);
  assertEquals(await realPathInside(root, "/folder/up/in"), `${root}/folder/in`);
  const refused = ["/out", "/out/secret", "/folder/deep/out/../..", "/loop", "/none", "/in/x"];
  for (const path of refused) {
    // one answer for all: nobody learns what is there
    await assertRejects(() => realPathInside(root, path), PathRefused, "there is no such file");
  }
  assertEquals(await realPathInside("/", "/tmp"), await Deno.realPath("/tmp"));
});

Deno.test("no path leads out of the root, for any input", async () => {
  using folder = temporaryFolder();
  const root = await tree(folder.path);
  await fc.assert(
    fc.asyncProperty(anyPath, anyPath, async (first, second) => {
      try {
        const real = await realPathInside(root, virtualPath(virtualPath("/", first), second));
        assert(real === root || real.startsWith(`${root}/`), real);
      } catch (error) {
        assert(error instanceof PathRefused, String(error));
      }
    }),
    { numRuns: 3_000 },
  );
});
