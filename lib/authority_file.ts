/**
 * The authorities that a client is told to trust, in a file.
 *
 * @module
 */

import { attempt } from "./errors.ts";

/**
 * Reads a file of certificates (PEM), for `caCerts`. One without any is refused here: Deno would trust nobody
 * because of it, and say so of the server's certificate.
 *
 * @param action what the error says that could not be done; "read" and the path unless told
 * @throws {ActionError} when it cannot be read, or holds no certificate
 *
 * @example
 * ```ts
 * import { createAuthority } from "./certificate.ts";
 * import { readAuthority } from "./authority_file.ts";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [good, bad] = [await Deno.makeTempFile(), await Deno.makeTempFile()];
 * const { certificate, key } = await createAuthority();
 * await Deno.writeTextFile(good, certificate);
 * assertEquals(await readAuthority(good), certificate);
 * await Deno.writeTextFile(bad, key);
 * await assertRejects(() => readAuthority(bad), Error, "it holds no certificate");
 * ```
 */
export async function readAuthority(path: string, action = `read ${path}`): Promise<string> {
  return await attempt(action, async () => {
    const text = await Deno.readTextFile(path);
    // MII: in base64, the beginning of all that ASN.1 takes more than 255 bytes for
    if (/-----BEGIN CERTIFICATE-----\s+MII[\w+/=\s]+-----END CERTIFICATE-----/.test(text)) {
      return text;
    }
    const reason = "it holds no certificate";
    const next =
      "Give the authority's certificate as PEM: it begins with -----BEGIN CERTIFICATE-----.";
    throw Object.assign(new Error(reason), { explanation: { reason, next } });
  });
}
