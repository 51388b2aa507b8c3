import { assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import ssh2 from "ssh2";
import { ActionError } from "../../lib/errors.ts";
import { newKeyPair } from "../../lib/openssh_key.ts";
import { parseAuthorizedKeys, readAuthorizedKeys } from "../../lib/ssh_authorized_keys.ts";
import { Attempts, judge, passwordOf } from "../../lib/ssh_login.ts";

Deno.test("parseAuthorizedKeys leaves a line out when it is no plain key of a good kind", () => {
  const good = newKeyPair().publicKey.split(" ")[1]!;
  const short = ssh2.utils.generateKeyPairSync("rsa", { bits: 1024 }).public;
  const text = [
    `ssh-ed25519 ${good} me`,
    "",
    "# a comment",
    `command="id" ssh-ed25519 ${good}`,
    `ssh-ed25519 ${good.slice(0, -8)}`,
    `ecdsa-sha2-nistp256 ${good}`,
    "ssh-ed25519",
    "ssh-ed25519 not/base64!",
    short,
    `\tssh-ed25519 ${good}\r`,
  ].join("\n");
  const { keys, leftOut } = parseAuthorizedKeys(text);
  assertEquals([keys.length, leftOut], [2, [4, 5, 6, 7, 8, 9]]);
});

Deno.test("readAuthorizedKeys refuses a file when others may write it; none has no keys", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assertEquals((await readAuthorizedKeys(`${folder}/none`)).keys, []);
    await Deno.writeTextFile(`${folder}/keys`, newKeyPair().publicKey);
    await Deno.chmod(`${folder}/keys`, 0o666);
    await assertRejects(
      () => readAuthorizedKeys(`${folder}/keys`),
      ActionError,
      "others may write it",
    );
    await Deno.chmod(`${folder}/keys`, 0o644);
    assertEquals((await readAuthorizedKeys(`${folder}/keys`)).keys.length, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("judge is content only when user, key and signature fit", async () => {
  const authorizedKeys = await Deno.makeTempFile();
  try {
    const mine = newKeyPair();
    await Deno.writeTextFile(authorizedKeys, mine.publicKey);
    await Deno.chmod(authorizedKeys, 0o600);
    const rules = { user: "student", fits: passwordOf("student", "sesame"), authorizedKeys };
    const blob = Buffer.from("what is signed");
    const login = (text: string, username = "student") => {
      const key = ssh2.utils.parseKey(text);
      return {
        method: "publickey",
        username,
        key: { algo: key.type, data: key.getPublicSSH() },
        blob,
        signature: key.sign(blob),
      };
    };
    const good = async (given: Parameters<typeof judge>[0]) => (await judge(given, rules)).good;
    assertEquals(await good(login(mine.privateKey)), true);
    assertEquals(await good({ ...login(mine.privateKey), signature: undefined }), true);
    assertEquals(await good(login(mine.privateKey, "root")), false);
    assertEquals(await good({ ...login(mine.privateKey), blob: Buffer.from("else") }), false);
    assertEquals(await good({ ...login(mine.privateKey), signature: Buffer.alloc(64) }), false);
    assertEquals(await good(login(newKeyPair().privateKey)), false);
    const word = { method: "password", username: "student", password: "sesame" };
    assertEquals(await good(word), true);
    assertEquals(await good({ ...word, password: "" }), false);
    assertEquals(await good({ ...word, username: "root" }), false);
    assertEquals(await good({ ...word, method: "none" }), false);
    assertEquals(await good({ ...word, method: "hostbased" }), false);
  } finally {
    await Deno.remove(authorizedKeys);
  }
});

Deno.test("Attempts ends after three passwords, or twenty of anything else", () => {
  const attempts = new Attempts();
  assertEquals([1, 2, 3].map(() => attempts.failed("password")), [true, true, false]);
  const keys = new Attempts();
  assertEquals(Array.from({ length: 20 }, () => keys.failed("publickey")).lastIndexOf(true), 18);
});
