import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { newKeyPair, opensshKey } from "../../lib/openssh_key.ts";
import { isEncrypted, parsePrivateKey, readPrivateKey } from "../../lib/ssh_keys.ts";

const DATA = new TextEncoder().encode("what is signed");
const HASHES: Record<string, string> = { "P-256": "sha256", "P-384": "sha384", "P-521": "sha512" };

function checkSigns(jwk: JsonWebKey, text: string, passphrase?: string): void {
  const key = parsePrivateKey(text, passphrase);
  const signature = key.sign(DATA);
  if (signature instanceof Error) throw signature;
  const open = createPublicKey(createPrivateKey({ key: { ...jwk }, format: "jwk" }));
  assertEquals(verify(HASHES[jwk.crv!] ?? null, DATA, open, signature), true);
}

for (const namedCurve of Object.keys(HASHES)) {
  Deno.test(`parsePrivateKey gives a key that signs when it is one of 60 of ${namedCurve}`, () => {
    for (let number = 0; number < 60; number++) {
      const { privateKey } = generateKeyPairSync("ec", { namedCurve });
      const jwk = privateKey.export({ format: "jwk" });
      checkSigns(jwk, opensshKey(jwk));
    }
  });

  Deno.test(`parsePrivateKey reads PEM, encrypted or not, when the key is of ${namedCurve}`, () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve });
    const jwk = privateKey.export({ format: "jwk" });
    for (const type of ["sec1", "pkcs8"] as const) {
      checkSigns(jwk, privateKey.export({ type, format: "pem" }) as string);
    }
    const secret = {
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "x",
    } as const;
    const text = privateKey.export(secret) as string;
    assertEquals(isEncrypted(text), true);
    checkSigns(jwk, text, "x");
    assertThrows(() => parsePrivateKey(text, "y"), Error, "the passphrase is wrong");
  });
}

Deno.test("parsePrivateKey pads a number with leading zeros when it is short", () => {
  // the secret numbers 1 and 255 have 31 leading zeros; the points are those of the curve P-256
  const x = "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY";
  const y = "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU";
  const d = new Uint8Array(32).fill(1, 31).toBase64({ alphabet: "base64url", omitPadding: true });
  const jwk = { kty: "EC", crv: "P-256", x, y, d };
  checkSigns(jwk, opensshKey(jwk));
});

Deno.test("newKeyPair makes a key that is read back and signs when it begins with a zero byte", () => {
  // one public key of 256 does, and the byte belongs to it; that none of 20,000 does will not happen
  let zeros = 0;
  for (let number = 0; zeros < 3 && number < 20_000; number++) {
    const { privateKey, publicKey } = newKeyPair();
    const key = parsePrivateKey(privateKey);
    const blob = Uint8Array.fromBase64(publicKey.split(" ")[1]!);
    assertEquals(new Uint8Array(key.getPublicSSH()), blob);
    if (blob.at(-32) !== 0) continue;
    zeros++;
    const signature = key.sign(DATA);
    if (signature instanceof Error) throw signature;
    const x = blob.slice(-32).toBase64({ alphabet: "base64url", omitPadding: true });
    const open = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    assertEquals(verify(null, DATA, open, signature), true);
  }
  assertEquals(zeros, 3);
});

Deno.test("parsePrivateKey says what a file is when it is no private key", () => {
  assertThrows(() => parsePrivateKey("ssh-ed25519 AAAA me"), Error, "it is a public key");
  assertThrows(() => parsePrivateKey("hello"), Error, "it holds no private key");
  const damaged = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
  assertThrows(() => parsePrivateKey(damaged), Error, "it is damaged");
});

Deno.test({
  name: "readPrivateKey refuses a file that others can read",
  ignore: Deno.build.os === "windows",
  async fn() {
    const path = await Deno.makeTempFile();
    await Deno.chmod(path, 0o644);
    await assertRejects(() => readPrivateKey(path, () => ""), Error, "others can read it");
  },
});
