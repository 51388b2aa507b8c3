/** Files that only their owner may read. */
import { assertEquals, assertRejects } from "@std/assert";
import { writePrivate } from "../../lib/private_file.ts";
import { TapCapture } from "../../lib/tap_capture.ts";

const modeOf = (path: string) => (Deno.statSync(path).mode! & 0o777).toString(8);

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "private-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("writePrivate closes a file to others when it was there and open to them", () =>
  inFolder(async (folder) => {
    const path = `${folder}/picture.svg`;
    await Deno.writeTextFile(path, "something longer than what follows");
    await Deno.chmod(path, 0o644);
    await writePrivate(path, "secret");
    assertEquals([await Deno.readTextFile(path), modeOf(path)], ["secret", "600"]);
  }));

Deno.test("writePrivate keeps a link, and closes the file that it leads to", () =>
  inFolder(async (folder) => {
    const [file, link] = [`${folder}/file`, `${folder}/link`];
    await Deno.writeTextFile(file, "");
    await Deno.chmod(file, 0o644);
    await Deno.symlink(file, link);
    await writePrivate(link, "secret");
    assertEquals([await Deno.readTextFile(file), modeOf(file)], ["secret", "600"]);
    assertEquals((await Deno.lstat(link)).isSymlink, true);
  }));

Deno.test("writePrivate leaves a device as it is", async () => {
  const mode = modeOf("/dev/null");
  await writePrivate("/dev/null", "secret");
  assertEquals([modeOf("/dev/null"), (await Deno.stat("/dev/null")).isCharDevice], [mode, true]);
});

Deno.test("writePrivate names the folder's fault when there is none", () =>
  inFolder(async (folder) => {
    await assertRejects(() => writePrivate(`${folder}/none/a`, ""), Deno.errors.NotFound);
  }));

Deno.test("TapCapture closes a file to others when it was there and open to them", () =>
  inFolder(async (folder) => {
    const path = `${folder}/tap.pcapng`;
    await Deno.writeTextFile(path, "");
    await Deno.chmod(path, 0o644);
    new TapCapture(path, { from: "test" })[Symbol.dispose]();
    assertEquals(modeOf(path), "600");
  }));
