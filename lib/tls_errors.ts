/**
 * What goes wrong while two sides agree on TLS, in words.
 *
 * Deno reports all of it as `InvalidData`, with the words of its TLS library (rustls) in the message.
 *
 * @module
 */

import type { Explanation } from "./errors.ts";

const UNTRUSTED = "Trust its certificate authority explicitly (--ca FILE), if it is the right one.";
const CLOCK = "Compare this machine's clock; if it is right, the server needs a new certificate.";

/** What each side finds fault with itself, and what it hears from the other side as an alert. */
const REASONS: [pattern: RegExp, reason: string, next?: string][] = [
  [
    /peer certificate: UnknownIssuer|self-?signed/i,
    "the server's certificate was issued by an authority that is not trusted here",
    UNTRUSTED,
  ],
  [
    /peer certificate: BadSignature/,
    "the server's certificate names an authority that is trusted here, but did not sign it",
    "It may be another authority of the same name, made anew: give its newest certificate (--ca FILE).",
  ],
  [
    /not valid for name "?([^";]+)"?(?:; certificate is only valid for (.+))?/,
    "the server's certificate is not for the name $1$2",
    "Connect by a name that the certificate holds; a server that cannot show one may be another.",
  ],
  [/peer certificate: .*not valid after/, "the server's certificate has expired", CLOCK],
  [/peer certificate: .*not valid before/, "the server's certificate is not valid yet", CLOCK],
  [
    /peer certificate: .*extended key usage/,
    "the server's certificate was not issued for servers",
    "Issue one for the usage serverAuth.",
  ],
  [/^invalid peer certificate: (.*)/, "the server's certificate is no good: $1"],
  [
    /corrupt message of type InvalidContentType|wrong version number/i,
    "the other side does not speak TLS",
    "Compare the port: the same service often has one with TLS and one without.",
  ],
  [
    /got ClientHello when expecting ServerHello/,
    "the other side sent back what it was sent: it does not speak TLS",
    "Compare the port: the same service often has one with TLS and one without.",
  ],
  [
    /received unexpected (?:handshake )?message: (.+)/,
    "the other side speaks TLS, but not by its rules: $1",
  ],
  [
    /alert: ?UnknownCA/,
    "the other side does not trust the authority of the certificate shown to it",
  ],
  [/alert: ?CertificateExpired/, "the other side finds the certificate shown to it out of date"],
  [
    /alert: ?CertificateRequired/,
    "the server wants a certificate of the client as well (mutual TLS)",
    "Give a client certificate and its key.",
  ],
  [
    /alert: ?(BadCertificate|UnsupportedCertificate|CertificateUnknown)/,
    "the other side refuses the certificate shown to it ($1)",
  ],
  [
    /alert: ?NoApplicationProtocol|doesn't support any known protocol/,
    "the two sides have no application protocol in common (ALPN)",
  ],
  [
    /alert: ?ProtocolVersion|incompatible: /,
    "the two sides have no version of TLS in common; here it is 1.2 or 1.3",
  ],
  [
    // TLS 1.2 has one alert for both
    /alert: ?HandshakeFailure/,
    "the two sides have no kind of encryption in common, or the server wants a certificate of the client as well (mutual TLS)",
    "Look into the server's log: it tells which of the two.",
  ],
  [
    /received fatal alert: ?(\w+)/,
    "the other side ended the TLS handshake with the alert $1",
  ],
  [
    /peer closed connection without sending TLS close_notify/,
    "the connection was cut: without TLS's own farewell nobody knows whether all has come",
  ],
  [/tls handshake eof|^unexpected end of file/i, "the other side closed before all had come"],
];

/**
 * Puts an error message of TLS in words; `undefined` when it is none.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8446#section-6.2 RFC 8446, section 6.2}: alerts
 *
 * @example
 * ```ts
 * import { explainTls } from "./tls_errors.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   explainTls("invalid peer certificate: UnknownIssuer")?.reason,
 *   "the server's certificate was issued by an authority that is not trusted here",
 * );
 * ```
 */
export function explainTls(message: string): Explanation | undefined {
  for (const [pattern, reason, next] of REASONS) {
    const found = pattern.exec(message);
    if (!found) continue;
    const names = found[2]?.replace(/(?:DnsName|IpAddress)\("?([^")]*)"?\)/g, "$1");
    return {
      reason: reason.replace("$1", found[1] ?? "").replace(
        "$2",
        names ? `, only for ${names}` : "",
      ),
      ...(next !== undefined && { next }),
    };
  }
}
