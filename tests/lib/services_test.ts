import { assertEquals, assertRejects } from "@std/assert";
import {
  parseServices,
  readServices,
  type Service,
  serviceByName,
  serviceByPort,
  WELL_KNOWN,
} from "../../lib/services.ts";
import { chance } from "./helpers.ts";

const service = (name: string, port: number, protocol: string, ...aliases: string[]) => ({
  name,
  port,
  protocol,
  aliases,
});

Deno.test("parseServices reads a line however it is written", () => {
  const http = service("http", 80, "tcp", "www");
  const cases: [text: string, services: Service[]][] = [
    ["http 80/tcp www", [http]],
    ["http\t\t80/tcp\t\twww\t\t# WorldWideWeb HTTP", [http]],
    ["  http 80/tcp www#no space before the comment", [http]],
    ["http 80/tcp www\r\n", [http]],
    ["http 80/tcp # www", [service("http", 80, "tcp")]],
    ["# http 80/tcp", []],
    ["", []],
    ["\n\n", []],
    ["a 0/udp\nb 65535/sctp c d", [service("a", 0, "udp"), service("b", 65_535, "sctp", "c", "d")]],
  ];
  for (const [text, services] of cases) assertEquals(parseServices(text), services, text);
});

Deno.test("parseServices passes over lines that are no services", () => {
  for (
    const line of [
      "http",
      "http 80",
      "http /tcp",
      "http 80/",
      "http 80 /tcp",
      "http x/tcp",
      "http -1/tcp",
      "http 65536/tcp",
      "http 123456/tcp",
      "http 80/tcp/udp",
      "80/tcp",
    ]
  ) {
    assertEquals(parseServices(`${line}\nssh 22/tcp`), [service("ssh", 22, "tcp")], line);
  }
});

Deno.test("serviceByName and serviceByPort give the first that fits", () => {
  const services = parseServices("a 1/tcp x\na 1/udp x\nb 2/udp\nx 3/tcp\n");
  assertEquals(serviceByName(services, "a")?.protocol, "tcp");
  assertEquals(serviceByName(services, "a", "udp")?.protocol, "udp");
  assertEquals(serviceByName(services, "x")?.port, 1);
  assertEquals(serviceByName(services, "A"), undefined);
  assertEquals(serviceByName(services, "b", "tcp"), undefined);
  assertEquals(serviceByPort(services, 1)?.protocol, "tcp");
  assertEquals(serviceByPort(services, 1, "udp")?.protocol, "udp");
  assertEquals(serviceByPort(services, 2, "tcp"), undefined);
  assertEquals(serviceByPort(services, 4), undefined);
});

Deno.test("the built-in table has the ports of the lectures", () => {
  const named = { 20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "domain" };
  const more = { 80: "http", 110: "pop3", 143: "imap2", 443: "https", 993: "imaps", 1883: "mqtt" };
  for (const [port, name] of Object.entries({ ...named, ...more })) {
    assertEquals(serviceByPort(WELL_KNOWN, Number(port))?.name, name);
  }
  assertEquals(WELL_KNOWN.length, 31);
});

Deno.test("readServices takes the built-in table only when there is no file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/services`;
    assertEquals(await readServices(path), { services: WELL_KNOWN, source: "the built-in table" });
    await Deno.writeTextFile(path, "echo 7/tcp");
    assertEquals(await readServices(path), {
      services: [service("echo", 7, "tcp")],
      source: path,
    });
    await assertRejects(() => readServices(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("parseServices gives only sound services whatever the text is, 100,000 lines", () => {
  const pieces = ["http", "80/tcp", "/", " ", "\t", "#", "65536", "7/udp", "-", "é", "0", "\r"];
  for (let seed = 1; seed <= 100_000; seed++) {
    const next = chance(seed);
    const text = Array.from({ length: next(9) }, () => pieces[next(pieces.length)]).join("");
    for (const { name, port, protocol, aliases } of parseServices(text)) {
      const sound = port >= 0 && port <= 65_535 &&
        [name, protocol, ...aliases].every((word) => /^[^\s#]+$/.test(word));
      if (!sound) throw new Error(`seed ${seed}: ${JSON.stringify(text)} gives port ${port}`);
    }
  }
});
