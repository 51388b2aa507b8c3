import { assertEquals, assertMatch } from "@std/assert";
import { createHmac } from "node:crypto";
import { fingerprint, hostName, KnownHosts, matchesHost } from "../../lib/known_hosts.ts";
import { appendKnownHost, readKnownHosts } from "../../lib/known_hosts_file.ts";
import { encode } from "./helpers.ts";

/** A public key of a type, with something of its own. */
function key(type: string, own: string): Uint8Array<ArrayBuffer> {
  const part = (text: string) => [0, 0, 0, text.length, ...encode(text)];
  return new Uint8Array([...part(type), ...part(own)]);
}

const ED = key("ssh-ed25519", "one"), OTHER = key("ssh-ed25519", "two"), RSA = key("ssh-rsa", "x");
const line = (hosts: string, bytes = ED, type = "ssh-ed25519") =>
  `${hosts} ${type} ${bytes.toBase64()}`;

Deno.test("KnownHosts tells known, unknown and changed keys apart", () => {
  const known = new KnownHosts(`# mine\n\n${line("a,b")} comment\r\n${line("[a]:2222", OTHER)}\n`);
  assertEquals(known.check("a", ED), { kind: "known", line: 3 });
  assertEquals(known.check("b", ED), { kind: "known", line: 3 });
  assertEquals(known.check("[a]:2222", OTHER), { kind: "known", line: 4 });
  assertEquals(known.check("c", ED), { kind: "unknown" });
  assertEquals(known.check("a", OTHER).kind, "changed");
  assertEquals(known.damaged, []);
});

Deno.test("KnownHosts counts a key of a type not listed as changed", () => {
  const known = new KnownHosts(line("a"));
  assertEquals(known.check("a", RSA).kind, "changed");
  assertEquals(known.typesOf("a"), ["ssh-ed25519"]);
});

Deno.test("KnownHosts takes any of several keys of a host", () => {
  const known = new KnownHosts(`${line("a")}\n${line("a", RSA, "ssh-rsa")}`);
  assertEquals(known.check("a", RSA), { kind: "known", line: 2 });
});

Deno.test("KnownHosts refuses a revoked key that another line lists", () => {
  const known = new KnownHosts(`${line("a")}\n@revoked ${line("*")}`);
  assertEquals(known.check("a", ED), { kind: "revoked", line: 2 });
});

Deno.test("KnownHosts does not take an authority's key for a host's", () => {
  const known = new KnownHosts(`@cert-authority ${line("*.example.org")}`);
  assertEquals(known.check("www.example.org", ED), { kind: "unknown", authority: 1 });
});

Deno.test("KnownHosts looks without the port when the port is not listed, for the same key only", () => {
  const name = "[a]:2222";
  const known = new KnownHosts(`${line("a")}\n@revoked ${line("a", RSA, "ssh-rsa")}`);
  assertEquals(known.check(name, ED), { kind: "known", line: 1 });
  assertEquals(known.check(name, OTHER), { kind: "unknown" });
  assertEquals(known.check(name, RSA), { kind: "revoked", line: 2 });
  assertEquals(known.typesOf(name), ["ssh-ed25519"]);
  const listed = new KnownHosts(`${line("a")}\n${line(name, OTHER)}`);
  assertEquals(listed.check(name, ED).kind, "changed");
});

Deno.test("KnownHosts finds a hashed name", () => {
  const salt = new Uint8Array(20).fill(7);
  const hash = createHmac("sha1", salt).update("[a]:2222").digest("base64");
  const known = new KnownHosts(line(`|1|${salt.toBase64()}|${hash}`));
  assertEquals(known.check("[a]:2222", ED).kind, "known");
  assertEquals(known.check("a", ED).kind, "unknown");
});

Deno.test("matchesHost knows wildcards and negation", () => {
  for (
    const [hosts, name, matches] of [
      ["*.example.org", "www.example.org", true],
      ["*.example.org", "example.org", false],
      ["host?", "host1", true],
      ["host?", "host", false],
      ["!bad.org,*.org", "bad.org", false],
      ["*.org,!bad.org", "bad.org", false],
      ["!bad.org", "good.org", false],
      ["HOST", "host", true],
      ["*", "[::1]:22", true],
      ["a*b*c", "aXbXbXc", true],
      ["a*b*c", "aXbXbX", false],
      ["*".repeat(500) + "x", "a".repeat(1_000), false],
    ] as const
  ) assertEquals(matchesHost(hosts, name), matches, `${hosts.slice(0, 20)} ${name.slice(0, 20)}`);
});

Deno.test("KnownHosts reports damaged lines by number and uses the rest", () => {
  const damaged = ["a", "a ssh-ed25519", "a ssh-ed25519 !!!", line("a", ED, "ssh-rsa"), "@x a b c"];
  const known = new KnownHosts(
    [...damaged, "a 1024 35 123", "|1|x ssh-ed25519 AAAA", line("b")].join("\n"),
  );
  assertEquals(known.damaged.map((one) => one.line), [1, 2, 3, 4, 5, 6, 7]);
  assertEquals(known.check("b", ED).kind, "known");
});

Deno.test("hostName adds a port that is not 22", () => {
  assertEquals(hostName("Host", 22), "host");
  assertEquals(hostName("::1", 2222), "[::1]:2222");
  assertMatch(fingerprint(ED), /^SHA256:[A-Za-z0-9+/]{43}$/);
});

Deno.test("appendKnownHost makes folder and file for their owner only", async () => {
  const path = `${await Deno.makeTempDir()}/.ssh/known_hosts`;
  await appendKnownHost(path, "[a]:2222", ED);
  if (Deno.build.os !== "windows") {
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    assertEquals((await Deno.stat(path.replace("/known_hosts", ""))).mode! & 0o777, 0o700);
  }
  assertEquals((await readKnownHosts(path)).check("[a]:2222", ED).kind, "known");
});

Deno.test("appendKnownHost begins a line of its own when the last one has no end", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, line("a"));
  await appendKnownHost(path, "b", OTHER);
  assertEquals(await Deno.readTextFile(path), `${line("a")}\n${line("b", OTHER)}\n`);
});
