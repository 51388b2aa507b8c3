import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { createAuthority, issueCertificate, readCertificate } from "../../lib/certificate.ts";
import { certificateFiles } from "../../lib/certificate_files.ts";

const DAY = 24 * 3_600_000;

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "certificates-" });
  try {
    await work(`${folder}/new`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("certificateFiles keeps the keys for their owner only", () =>
  inFolder(async (folder) => {
    await certificateFiles(folder);
    const modes = [...Deno.readDirSync(folder)].map(({ name }) => {
      return [name, (Deno.statSync(`${folder}/${name}`).mode! & 0o777).toString(8)] as const;
    });
    assertEquals(Object.fromEntries(modes), {
      "authority.key": "600",
      "authority.pem": "644",
      "server.key": "600",
      "server.pem": "644",
    });
  }));

Deno.test("certificateFiles issues another certificate by the same authority when other names are asked for", () =>
  inFolder(async (folder) => {
    const first = await certificateFiles(folder);
    const second = await certificateFiles(folder, { names: ["mail.example"] });
    assertEquals(second.authority, first.authority);
    assertEquals(second.made, ["server"]);
    assertEquals((await readCertificate(second.server.certificate)).names, ["mail.example"]);
    assertEquals((await certificateFiles(folder, { names: ["mail.example"] })).made, []);
  }));

Deno.test("certificateFiles makes all anew when it is told to, or when the authority expires within a day", () =>
  inFolder(async (folder) => {
    const first = await certificateFiles(folder);
    const second = await certificateFiles(folder, { renew: true });
    assertEquals(second.made, ["authority", "server"]);
    assertNotEquals(second.authority, first.authority);
    const soon = await createAuthority({ notAfter: new Date(Date.now() + DAY / 2) });
    await Deno.writeTextFile(`${folder}/authority.pem`, soon.certificate);
    await Deno.writeTextFile(`${folder}/authority.key`, soon.key);
    assertEquals((await certificateFiles(folder)).made, ["authority", "server"]);
  }));

Deno.test("certificateFiles issues the server's certificate anew when it expires within a day", () =>
  inFolder(async (folder) => {
    const { authority } = await certificateFiles(folder);
    const notAfter = new Date(Date.now() + DAY / 2);
    const old = await issueCertificate(authority, ["localhost", "127.0.0.1", "::1"], { notAfter });
    await Deno.writeTextFile(`${folder}/server.pem`, old.certificate);
    assertEquals((await certificateFiles(folder)).made, ["server"]);
  }));

Deno.test("certificateFiles names the file when one is damaged or cannot be read", () =>
  inFolder(async (folder) => {
    await certificateFiles(folder);
    await Deno.remove(`${folder}/server.key`);
    await Deno.mkdir(`${folder}/server.key`);
    await assertRejects(
      () => certificateFiles(folder),
      Error,
      `${folder}/server.pem and server.key`,
    );
  }));
