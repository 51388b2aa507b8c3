/**
 * Certificates for a class: an authority of one's own, and what it vouches for.
 *
 * A certificate says "this key belongs to this name", and an authority's signature is the reason to believe
 * it. Real authorities first check that the name is yours; this one takes your word, so trust it only where
 * you made it.
 *
 * @module
 */

import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { certificateName } from "./certificate_name.ts";
import { canonicalAddress } from "./hosts_file.ts";

/** A certificate and its private key, both as PEM text. Keep the key secret. */
export interface Certified {
  certificate: string;
  key: string;
}

/** What an authority is to be like. */
export interface AuthorityOptions {
  /** What it calls itself; "Lecture authority" unless told. */
  name?: string;
  /** From when on it is valid; an hour ago unless told, since clocks differ. */
  notBefore?: Date;
  /** Until when it is valid; 30 days from now unless told. */
  notAfter?: Date;
}

/** What a certificate is to say. */
export interface CertificateOptions extends AuthorityOptions {
  /** What it may be shown for: by a server, or by a client in mutual TLS; "server" unless told. */
  usage?: "server" | "client";
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * Makes an authority: a certificate that vouches for itself. Whoever trusts it trusts all that it issues.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5280#section-4.2 RFC 5280, section 4.2}
 *
 * @example
 * ```ts
 * import { createAuthority, issueCertificate } from "./certificate.ts";
 *
 * const authority = await createAuthority();
 * const server = await issueCertificate(authority, ["localhost", "127.0.0.1"]);
 * using listener = Deno.listenTls({
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   cert: server.certificate,
 *   key: server.key,
 * });
 * ```
 */
export async function createAuthority(options: AuthorityOptions = {}): Promise<Certified> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...validity(options),
    name: [{ CN: [options.name ?? "Lecture authority"] }],
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      // no further authority may stand between this one and what it issues
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await exportKey(keys.privateKey) };
}

/**
 * Has an authority vouch for names: DNS names (`localhost`, `*.example.org`) and IP addresses.
 *
 * @throws {TypeError} without any name, or when the authority's texts are not PEM
 * @throws {UsageError} for a name that no certificate can be for
 * @see {@link https://www.rfc-editor.org/rfc/rfc9525 RFC 9525}: names stand in subjectAltName only
 *
 * @example
 * ```ts
 * import { createAuthority, issueCertificate } from "./certificate.ts";
 * import { assertMatch } from "@std/assert";
 *
 * const authority = await createAuthority({ name: "Class of 2026" });
 * const yesterday = new Date(Date.now() - 24 * 3_600_000);
 * const expired = await issueCertificate(authority, ["localhost"], { notAfter: yesterday });
 * assertMatch(expired.certificate, /^-----BEGIN CERTIFICATE-----/);
 * ```
 */
export async function issueCertificate(
  authority: Certified,
  names: string[],
  options: CertificateOptions = {},
): Promise<Certified> {
  const written = names.map(certificateName);
  const [name] = written;
  if (name === undefined) throw new TypeError("cannot issue a certificate without a name");
  const issuer = new X509Certificate(authority.certificate);
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.create({
    ...validity(options),
    subject: [{ CN: [options.name ?? name] }],
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([
        options.usage === "client" ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth,
      ]),
      new SubjectAlternativeNameExtension(written.map((value) => (
        { type: canonicalAddress(value) === undefined ? "dns" as const : "ip" as const, value }
      ))),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { certificate: pem(certificate), key: await exportKey(keys.privateKey) };
}

/** What a certificate says. */
export interface CertificateDetails {
  subject: string;
  issuer: string;
  /** DNS names and IP addresses that it is for. */
  names: string[];
  notBefore: Date;
  notAfter: Date;
  /** SHA-256 of the certificate, in hexadecimal: the same on all machines. */
  fingerprint: string;
}

/**
 * Reads a certificate. It says what it says: whether to believe it is another matter.
 *
 * @param text PEM
 * @throws {Error} when the text is no certificate
 *
 * @example
 * ```ts
 * import { createAuthority, issueCertificate, readCertificate } from "./certificate.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const authority = await createAuthority();
 * const { certificate } = await issueCertificate(authority, ["localhost", "::1"]);
 * const { issuer, names } = await readCertificate(certificate);
 * assertEquals([issuer, names], ["CN=Lecture authority", ["localhost", "::1"]]);
 * ```
 */
export async function readCertificate(text: string): Promise<CertificateDetails> {
  const certificate = new X509Certificate(text);
  const { subject, issuer, notBefore, notAfter } = certificate;
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  return {
    subject,
    issuer,
    names: names.map(({ type, value }) => type === "ip" ? canonicalAddress(value) ?? value : value),
    notBefore,
    notAfter,
    fingerprint: new Uint8Array(await certificate.getThumbprint("SHA-256")).toHex(),
  };
}

function validity({ notBefore, notAfter }: AuthorityOptions) {
  const end = notAfter ?? new Date(Date.now() + 30 * DAY);
  const begin = notBefore ?? new Date(Math.min(Date.now() - HOUR, end.getTime() - DAY));
  return { notBefore: begin, notAfter: end };
}

const newKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);

const pem = (certificate: X509Certificate) => `${certificate.toString("pem")}\n`;

async function exportKey(key: CryptoKey): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", key));
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? [];
  return ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""].join("\n");
}

async function importKey(text: string): Promise<CryptoKey> {
  const body = /-----BEGIN PRIVATE KEY-----([\s\S]+?)-----END PRIVATE KEY-----/.exec(text)?.[1];
  if (body === undefined) throw new TypeError("the authority's key is not a PKCS #8 key as PEM");
  const bytes = Uint8Array.fromBase64(body.replace(/\s/g, ""));
  return await crypto.subtle.importKey("pkcs8", bytes, ALGORITHM, false, ["sign"]);
}
