import { assertEquals, assertThrows } from "@std/assert";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../../lib/address.ts";

const BOTH_WAYS: [text: string, endpoint: Endpoint][] = [
  ["127.0.0.1:80", { hostname: "127.0.0.1", port: 80 }],
  ["localhost:0", { hostname: "localhost", port: 0 }],
  ["example.org:65535", { hostname: "example.org", port: 65_535 }],
  ["under_score-1.example:25", { hostname: "under_score-1.example", port: 25 }],
  ["bücher.example:80", { hostname: "bücher.example", port: 80 }],
  ["[::1]:80", { hostname: "::1", port: 80 }],
  ["[::ffff:127.0.0.1]:80", { hostname: "::ffff:127.0.0.1", port: 80 }],
  ["[fe80::1%eth0]:80", { hostname: "fe80::1%eth0", port: 80 }],
  ["unix:/tmp/echo.sock", { transport: "unix", path: "/tmp/echo.sock" }],
  ["unix:a b:1", { transport: "unix", path: "a b:1" }],
];

Deno.test("parseEndpoint reads what formatEndpoint writes, and the other way round", () => {
  for (const [text, endpoint] of BOTH_WAYS) {
    assertEquals(parseEndpoint(text), endpoint);
    assertEquals(formatEndpoint(endpoint), text);
  }
});

Deno.test("parseEndpoint shows what it cannot read and how an endpoint is written", () => {
  const wrong = [
    "",
    "localhost",
    "localhost:",
    ":80",
    "::1:80",
    "[::1]",
    "[::1]80",
    "[]:80",
    "[x]:80",
  ]
    .concat([
      "a:65536",
      "a:123456",
      "a:-1",
      "a:1e3",
      "a: 80",
      "a b:80",
      "a/b:80",
      "[a]:80",
      "unix:",
    ])
    .concat(["http://localhost:80", "a:80\n", "[fe80::1%]:80", "a:b:80"]);
  for (const text of wrong) {
    assertThrows(
      () => parseEndpoint(text),
      SyntaxError,
      `cannot read the endpoint "${text}": write HOST:PORT, [IPV6]:PORT or unix:/PATH`,
    );
  }
});

Deno.test("formatEndpoint writes the address of every kind of socket", () => {
  const cases: [addr: Deno.Addr, text: string][] = [
    [{ transport: "tcp", hostname: "::1", port: 1 }, "[::1]:1"],
    [{ transport: "udp", hostname: "0.0.0.0", port: 2 }, "0.0.0.0:2"],
    [{ transport: "unix", path: "/run/a" }, "unix:/run/a"],
    [{ transport: "vsock", cid: 3, port: 4 }, "vsock:3:4"],
  ];
  for (const [addr, text] of cases) assertEquals(formatEndpoint(addr), text);
});
