/**
 * Certificates that a lesson keeps in a folder: made once, used until they are about to expire.
 *
 * @module
 */

import {
  type Certified,
  createAuthority,
  issueCertificate,
  readCertificate,
} from "./certificate.ts";
import { ActionError, attempt } from "./errors.ts";

const DAY = 24 * 3_600_000;

/** What is to be in the folder. */
export interface CertificateFilesOptions {
  /** The names that the server's certificate is for; `localhost`, `127.0.0.1` and `::1` unless told. */
  names?: string[];
  /** Makes all anew. */
  renew?: boolean;
}

/** A server's certificate, and that of the authority that issued it. */
export interface CertificateFiles {
  authority: Certified;
  server: Certified;
  /** What was made now; what is not in it had been there. */
  made: string[];
}

const LOCAL = ["localhost", "127.0.0.1", "::1"];

/**
 * Gives what the folder keeps, and makes what is missing: `authority.pem` (for clients to trust),
 * `authority.key`, `server.pem` and `server.key`. Only the owner may read the keys (mode 0600).
 *
 * @param folder it is made, with mode 0700, if it is not there
 * @throws {ActionError} when a file cannot be read or written
 *
 * @example
 * ```ts
 * import { certificateFiles } from "./certificate_files.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const first = await certificateFiles(folder);
 * assertEquals(first.made, ["authority", "server"]);
 * const second = await certificateFiles(folder);
 * assertEquals(second, { ...first, made: [] });
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function certificateFiles(
  folder: string,
  options: CertificateFilesOptions = {},
): Promise<CertificateFiles> {
  const { names = LOCAL, renew = false } = options;
  await attempt(
    `make the folder ${folder}`,
    () => Deno.mkdir(folder, { recursive: true, mode: 0o700 }),
  );
  const made: string[] = [];
  const keep = async (
    name: string,
    make: () => Promise<Certified>,
    good: (pem: string) => unknown,
  ) => {
    const there = await read(folder, name);
    if (there && await good(there.certificate)) return there;
    const certified = await make();
    await write(folder, name, certified);
    made.push(name);
    return certified;
  };
  const lasts = async (pem: string) =>
    (await readCertificate(pem)).notAfter.getTime() > Date.now() + DAY;
  const authority = await keep("authority", createAuthority, (pem) => !renew && lasts(pem));
  const server = await keep("server", () => issueCertificate(authority, names), async (pem) => {
    // what another authority has issued is of no use any more
    if (made.length > 0 || !await lasts(pem)) return false;
    const held = (await readCertificate(pem)).names;
    return names.every((name) => held.includes(name));
  });
  return { authority, server, made };
}

async function read(folder: string, name: string): Promise<Certified | undefined> {
  try {
    const [certificate, key] = await Promise.all([
      Deno.readTextFile(`${folder}/${name}.pem`),
      Deno.readTextFile(`${folder}/${name}.key`),
    ]);
    return { certificate, key };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new ActionError(`read ${folder}/${name}.pem and ${name}.key`, error);
  }
}

async function write(folder: string, name: string, { certificate, key }: Certified): Promise<void> {
  const save = async (path: string, text: string, mode: number) => {
    // the mode counts only for a file that is made now, and a name is there whole or not at all
    const unfinished = `${path}.${crypto.randomUUID()}`;
    await Deno.writeTextFile(unfinished, text, { mode, createNew: true });
    await Deno.rename(unfinished, path);
  };
  await attempt(`write ${folder}/${name}.key`, () => save(`${folder}/${name}.key`, key, 0o600));
  await attempt(
    `write ${folder}/${name}.pem`,
    () => save(`${folder}/${name}.pem`, certificate, 0o644),
  );
}
