/**
 * Certificates that a lesson keeps in a folder: made once, used until they are about to expire.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  type CertificateDetails,
  type Certified,
  createAuthority,
  issueCertificate,
  readCertificate,
} from "./certificate.ts";
import { certificateName } from "./certificate_name.ts";
import { within } from "./deadline.ts";
import { visible } from "./display.ts";
import { ActionError, attempt } from "./errors.ts";
import { closeLocked } from "./file_lock.ts";
import type { ServerIdentity } from "./secure_stream.ts";

const DAY = 24 * 3_600_000;

/** What is to be in the folder. */
export interface CertificateFilesOptions {
  /**
   * The names that the server's certificate must be for: it is replaced by one for them if it is not. Unless
   * told, those of the certificate that is there; `localhost`, `127.0.0.1` and `::1` if there is none.
   */
  names?: string[];
  /** Makes all anew, whatever is there. */
  renew?: boolean;
}

/** A server's certificate, and that of the authority that issued it. */
export interface CertificateFiles {
  authority: Certified;
  server: Certified;
  /** What was made now; what is not in it had been there. */
  made: string[];
  /** What its owner should know of what was there: one sentence each. */
  notes: string[];
}

const PATIENCE = 30_000; // milliseconds in which another program has made its own
const LOCAL = ["localhost", "127.0.0.1", "::1"];

/**
 * Gives what the folder keeps, and makes what is missing: `authority.pem` (for clients to trust),
 * `authority.key`, `server.pem` and `server.key`. Only the owner may read the keys (mode 0600). What expires
 * within a day is made anew, the server's certificate for the names that it had. Programs that are started
 * together wait for each other, by the file `lock`, and all get what the first one makes.
 *
 * @param folder it is made, with mode 0700, if it is not there
 * @throws {ActionError} when a file cannot be read or written or is damaged, or when the authority beside the
 * server's certificate has not issued it: what somebody else has made is not replaced
 * @throws {UsageError} for a name that no certificate can be for
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
  const { renew = false } = options;
  const names = options.names?.map(certificateName);
  await attempt(
    `make the folder ${folder}`,
    () => Deno.mkdir(folder, { recursive: true, mode: 0o700 }),
  );
  using _lock = await lockOf(folder, { write: true, create: true, mode: 0o600 });
  const made: string[] = [];
  const notes: string[] = [];
  const there: { authority?: Kept; server?: Kept } = renew ? {} : await readBoth(folder, notes);
  const make = async (name: string, work: Promise<Certified>) => {
    const certified = await attempt(`make ${folder}/${name}.pem`, work);
    await write(folder, name, certified);
    made.push(name);
    return certified;
  };
  const lasting = (name: "authority" | "server") => {
    const kept = there[name];
    if (!kept || lasts(kept)) return kept?.certified;
    notes.push(`${folder}/${name}.pem ${ending(kept)}`);
  };
  const authority = lasting("authority") ?? await make("authority", createAuthority());
  // what an authority has issued is of no use when another takes its place
  const server = made.length === 0 ? lasting("server") : undefined;
  const held = there.server?.names;
  const wanted = names ?? held ?? LOCAL;
  const others = held && !wanted.every((name) => held.includes(name));
  if (server && !others) return { authority, server, made, notes };
  if (others) notes.push(`${folder}/server.pem was for ${listed(held)} until now`);
  const fresh = await make("server", issueCertificate(authority, wanted));
  return { authority, server: fresh, made, notes };
}

/**
 * What a server shows its clients: the certificate that the folder keeps, whoever issued it and for whatever
 * names; one for this machine is made if there is none.
 *
 * @param tell gets, a sentence each, what whoever starts the server should know: whom clients have to trust,
 * what was made, and which names clients have to ask for if it is not for this machine; stderr unless told
 * @throws {ActionError} when a file cannot be read or written, or is damaged
 *
 * @example
 * ```ts
 * import { certificateFiles, serverCertificate } from "./certificate_files.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const { server } = await certificateFiles(folder, { names: ["mail.example.org"] });
 * const told: string[] = [];
 * const { cert } = await serverCertificate(folder, (sentence) => told.push(sentence));
 * assertEquals(cert, server.certificate);
 * assertEquals(told, [
 *   `clients trust ${folder}/authority.pem`,
 *   "the certificate is for mail.example.org: clients have to ask for such a name",
 * ]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function serverCertificate(
  folder: string,
  tell: (sentence: string) => void = console.error,
): Promise<ServerIdentity> {
  const notes: string[] = [];
  const mine = async (kept: Kept) =>
    hasIssued(await textOf(`${folder}/authority.pem`), kept.certified);
  let server: Kept | undefined;
  {
    // not while another program puts a new key beside the old certificate
    using _lock = await lockOf(folder);
    server = await read(folder, "server", notes, false);
  }
  if (!server || !lasts(server) && await mine(server)) {
    const files = await certificateFiles(folder);
    notes.push(...files.notes, ...files.made.map((name) => `made ${name} in ${folder}`));
    server = { ...await readCertificate(files.server.certificate), certified: files.server };
  }
  const { certified, issuer, names } = server;
  if (!lasts(server)) notes.push(`${folder}/server.pem ${ending(server)}`);
  notes.push(
    await mine(server)
      ? `clients trust ${folder}/authority.pem`
      : `clients have to trust ${visible(issuer)}, which issued ${folder}/server.pem`,
  );
  if (!names.some((name) => LOCAL.includes(name))) {
    notes.push(`the certificate is for ${listed(names)}: clients have to ask for such a name`);
  }
  notes.forEach((note) => tell(note));
  return { cert: certified.certificate, key: certified.key };
}

/** Waits until no other program makes certificates; what somebody else keeps has none. */
async function lockOf(
  folder: string,
  options: Deno.OpenOptions = {},
): Promise<Disposable | undefined> {
  const path = `${folder}/lock`;
  try {
    const lock = await Deno.open(path, { read: true, ...options });
    const turn = within(PATIENCE, lock.lock(true));
    await attempt(`wait for the program that makes certificates in ${folder}`, turn);
    return { [Symbol.dispose]: () => closeLocked(lock) };
  } catch (error) {
    if (error instanceof ActionError) throw error;
    const { NotFound, PermissionDenied } = Deno.errors;
    const foreign = error instanceof NotFound || error instanceof PermissionDenied;
    if (foreign && !options.create) return undefined;
    throw new ActionError(`open ${path}`, error);
  }
}

