import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ActionError } from "../../lib/errors.ts";
import { keepHostKey } from "../../lib/ssh_host_key.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("keepHostKey makes one key when many start at once, and leaves nothing else behind", () =>
  inFolder(async (folder) => {
    const file = `${folder}/new/host_key`;
    const keys = await Promise.all(Array.from({ length: 10 }, () => keepHostKey(file)));
    assertEquals(new Set(keys.map((key) => key.fingerprint)).size, 1);
    assertEquals([...Deno.readDirSync(`${folder}/new`)].map(({ name }) => name).sort(), [
      "host_key",
      "host_key.pub",
    ]);
    assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
    assertEquals(Deno.statSync(`${folder}/new`).mode! & 0o777, 0o700);
    assertEquals(Deno.readTextFileSync(`${file}.pub`), `${keys[0]!.publicKey} lecture\n`);
    assertMatch(keys[0]!.publicKey, /^ssh-ed25519 AAAA/);
  }));

Deno.test("keepHostKey refuses a file when it is no private key of its owner", () =>
  inFolder(async (folder) => {
    const file = `${folder}/host_key`;
    const refused = (said: string) => assertRejects(() => keepHostKey(file), ActionError, said);
    await keepHostKey(file);
    await Deno.chmod(file, 0o640);
    await refused("others may read or write it (mode 0640)");
    await Deno.chmod(file, 0o600);
    await Deno.rename(file, `${folder}/other`);
    await Deno.symlink(`${folder}/other`, file);
    await refused("it is no plain file");
    await Deno.remove(file);
    for (const text of ["", "nonsense\n", Deno.readTextFileSync(`${file}.pub`)]) {
      await Deno.writeTextFile(file, text, { mode: 0o600 });
      await refused(`cannot use ${file} as host key`);
    }
    await Deno.writeTextFile(file, "x".repeat(100_000));
    await refused("it has 100000 bytes");
  }));
