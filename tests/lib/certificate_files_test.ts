import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { createAuthority, issueCertificate, readCertificate } from "../../lib/certificate.ts";
import { certificateFiles, serverCertificate } from "../../lib/certificate_files.ts";
import { ActionError } from "../../lib/errors.ts";
import { pause } from "../../lib/pause.ts";

const HOUR = 3_600_000;

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
      lock: "600",
      "server.key": "600",
      "server.pem": "644",
    });
  }));

Deno.test("certificateFiles makes one pair when several ask for it at once", () =>
  inFolder(async (folder) => {
    const names = ["one.example", "two.example"];
    const several = Array.from({ length: 8 }, () => certificateFiles(folder, { names }));
    const all = await Promise.all(several);
    assertEquals(all.map(({ made }) => made.join()).sort(), [
      ...Array(7).fill(""),
      "authority,server",
    ]);
    for (const { authority, server } of all) {
      assertEquals([authority, server], [all[0]!.authority, all[0]!.server]);
    }
  }));

Deno.test("serverCertificate waits when another program is replacing the key and its certificate", () =>
  inFolder(async (folder) => {
    const { authority, server } = await certificateFiles(folder);
    const lock = await Deno.open(`${folder}/lock`, { write: true });
    await lock.lock(true);
    await Deno.writeTextFile(`${folder}/server.key`, authority.key);
    const waiting = serverCertificate(folder, () => {});
    assertEquals(await Promise.race([waiting, pause(50)]), true);
    await Deno.writeTextFile(`${folder}/server.key`, server.key);
    lock.close();
    assertEquals(await waiting, { cert: server.certificate, key: server.key });
  }));

Deno.test("certificateFiles issues another certificate by the same authority when other names are asked for", () =>
  inFolder(async (folder) => {
    const first = await certificateFiles(folder);
    const second = await certificateFiles(folder, { names: ["mail.example"] });
    assertEquals(second.authority, first.authority);
    assertEquals(second.made, ["server"]);
    assertEquals(second.notes, [
      `${folder}/server.pem was for localhost, 127.0.0.1, ::1 until now`,
    ]);
    assertEquals((await readCertificate(second.server.certificate)).names, ["mail.example"]);
    assertEquals((await certificateFiles(folder, { names: ["mail.example"] })).made, []);
  }));

Deno.test("certificateFiles makes all anew when it is told to, or when the authority expires within a day", () =>
  inFolder(async (folder) => {
    const first = await certificateFiles(folder);
    const second = await certificateFiles(folder, { renew: true });
    assertEquals(second.made, ["authority", "server"]);
    assertNotEquals(second.authority, first.authority);
    const soon = await createAuthority({ notAfter: new Date(Date.now() + 12 * HOUR) });
    await Deno.remove(`${folder}/server.pem`);
    await Deno.writeTextFile(`${folder}/authority.pem`, soon.certificate);
    await Deno.writeTextFile(`${folder}/authority.key`, soon.key);
    assertEquals((await certificateFiles(folder)).made, ["authority", "server"]);
  }));

/** Has the folder's authority issue the server's certificate for other names, or until another day. */
async function put(folder: string, names: string[], hours = 48): Promise<void> {
  const { authority } = await certificateFiles(folder);
  const notAfter = new Date(Date.now() + hours * HOUR);
  const { certificate, key } = await issueCertificate(authority, names, { notAfter });
  await Deno.writeTextFile(`${folder}/server.pem`, certificate);
  await Deno.writeTextFile(`${folder}/server.key`, key);
}

/** What the server's certificate is for. */
const namesIn = async (folder: string) =>
  (await readCertificate(await Deno.readTextFile(`${folder}/server.pem`))).names;

Deno.test("certificateFiles and serverCertificate use what is there, for whatever names", () =>
  inFolder(async (folder) => {
    await put(folder, ["mail.example.org", "10.0.0.7"]);
    const kept = await Deno.readTextFile(`${folder}/server.key`);
    const told: string[] = [];
    const { key } = await serverCertificate(folder, (sentence) => told.push(sentence));
    assertEquals(key, kept);
    assertEquals(told, [
      `clients trust ${folder}/authority.pem`,
      "the certificate is for mail.example.org, 10.0.0.7: clients have to ask for such a name",
    ]);
    const { server, made } = await certificateFiles(folder);
    assertEquals([server.key, made], [kept, []]);
  }));

Deno.test("certificates that expire within a day are issued anew, for the same names", () =>
  inFolder(async (folder) => {
    for (const renew of [certificateFiles, serverCertificate]) {
      for (const hours of [-2, 12]) {
        await put(folder, ["mail.example.org"], hours);
        const before = await Deno.readTextFile(`${folder}/server.key`);
        const told: string[] = [];
        renew === certificateFiles
          ? told.push(...(await certificateFiles(folder)).notes)
          : await serverCertificate(folder, (sentence) => told.push(sentence));
        assertMatch(told[0]!, /server\.pem is good until 2\d{3}-.* only$/);
        assertEquals(await namesIn(folder), ["mail.example.org"]);
        assertNotEquals(await Deno.readTextFile(`${folder}/server.key`), before);
      }
    }
    // the authority as well, with what it has issued
    const soon = await createAuthority({ notAfter: new Date(Date.now() + 12 * HOUR) });
    const server = await issueCertificate(soon, ["mail.example.org"]);
    for (const [name, certified] of Object.entries({ authority: soon, server })) {
      await Deno.writeTextFile(`${folder}/${name}.pem`, certified.certificate);
      await Deno.writeTextFile(`${folder}/${name}.key`, certified.key);
    }
    assertEquals((await certificateFiles(folder)).made, ["authority", "server"]);
    assertEquals(await namesIn(folder), ["mail.example.org"]);
  }));

