/**
 * A certificate for one run of a server.
 *
 * @module
 */

import { createAuthority, issueCertificate } from "./certificate.ts";
import { attempt } from "./errors.ts";

/** A certificate, its key, and the authority's certificate, all as PEM. */
export interface FreshCertificate {
  cert: string;
  key: string;
  authority: string;
}

/**
 * A certificate for a host, by an authority made for it. The authority's key is forgotten: nobody can issue
 * more.
 */
export async function freshCertificate(host: string): Promise<FreshCertificate> {
  const authority = await createAuthority({ name: "Lesson authority" });
  // the scope of a link-local address has no meaning elsewhere
  const name = host.replace(/%.*$/, "");
  const { certificate, key } = await issueCertificate(authority, [name, "localhost"]);
  return { cert: certificate, key, authority: authority.certificate };
}

/**
 * Puts the authority's certificate where clients find whom to trust; what is there is replaced. To be called
 * by a server that listens: another one that has the port already keeps its file.
 *
 * @throws {ActionError} when it cannot be written
 */
export async function publishAuthority(file: string, authority: string): Promise<void> {
  await attempt(`write the authority's certificate to ${file}`, async () => {
    // a new file: where a link stands in its place, the link goes, not what it leads to
    await Deno.remove(file).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    await Deno.writeTextFile(file, authority, { createNew: true, mode: 0o644 });
  });
}
