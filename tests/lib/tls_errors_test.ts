import { assertEquals, assertMatch } from "@std/assert";
import { explainTls } from "../../lib/tls_errors.ts";

Deno.test("explainTls leaves other errors alone when they have nothing to do with TLS", () => {
  for (const message of ["", "connection refused", "invalid utf-8", "alert: fire", "the end"]) {
    assertEquals(explainTls(message), undefined, message);
  }
});

Deno.test("explainTls names both names when a certificate is for another", () => {
  const message = 'invalid peer certificate: certificate not valid for name "a.example"; ' +
    'certificate is only valid for DnsName("b.example") or IpAddress(10.0.0.7)';
  assertEquals(
    explainTls(message)?.reason,
    "the server's certificate is not for the name a.example, only for b.example or 10.0.0.7",
  );
});

Deno.test("explainTls names both causes of a handshake failure, and the one cause of other alerts", () => {
  const reason = (alert: string) => explainTls(`received fatal alert: ${alert}`)?.reason ?? "";
  for (const cause of [/no kind of encryption in common/, /wants a certificate of the client/]) {
    assertMatch(reason("HandshakeFailure"), cause);
  }
  assertEquals(
    reason("CertificateRequired"),
    "the server wants a certificate of the client as well (mutual TLS)",
  );
});

Deno.test("explainTls keeps the words of the library when it knows none better", () => {
  assertEquals(
    explainTls("invalid peer certificate: Revoked")?.reason,
    "the server's certificate is no good: Revoked",
  );
  assertEquals(
    explainTls("received fatal alert: InternalError")?.reason,
    "the other side ended the TLS handshake with the alert InternalError",
  );
});

Deno.test("explainTls tells that the other side only echoes, or breaks the rules, when it answers strangely", () => {
  assertEquals(
    explainTls(
      "received unexpected handshake message: got ClientHello when expecting ServerHello or HelloRetryRequest",
    )?.reason,
    "the other side sent back what it was sent: it does not speak TLS",
  );
  assertEquals(
    explainTls("received unexpected message: got ApplicationData when expecting Handshake")?.reason,
    "the other side speaks TLS, but not by its rules: got ApplicationData when expecting Handshake",
  );
});