interface Kept extends CertificateDetails {
  certified: Certified;
}

const lasts = ({ notAfter }: Kept) => notAfter.getTime() > Date.now() + DAY;
const ending = ({ notAfter }: Kept) => `is good until ${notAfter.toISOString()} only`;
const listed = (names: string[]) => names.map(visible).join(", ") || "no name";

function hasIssued(authority: string | undefined, { certificate }: Certified): boolean {
  try {
    const { publicKey } = new X509Certificate(authority ?? "");
    return new X509Certificate(certificate).verify(publicKey);
  } catch {
    return false;
  }
}

/** What is there; a server's certificate that another authority has issued is not for a lesson to replace. */
async function readBoth(folder: string, notes: string[]) {
  const authority = await read(folder, "authority", notes, true);
  const server = await read(folder, "server", notes, true);
  if (server && !hasIssued(authority?.certified.certificate, server.certified)) {
    const reason = authority ? "authority.pem has not issued it" : "authority.pem is not there";
    throw unusable(
      folder,
      "server.pem",
      lasts(server) ? reason : `it ${ending(server)}, and ${reason}`,
    );
  }
  return { authority, server };
}

/** @param repair whether a key that others may read is closed to them, which only its owner may do */
async function read(
  folder: string,
  name: string,
  notes: string[],
  repair: boolean,
): Promise<Kept | undefined> {
  const certificate = await textOf(`${folder}/${name}.pem`);
  const key = await textOf(`${folder}/${name}.key`);
  // a key alone is what is left when its certificate could not be written any more
  if (certificate === undefined) return undefined;
  if (key === undefined) {
    throw unusable(folder, `${name}.pem`, `its key, ${name}.key, is not there`);
  }
  const details = await readCertificate(certificate).catch(() => {
    throw unusable(folder, `${name}.pem`, "it holds no certificate");
  });
  if (!fits(certificate, key)) {
    throw unusable(folder, `${name}.key`, `it holds no key, or not that of ${name}.pem`);
  }
  await closeToOthers(`${folder}/${name}.key`, notes, repair);
  return { ...details, certified: { certificate, key } };
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new ActionError(`read ${path}`, error);
  }
}

function fits(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** What others may have read already nobody can take back: their access ends, where `repair` says so, and is told. */
async function closeToOthers(path: string, notes: string[], repair: boolean): Promise<void> {
  const { mode } = await Deno.stat(path);
  if (mode === null || (mode & 0o077) === 0) return;
  if (!repair) {
    notes.push(`others have access to ${path}: chmod 600 ends it`);
    return;
  }
  await attempt(`make ${path} readable for you only`, () => Deno.chmod(path, 0o600));
  notes.push(
    `others had access to ${path}, now only you have: if one may have read it, make all anew`,
  );
}

function unusable(folder: string, file: string, reason: string): ActionError {
  const next = "Choose another folder, or make all in this one anew: " +
    `scripts/tls/certificate.ts --new --folder ${folder}`;
  const cause = Object.assign(new Error(reason), { explanation: { reason, next } });
  return new ActionError(`use ${folder}/${file}`, cause);
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
