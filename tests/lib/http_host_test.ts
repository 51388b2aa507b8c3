import { assertEquals, assertThrows } from "@std/assert";
import { checkName, urlOf } from "../../lib/http_host.ts";
import { Problem } from "../../lib/http_problem.ts";

/** What Deno.serve gives: the host stands in the URL as it came, `localhost` if none came. */
const requestFor = (host: string | undefined, place = host || "localhost:8000") =>
  ({
    url: `http://${place}/a`,
    headers: new Headers(host === undefined ? {} : { host }),
  }) as Request;

Deno.test("urlOf wants a Host that is one", () => {
  for (const host of ["localhost", "127.0.0.1:8000", "[::1]:8000", "a.example.:", "a_b"]) {
    assertEquals(urlOf(requestFor(host))?.pathname, "/a", host);
  }
  for (
    const host of [
      undefined,
      "",
      "y/z",
      "y?",
      "y#",
      "u@y",
      "u:p@y",
      "a b",
      "[::1",
      "a,b",
      "a\\b",
      ":80",
      "a:b",
    ]
  ) {
    assertEquals(urlOf(requestFor(host)), undefined, host);
  }
  // HTTP/2, or the form for proxies: it stands in the URL alone, or counts more
  assertEquals(urlOf(requestFor(undefined, "a.example"))?.host, "a.example");
  assertEquals(urlOf(requestFor("b.example", "a.example"))?.host, "a.example");
  assertEquals(urlOf(requestFor("b.example", "u@a.example")), undefined);
});

Deno.test("checkName takes addresses, localhost and the server's names, and nobody else's", () => {
  const names = ["Blog.example", "münchen.example", "0.0.0.0", "::1"];
  const own =
    "localhost LOCALHOST.:1 127.0.0.1:8000 10.0.0.7 [::1]:8000 [2001:db8::1] blog.example blog.EXAMPLE.:8000 " +
    "xn--mnchen-3ya.example";
  for (const host of own.split(" ")) checkName(host, names);
  const others =
    "evil.example evil.example:8000 127.0.0.1.evil.example localhost.evil.example evil.localhost " +
    "blog.example.evil notlocalhost x.blog.example";
  for (const host of others.split(" ")) {
    assertEquals(assertThrows(() => checkName(host, names), Problem).status, 421, host);
  }
  for (const host of ["", "a b", "[::1", "a:b", "1.2.3.4.5"]) {
    assertEquals(assertThrows(() => checkName(host, names), Problem).status, 400, host);
  }
});
