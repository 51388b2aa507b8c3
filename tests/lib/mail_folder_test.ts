import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { listMails, prepareMailFolder, readMail, saveMail } from "../../lib/mail_folder.ts";
import { decode, encode } from "./helpers.ts";

function temporary(): Disposable & { path: string } {
  const path = Deno.makeTempDirSync({ prefix: "mail-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

Deno.test("mails are listed in the order in which they were saved, many at once", async () => {
  using folder = temporary();
  const saved: string[] = [];
  for (let number = 0; number < 20; number++) {
    saved.push((await saveMail(`${folder.path}/new/folder`, encode(`${number}`))).name);
  }
  const mails = await listMails(`${folder.path}/new/folder`);
  assertEquals(mails.map(({ name }) => name), saved);
  assertEquals(decode(await readMail(mails[7]!)), "7");
  const more = await Promise.all(
    saved.map((_, number) => saveMail(folder.path, encode(`${number}`))),
  );
  assertEquals(new Set(more.map(({ name }) => name)).size, 20);
});

Deno.test("a mail in pieces is one file, readable by its owner only, with nothing beside it", async () => {
  using folder = temporary();
  const mail = await saveMail(folder.path, [encode("one "), encode(""), encode("two")]);
  assertMatch(mail.name, /^\d{8}T\d{6}\.\d{3}Z-\d{6}-[0-9a-f]{8}\.eml$/);
  assertEquals(mail.size, 7);
  assertEquals(decode(await readMail(mail)), "one two");
  assertEquals(Array.from(Deno.readDirSync(folder.path), ({ name }) => name), [mail.name]);
  if (Deno.build.os !== "windows") assertEquals(Deno.statSync(mail.path).mode! & 0o777, 0o600);
});

Deno.test("listMails leaves out what is no mail: links, folders, unfinished and other files", async () => {
  using folder = temporary();
  const { path } = folder;
  Deno.writeTextFileSync(`${path}/b.eml`, "b");
  Deno.writeTextFileSync(`${path}/a.eml`, "a");
  Deno.writeTextFileSync(`${path}/.c.eml.part`, "c");
  Deno.writeTextFileSync(`${path}/.d.eml`, "d");
  Deno.writeTextFileSync(`${path}/e.txt`, "e");
  Deno.writeTextFileSync(`${path}/large.eml`, "large");
  Deno.mkdirSync(`${path}/f.eml`);
  Deno.symlinkSync(`${path}/e.txt`, `${path}/g.eml`);
  const mails = await listMails(path, { size: 4 });
  assertEquals(mails.map(({ name }) => name), ["a.eml", "b.eml"]);
  assertEquals((await listMails(path, { count: 1 })).length, 1);
});

Deno.test("readMail gives no more than was listed when the file has grown or shrunk", async () => {
  using folder = temporary();
  const mail = await saveMail(folder.path, encode("12345"));
  Deno.writeTextFileSync(mail.path, "1234567");
  assertEquals(decode(await readMail(mail)), "12345");
  Deno.writeTextFileSync(mail.path, "12");
  assertEquals(decode(await readMail(mail)), "12");
});

Deno.test("saveMail names the folder and leaves nothing behind when it cannot write", async () => {
  using folder = temporary();
  Deno.writeTextFileSync(`${folder.path}/file`, "");
  await assertRejects(
    () => saveMail(`${folder.path}/file`, encode("lost")),
    Error,
    `cannot store a mail in ${folder.path}/file`,
  );
  assertEquals(Array.from(Deno.readDirSync(folder.path), ({ name }) => name), ["file"]);
});

Deno.test("listMails names the folder when it is not there", async () => {
  using folder = temporary();
  const error = await assertRejects(() => listMails(`${folder.path}/none`), Error);
  assert(error.message.includes(`${folder.path}/none`));
});

Deno.test("prepareMailFolder makes the folder, or says why there can be none", async () => {
  using folder = temporary();
  await prepareMailFolder(`${folder.path}/new`);
  await prepareMailFolder(`${folder.path}/new`);
  assertEquals(await listMails(`${folder.path}/new`), []);
  Deno.writeTextFileSync(`${folder.path}/file`, "");
  await assertRejects(
    () => prepareMailFolder(`${folder.path}/file`),
    Error,
    `cannot use the mail folder ${folder.path}/file`,
  );
});
