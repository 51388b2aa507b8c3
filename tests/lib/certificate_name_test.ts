import { assertEquals, assertThrows } from "@std/assert";
import { createAuthority, issueCertificate, readCertificate } from "../../lib/certificate.ts";
import { certificateName } from "../../lib/certificate_name.ts";
import { UsageError } from "../../lib/usage.ts";

Deno.test("certificateName takes host names and addresses, and gives them in their one form", () => {
  const forms: Record<string, string> = {
    localhost: "localhost",
    "Mail.EXAMPLE.org": "mail.example.org",
    "mail.example.org.": "mail.example.org",
    "*.example.org": "*.example.org",
    "münchen.de": "xn--mnchen-3ya.de",
    "mu\u0308nchen.de": "xn--mnchen-3ya.de",
    "*.München.de": "*.xn--mnchen-3ya.de",
    "xn--mnchen-3ya.de": "xn--mnchen-3ya.de",
    "4you.example": "4you.example",
    "10.0.0.7": "10.0.0.7",
    "my_service.example": "my_service.example",
    "2001:DB8::0:1": "2001:db8::1",
    [`${"a".repeat(63)}.org`]: `${"a".repeat(63)}.org`,
  };
  for (const [text, form] of Object.entries(forms)) assertEquals(certificateName(text), form);
});

Deno.test("certificateName refuses what is neither, and shows it with nothing that a terminal obeys", () => {
  const wrong = [
    ..."|a b|http://x/|host:8443|x\ny|a\tb|a/b|a?b|a#b|a@b|a%41b|[::1]|fe80::1%lo|127.1|0x7f.1"
      .split("|"),
    ..."010.0.0.7|256.1.1.1|1.2.3.4.5|a..b|.a|..|-a.org|a-.org|*|*.|*.*.org|a*.org|a.*.org"
      .split("|"),
    ..."*.10.0.0.7|xn--a|a,b|a\u00adb|\x1b[2J|a\0b".split("|"),
    `${"a".repeat(64)}.org`,
    "a.".repeat(127) + "org",
  ];
  for (const text of wrong) {
    const { message } = assertThrows(() => certificateName(text), UsageError, "is neither a host");
    assertEquals(/\p{Cc}|\p{Cf}/u.test(message), false, text);
  }
});

Deno.test("issueCertificate writes names as IA5 text, and refuses what is no name", async () => {
  const authority = await createAuthority();
  const { certificate } = await issueCertificate(authority, ["münchen.de", "*.Example.org", "::1"]);
  const { subject, names } = await readCertificate(certificate);
  assertEquals(names, ["xn--mnchen-3ya.de", "*.example.org", "::1"]);
  assertEquals(subject, "CN=xn--mnchen-3ya.de");
  await issueCertificate(authority, ["a b"]).then(
    () => assertEquals("issued", "refused"),
    (error) => assertEquals(error.name, "UsageError"),
  );
});
