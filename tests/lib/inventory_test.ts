import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseInventory } from "../../lib/inventory.ts";
import { selectHosts } from "../../lib/inventory_host.ts";
import { fillIn, posixWord, splitWords, windowsWord } from "../../lib/inventory_words.ts";
import { UsageError } from "../../lib/usage.ts";
import { chance } from "./helpers.ts";

const TEXT = `# my machines
gate host=192.0.2.1            ; the first

[web]
web1 host=192.0.2.11 port=2222
web2 ansible_host=2001:db8::2 ansible_user=ann motto="work; rest"

[db]
db1 user=bea
web1

[office]
pc1 connection=winrm

[unix:children]
web
db

[unix:vars]
user=student
motto=all is   well  # spaces inside stay
level=unix

[db:vars]
level = db

[all:vars]
user=everybody
level=all
sign = "a  #" b;c
`;

Deno.test("parseInventory reads hosts, groups and variables", () => {
  const hosts = parseInventory(TEXT);
  const shown = hosts.map(({ name, hostname, port, user, connection, groups, variables }) =>
    [name, hostname, port, user, connection, groups.join("+"), variables.level, variables.motto]
      .join(" ")
  );
  assertEquals(shown, [
    "gate 192.0.2.1 22 everybody ssh ungrouped all ",
    "web1 192.0.2.11 2222 student ssh web+db+unix db all is   well",
    "web2 2001:db8::2 22 ann ssh web+unix unix work; rest",
    "db1 db1 22 bea ssh db+unix db all is   well",
    "pc1 pc1 5986 everybody winrm office all ",
  ]);
  assertEquals(hosts[1]!.variables.host, "192.0.2.11");
  assertEquals(hosts[0]!.variables.sign, "a  # b;c");
});

Deno.test("selectHosts finds by group, by parent, by name, and says what there is", () => {
  const hosts = parseInventory(TEXT);
  const names = (name: string) => selectHosts(hosts, name).map((host) => host.name).join(" ");
  assertEquals(names("all"), "gate web1 web2 db1 pc1");
  assertEquals(names("unix"), "web1 web2 db1");
  assertEquals(names("db"), "web1 db1");
  assertEquals(names("pc1"), "pc1");
  const { message } = assertThrows(() => names("mail\x1b"), UsageError);
  assertMatch(message, /is called "mail\\x1b", only ungrouped, gate, web, /);
  assertThrows(() => selectHosts([], "all"), UsageError, "there is no host in the inventory");
});

Deno.test("parseInventory names the line that is wrong", () => {
  const cases: [string, RegExp][] = [
    ["a\nb port", /^line 2 of the inventory: "port" is not of the form name=value$/],
    ["a x='y", /^line 1 of the inventory: a quote does not end$/],
    ["[a b]", /a group cannot be called "a b"/],
    ["[web:hosts]", /a host cannot be called/],
    ["a;b", /a host cannot be called "a;b"/],
    ["web[1:3]", /a host cannot be called "web\[1:3\]"/],
    ["[x:children]\nnone", /^line 2 of the inventory: there is no group "none"$/],
    ["[x:children]\na b", /it must be the name of a group/],
    ["a port=0", /^the host a of the inventory: its port is 0, not a number/],
    ["a port=x", /its port is x/],
    ["a connection=telnet", /its connection is "telnet", neither ssh nor winrm/],
    ["a host='x y'", /"x y" is no address/],
    ["a __proto__=x", /is not of the form/],
    ["a x='\x1b'", /x has a control character/],
    [
      Array.from({ length: 10_001 }, (_, number) => `h${number}`).join("\n"),
      /more than 10000 hosts/,
    ],
  ];
  for (const [text, says] of cases) {
    assertMatch(assertThrows(() => parseInventory(text), UsageError).message, says);
  }
});

Deno.test("parseInventory ends when groups go round in a circle", () => {
  const [host] = parseInventory("[a]\nh\n[b:children]\na\n[a:children]\nb\n");
  assertEquals(host!.groups, ["a", "b"]);
});

Deno.test("parseInventory answers or refuses when the text is damaged", () => {
  const next = chance(7);
  const signs = "[]:=\"'#; \n\\{}\0\x1b_avé";
  for (let round = 0; round < 5_000; round++) {
    const text = [...TEXT];
    for (let faults = 1 + next(6); faults > 0; faults--) {
      text[next(text.length)] = signs[next(signs.length)]!;
    }
    try {
      for (const host of parseInventory(text.join(""))) assert(!/\p{Cc}/u.test(host.name));
    } catch (error) {
      assert(error instanceof UsageError, String(error));
    }
  }
});

Deno.test("splitWords keeps quoted words together", () => {
  assertEquals(splitWords(`a "b c"=d'e f' ""`), ["a", "b c=de f", ""]);
  assertEquals(splitWords("a b#c # d"), ["a", "b#c"]);
  assertEquals(splitWords("  "), []);
  assertEquals(splitWords("'"), undefined);
});

Deno.test("fillIn makes one word of each value", async () => {
  const value = "$(id) `id` \"x\" 'y' \\ ; & | * ~ {{ name }}";
  const line = fillIn("printf %s {{value}}", { value }, posixWord);
  const shell = await new Deno.Command("sh", { args: ["-c", line] }).output();
  assertEquals(new TextDecoder().decode(shell.stdout), value);
  assertEquals(windowsWord("a b"), '"a b"');
  assertEquals(windowsWord("C:\\my dir\\"), '"C:\\my dir\\\\"');
  assertThrows(() => windowsWord("%PATH%"), UsageError, "cannot be quoted");
  assertThrows(() => fillIn("{{ toString }}", { name: "x" }), UsageError, "no variable toString");
});
