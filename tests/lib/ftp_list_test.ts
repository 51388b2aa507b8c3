import { assertEquals, assertRejects } from "@std/assert";
import { entriesOf, entryOf, factsLine, listLine, timestamp } from "../../lib/ftp_list.ts";
import { PathRefused } from "../../lib/ftp_path.ts";
import { temporaryFolder } from "./helpers.ts";

const modified = new Date("2024-06-11T08:05:09.999Z");

Deno.test("listLine gives the time of a recent file and the year of an old or future one", () => {
  const entry = { name: "a b", isDirectory: false, size: 7, modified };
  const line = (now: string) => listLine(entry, new Date(now)).slice(33);
  assertEquals(line("2024-06-12T00:00:00Z"), "           7 Jun 11 08:05 a b");
  assertEquals(line("2025-06-12T00:00:00Z"), "           7 Jun 11  2024 a b");
  assertEquals(line("2023-06-12T00:00:00Z"), "           7 Jun 11  2024 a b");
  assertEquals(listLine({ ...entry, isDirectory: true }, modified)[0], "d");
});

Deno.test("factsLine and timestamp write what RFC 3659 wants", () => {
  const entry = { name: "a b", isDirectory: false, size: 7, modified };
  assertEquals(timestamp(modified), "20240611080509");
  assertEquals(factsLine(entry), "type=file;size=7;modify=20240611080509; a b");
  assertEquals(factsLine({ ...entry, isDirectory: true }), "type=dir;modify=20240611080509; a b");
});

Deno.test("entriesOf leaves out what leads out, pipes, and names that would forge a line", async () => {
  using folder = temporaryFolder();
  const root = await Deno.realPath(folder.path);
  await Deno.mkdir(`${root}/z`);
  await Deno.writeTextFile(`${root}/a`, "four");
  await Deno.writeTextFile(`${root}/forged\r\n-r--r--r-- 1 root root 1 Jan 01 00:00 passwd`, "");
  await Deno.symlink("a", `${root}/link`);
  await Deno.symlink("/etc/passwd", `${root}/out`);
  await Deno.symlink("nowhere", `${root}/dangling`);
  using _socket = Deno.listen({ transport: "unix", path: `${root}/socket` });
  const entries = await entriesOf(root, "/");
  const found = entries.map(({ name, isDirectory, size }) => `${name} ${isDirectory || size}`);
  assertEquals(found, ["a 4", "link 4", "z true"]);
  assertEquals((await entriesOf(root, "/a")).map(({ name }) => name), ["a"]);
  assertEquals(await entriesOf(root, "/z"), []);
  await assertRejects(() => entriesOf(root, "/none"), PathRefused);
  await assertRejects(() => entryOf(root, "/socket"), PathRefused, "it is no plain file");
});