Deno.test("what another authority has issued is used by a server, and never replaced", () =>
  inFolder(async (folder) => {
    const stranger = await createAuthority({ name: "Somebody else" });
    for (const hours of [48, -2]) {
      await certificateFiles(folder);
      const notAfter = new Date(Date.now() + hours * HOUR);
      const theirs = await issueCertificate(stranger, ["localhost"], { notAfter });
      await Deno.writeTextFile(`${folder}/server.pem`, theirs.certificate);
      await Deno.writeTextFile(`${folder}/server.key`, theirs.key);
      for (const reason of ["has not issued it", "is not there"]) {
        const told: string[] = [];
        const { key } = await serverCertificate(folder, (sentence) => told.push(sentence));
        assertEquals(key, theirs.key);
        assertEquals(
          told.at(-1),
          `clients have to trust CN=Somebody else, which issued ${folder}/server.pem`,
        );
        assertEquals(told.length, hours > 0 ? 1 : 2);
        for (const names of [undefined, ["mail.example"]]) {
          await assertRejects(
            () => certificateFiles(folder, { names }),
            ActionError,
            `authority.pem ${reason}`,
          );
        }
        if (reason === "has not issued it") await Deno.remove(`${folder}/authority.pem`);
      }
      assertEquals(await Deno.readTextFile(`${folder}/server.key`), theirs.key);
      await Deno.remove(folder, { recursive: true });
    }
  }));

Deno.test("keys that others can read are closed to them, and that is told", () =>
  inFolder(async (folder) => {
    await certificateFiles(folder);
    for (const mode of [0o644, 0o640, 0o604, 0o602]) {
      for (const name of ["authority", "server"]) await Deno.chmod(`${folder}/${name}.key`, mode);
      const { notes, made } = await certificateFiles(folder);
      assertEquals(made, []);
      assertEquals(notes.map((note) => /\/(\w+\.key), now only you have/.exec(note)?.[1]), [
        "authority.key",
        "server.key",
      ]);
      const { mode: now } = await Deno.stat(`${folder}/server.key`);
      assertEquals(now! & 0o777, 0o600);
    }
  }));

Deno.test("a server says that others can read its key, and leaves that as its owner has made it", () =>
  inFolder(async (folder) => {
    await certificateFiles(folder);
    await Deno.chmod(`${folder}/server.key`, 0o640);
    const told: string[] = [];
    await serverCertificate(folder, (sentence) => told.push(sentence));
    assertEquals(told[0], `others have access to ${folder}/server.key: chmod 600 ends it`);
    assertEquals((await Deno.stat(`${folder}/server.key`)).mode! & 0o777, 0o640);
  }));

Deno.test("damaged files and those without their other half are told in one sentence with the next step", () =>
  inFolder(async (folder) => {
    const other = await createAuthority();
    const damages: [file: string, text: string | undefined, reason: string][] = [
      ["server.pem", "garbage", "it holds no certificate"],
      ["server.pem", "", "it holds no certificate"],
      ["server.pem", other.key, "it holds no certificate"],
      ["server.key", "garbage", "it holds no key, or not that of server.pem"],
      ["server.key", other.key, "it holds no key, or not that of server.pem"],
      ["server.key", undefined, "its key, server.key, is not there"],
      ["authority.pem", "-----BEGIN CERTIFICATE-----\n", "it holds no certificate"],
      ["authority.key", "garbage", "it holds no key, or not that of authority.pem"],
      ["authority.key", undefined, "its key, authority.key, is not there"],
    ];
    for (const [file, text, reason] of damages) {
      await certificateFiles(folder, { renew: true });
      await Deno.remove(`${folder}/${file}`);
      if (text !== undefined) await Deno.writeTextFile(`${folder}/${file}`, text);
      const error = await assertRejects(() => certificateFiles(folder), ActionError, reason);
      assertMatch(error.message, /^cannot use \S+\/(server|authority)\.(pem|key): [^\n]+$/);
      assertMatch(error.explanation.next!, /certificate\.ts --new --folder \S+$/);
      const serving = serverCertificate(folder, () => {});
      // a server has no need of the authority
      if (file.startsWith("authority")) await serving;
      else await assertRejects(() => serving, ActionError, reason);
    }
  }));

Deno.test("certificateFiles names the file when one is damaged or cannot be read", () =>
  inFolder(async (folder) => {
    await certificateFiles(folder);
    await Deno.remove(`${folder}/server.key`);
    await Deno.mkdir(`${folder}/server.key`);
    await assertRejects(
      () => certificateFiles(folder),
      Error,
      `cannot read ${folder}/server.key`,
    );
  }));
