import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { type Check, describeCheck, parseChecks } from "../../lib/fleet_checks.ts";
import { Kept, MOST_OUTPUT, type Output } from "../../lib/fleet_output.ts";
import { probe } from "../../lib/fleet_probe.ts";
import type { Remote } from "../../lib/fleet_remote.ts";
import { type Result, rowsOf, summaryOf } from "../../lib/fleet_table.ts";
import { modeOf, portsOfNetstat, portsOfTable } from "../../lib/fleet_unix.ts";
import { scriptOf } from "../../lib/powershell.ts";
import { UsageError } from "../../lib/usage.ts";
import { chance } from "./helpers.ts";

Deno.test("parseChecks refuses what it does not understand, with the number of the check", () => {
  const cases: [string, RegExp][] = [
    ["", /^the checks are no JSON/],
    ["{}", /^the checks must be a JSON list/],
    ["[]", /^the checks must be a JSON list/],
    ["[1]", /^check 1: it must be an object/],
    ["[[]]", /^check 1: it must be an object/],
    ['[{ "port": 1 }, {}]', /^check 2: it needs one of file, port, process, command/],
    ['[{ "port": 1, "file": "/" }]', /^check 1: it needs one of .* and one only$/],
    [
      '[{ "port": 1, "open": true }]',
      /there is no "open" beside "port", only port, listening, on$/,
    ],
    ['[{ "port": 1, "__proto__": 1 }]', /there is no "__proto__" beside "port"/],
    ['[{ "port": 0 }]', /"port" must be a number from 1 to 65535/],
    ['[{ "port": "22; id" }]', /"port" must be a number/],
    ['[{ "file": "/", "mode": 644.5 }]', /"mode" must be octal digits/],
    ['[{ "file": "/", "mode": 644 }]', /"mode" must be octal digits as a text/],
    ['[{ "file": "/", "mode": "rw" }]', /"mode" must be octal digits/],
    ['[{ "file": "" }]', /"file" must be a text/],
    ['[{ "file": "/a\\nb" }]', /"file" must be one line/],
    ['[{ "command": "a\\u0000" }]', /"command" must be one line/],
    ['[{ "file": "/", "exists": false, "mode": "644" }]', /has no mode and no content/],
    ['[{ "process": "x", "running": 1 }]', /"running" must be true or false/],
    ['[{ "command": "x", "exit": "0" }]', /"exit" must be a whole number/],
  ];
  for (const [text, says] of cases) {
    const { message } = assertThrows(() => parseChecks(text), UsageError);
    assertMatch(message, says);
  }
});

Deno.test("parseChecks answers or refuses when the text is damaged", () => {
  const good = '[{ "file": "/a", "mode": "644" }, { "port": "{{ port }}", "on": "web" }]';
  const next = chance(44);
  for (let round = 0; round < 20_000; round++) {
    const signs = [...good];
    for (let faults = 1 + next(4); faults > 0; faults--) {
      signs[next(signs.length)] = String.fromCharCode(next(128));
    }
    try {
      for (const check of parseChecks(signs.join(""))) describeCheck(check);
    } catch (error) {
      assert(error instanceof UsageError, String(error));
    }
  }
});

/** A machine that answers by a table; what is not in it fails as a program that is not there. */
function machine(
  answers: Record<string, Partial<Output>>,
  system: Remote["system"] = "posix",
): Remote & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    system,
    run(command) {
      const line = scriptOf(command) ?? command;
      asked.push(line);
      const key = Object.keys(answers).find((start) => line.startsWith(start));
      const missing = { code: 127, stderr: `sh: ${line}: not found\n` };
      return Promise.resolve({ code: 0, stdout: "", stderr: "", ...key ? answers[key] : missing });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const UNIX = {
  "ls -ldL -- /etc/hosts": { stdout: "-rw-r--r-- 1 root root 20 Jan 1 10:00 /etc/hosts\n" },
  "ls -ldL -- '/a b'\\''s'": { stdout: "drwxrwxrwt 1 root root 20 Jan 1 10:00 x\n" },
  "ls -ldL -- /root/x": { code: 2, stderr: "ls: cannot access '/root/x': Permission denied\n" },
  "env LC_ALL=C ls -ldL -- /root/x": {
    code: 2,
    stderr: "ls: cannot access '/root/x': Permission denied\n",
  },
  "ls": { code: 2, stderr: "ls: cannot access: No such file or directory\x1b[2J\n" },
  "cat -- /etc/hosts": { stdout: "127.0.0.1 localhost\n" },
  "cat /proc/net/tcp": {
    code: 1,
    stdout:
      "  sl  local_address rem_address   st\n   0: 0100007F:0016 00000000:0000 0A 00000000\n" +
      "   1: 0100007F:1F90 0100007F:C350 01 00000000\n",
  },
  "ps": { stdout: "COMMAND\nsshd\n/usr/sbin/cupsd\nsystemd-resolve\n" },
  "echo": { stdout: "one\ntwo\n" },
  "false": { code: 1, stderr: "no\n" },
};

async function found(remote: Remote, check: Check): Promise<string> {
  const variables = { name: "web1", port: "22", path: "/etc/hosts", words: "it's; id" };
  const never = new AbortController().signal;
  const finding = await probe(remote, check, variables, never);
  return `${finding.holds ? "holds" : "broken"}: ${finding.found}`;
}

Deno.test("probe judges a Unix machine", async () => {
  const remote = machine(UNIX);
  const cases: [Check, string][] = [
    [{ file: "/etc/hosts" }, "holds: mode 0644"],
    [{ file: "{{ path }}", mode: "644", contains: "localhost" }, "holds: as wanted"],
    [{ file: "/etc/hosts", mode: "0600" }, "broken: mode 0644"],
    [{ file: "/etc/hosts", contains: "x" }, 'broken: "x" is not in its 20 characters'],
    [{ file: "/etc/hosts", content: "127.0.0.1 localhost\n" }, "holds: as wanted"],
    [
      { file: "/etc/hosts", content: "127" },
      'broken: its content is "127.0.0.1 localhost"',
    ],
    [{ file: "/etc/hosts", exists: false }, "broken: it is there"],
    [{ file: "/a b's", mode: "1777" }, "holds: mode 1777"],
    [
      { file: "/none" },
      "broken: it is not there: ls: cannot access: No such file or directory\\x1b[2J",
    ],
    [
      { file: "/none", exists: false },
      "holds: it is not there: ls: cannot access: No such file or directory\\x1b[2J",
    ],
    [
      { file: "/root/x", exists: false },
      "broken: it is not known whether it is there: ls: cannot access '/root/x': Permission denied",
    ],
    [{ port: "{{ port }}" }, "holds: a program listens"],
    [{ port: 8080 }, "broken: nothing listens"],
    [{ port: 8080, listening: false }, "holds: nothing listens"],
    [{ process: "sshd" }, "holds: 1 of it"],
    [{ process: "cupsd" }, "holds: 1 of it"],
    [{ process: "systemd-resolved" }, "holds: 1 of it"],
    [{ process: "ssh" }, "broken: it does not run"],
    [{ process: "ssh", running: false }, "holds: it does not run"],
    [{ command: "echo {{ words }}", prints: "two" }, 'holds: "one" and 1 lines more'],
    [{ command: "echo", prints: "three" }, 'broken: it prints "one" and 1 lines more, not "three"'],
    [{ command: "false" }, "broken: exit code 1: no"],
    [{ command: "false", exit: 1 }, "holds: nothing"],
    [{ command: "none" }, "broken: exit code 127: sh: none: not found"],
  ];
  for (const [check, says] of cases) {
    assertEquals(await found(remote, check), says, JSON.stringify(check));
  }
  assert(remote.asked.includes(`echo 'it'\\''s; id'`), remote.asked.join("\n"));
  await assertRejects(
    () => found(remote, { command: "echo {{ no }}" }),
    UsageError,
    "no variable no",
  );
});

Deno.test("probe says so when a machine cannot tell", async () => {
  const bare = machine({});
  assertEquals(
    await found(bare, { port: 22 }),
    "broken: no list of ports: sh: netstat -an: not found",
  );
  assertMatch(await found(bare, { process: "x" }), /^broken: no list of processes: sh: ps/);
  assertMatch(await found(bare, { process: "x", running: false }), /^broken: no list/);
  assertMatch(
    await found(bare, { file: "/x", exists: false }),
    /^broken: it is not known whether it is there: sh: env LC_ALL=C ls/,
  );
  const netstat = { "netstat -an": { stdout: "tcp4  0  0  127.0.0.1.22  *.*  LISTEN\n" } };
  assertEquals(await found(machine(netstat), { port: 22 }), "holds: a program listens");
});

Deno.test("probe asks again in English when ls does not say so that a file is not there", async () => {
  const german = {
    "ls -ldL -- /root/secret": {
      code: 2,
      stderr: "ls: Zugriff auf '/root/secret' nicht möglich: Keine Berechtigung\n",
    },
    "env LC_ALL=C ls -ldL -- /root/secret": {
      code: 2,
      stderr: "ls: cannot access '/root/secret': Permission denied\n",
    },
    "ls -ldL -- /none": {
      code: 2,
      stderr: "ls: Zugriff auf '/none' nicht möglich: Datei oder Verzeichnis nicht gefunden\n",
    },
    "env LC_ALL=C ls -ldL -- /none": { code: 2, stderr: "ls: /none: No such file or directory\n" },
  };
  assertEquals(
    await found(machine(german), { file: "/root/secret", exists: false }),
    "broken: it is not known whether it is there: ls: cannot access '/root/secret': Permission denied",
  );
  assertEquals(
    await found(machine(german), { file: "/none", exists: false }),
    "holds: it is not there: ls: /none: No such file or directory",
  );
});

Deno.test("probe says what it has not seen when an output was cut", async () => {
  const cut = (stdout: string) => ({ stdout, stdoutCut: true });
  const remote = machine({
    "ls": { stdout: "-rw-r--r-- 1 root root 20 Jan 1 10:00 x\n" },
    "cat -- /long": cut("one\ntwo\n"),
    "cat /proc/net/tcp": cut(
      "  sl  local_address\n   0: 0100007F:0016 00000000:0000 0A 00000000\n",
    ),
    "ps": cut("sshd\n"),
    "echo": cut("one\ntwo\n"),
  });
  const unknown = "broken: not known, only the first MiB was looked at: ";
  const cases: [Check, string][] = [
    [{ file: "/long", contains: "two" }, "holds: as wanted"],
    [{ file: "/long", contains: "end" }, `${unknown}"end" is not in it`],
    [{ file: "/long", content: "other" }, 'broken: its content is "one" and 1 lines more'],
    [{ file: "/long", content: "one\n" }, 'broken: its content is "one" and 1 lines more'],
    [
      { file: "/long", content: "one\ntwo\n" },
      "broken: its content goes on behind what was wanted",
    ],
    [{ file: "/long", content: "one\ntwo\nthree" }, `${unknown}so far it is as wanted`],
    [{ port: 22 }, "holds: a program listens"],
    [{ port: 23 }, `${unknown}the port is not in it`],
    [{ port: 23, listening: false }, `${unknown}the port is not in it`],
    [{ process: "sshd" }, "holds: 1 of it"],
    [{ process: "cron", running: false }, `${unknown}it is not in the list`],
    [{ command: "echo", prints: "two" }, 'holds: "one" and 1 lines more'],
    [{ command: "echo", prints: "end" }, `${unknown}"end" is not in it`],
  ];
  for (const [check, says] of cases) {
    assertEquals(await found(remote, check), says, JSON.stringify(check));
  }
});

Deno.test("probe sees the ports of a machine with more connections than it reads lines for", async () => {
  // those that listen come first
  const four = "  sl  local_address\n   0: 0100007F:0016 00000000:0000 0A 0\n";
  const six = `  sl  local_address\n   0: ${"0".repeat(32)}:0017 ${"0".repeat(32)}:0000 0A 0\n`;
  const over = "   1: 0100007F:1F90 0100007F:C350 06 0\n";
  const cut = (stdout: string) => ({ stdout, stdoutCut: true });
  const cases: [second: Partial<Output>, missing: string][] = [
    [{ stdout: six }, "nothing listens"],
    [cut(six + over), "nothing listens"],
    [cut(six), "not known, only the first MiB was looked at: the port is not in it"],
  ];
  for (const [second, says] of cases) {
    const busy = machine({
      "cat /proc/net/tcp /proc/net/tcp6": cut(four + over),
      "cat /proc/net/tcp6": second,
    });
    for (const port of [22, 23]) {
      assertEquals(await found(busy, { port }), "holds: a program listens");
    }
    assertEquals(await found(busy, { port: 24 }), `broken: ${says}`);
  }
  const withoutSix = machine({ "cat /proc/net/tcp /proc": cut(four + over) });
  assertEquals(await found(withoutSix, { port: 24 }), "broken: nothing listens");
});

Deno.test("probe asks Windows by PowerShell, with quotes of every kind inside", async () => {
  const remote = machine({
    "if (Test-Path -LiteralPath 'C:\\it''s') { 'yes'; ": { stdout: "yes\r\nsome text\r\n" },
    "if (Test-Path -LiteralPath 'C:\\long') { 'yes'; ": { stdout: "yes\r\none", stdoutCut: true },
    "if (Test-Path -LiteralPath 'C:\\no')": { stdout: "no\r\n" },
    "if (Get-NetTCPConnection -State Listen -LocalPort 22 ": { stdout: "yes\r\n" },
    "if (Get-Process | Where-Object { $_.ProcessName -eq 'a’’b' })": { stdout: "no\r\n" },
    "if (Test-Path": { code: 1, stderr: "broken\r\n" },
    'echo "it\'s; id"': { stdout: "fine\r\n" },
  }, "windows");
  const cases: [Check, string][] = [
    [{ file: "C:\\it's", contains: "some" }, "holds: as wanted"],
    [{ file: "C:\\it's", content: "other" }, 'broken: its content is "some text"'],
    [
      { file: "C:\\long", contains: "end" },
      'broken: not known, only the first MiB was looked at: "end" is not in it',
    ],
    [{ file: "C:\\no", contains: "x" }, "broken: it is not there"],
    [{ file: "C:\\no", exists: false }, "holds: it is not there"],
    [{ file: "C:\\x" }, "broken: exit code 1: broken"],
    [{ file: "C:\\x", mode: "644" }, "broken: Windows knows no such modes"],
    [{ port: 22 }, "holds: a program listens"],
    [{ process: "a’b.exe", running: false }, "holds: it does not run"],
    [{ command: "echo {{ words }}", prints: "fine" }, 'holds: "fine"'],
  ];
  for (const [check, says] of cases) {
    assertEquals(await found(remote, check), says, JSON.stringify(check));
  }
});

Deno.test("modeOf, portsOfTable and portsOfNetstat read what systems print", () => {
  assertEquals(modeOf("-rwsr-sr-t 1 a b 1 c"), "7755");
  assertEquals(modeOf("-rwSr-Sr-T 1 a b 1 c"), "7644");
  assertEquals(modeOf("lrwxrwxrwx 1 a b 1 c"), "0777");
  assertEquals(modeOf("-rw-r--r--+ 1 a b 1 c"), "0644");
  assertEquals(modeOf("total 0"), undefined);
  const six = "   0: 00000000000000000000000001000000:0CEA " +
    "00000000000000000000000000000000:0000 0A 00000000:00000000\n";
  assertEquals(portsOfTable(six), new Set([3306]));
  const linux = "tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN\n" +
    "tcp6       0      0 ::1:631                 :::*                    LISTEN\n" +
    "tcp        0      0 10.0.0.1:22             10.0.0.2:5000           ESTABLISHED\n";
  assertEquals(portsOfNetstat(linux), new Set([22, 631]));
  const others = "tcp4       0      0  127.0.0.1.53   *.*   LISTEN\n" +
    "  TCP    0.0.0.0:135   0.0.0.0:0   LISTENING\r\nudp4   0   0  *.67   *.*\n";
  assertEquals(portsOfNetstat(others), new Set([53, 135]));
});

Deno.test("Kept keeps a mebibyte of an output and takes all of it", async () => {
  const kept = new Kept();
  const whole = new Kept();
  await whole.write(new Uint8Array(MOST_OUTPUT).fill(0x78));
  assertEquals([(await whole.text()).length, whole.cut], [MOST_OUTPUT, false]);
  // of the last character only a half fits
  await kept.write(new Uint8Array([0x78]));
  const piece = new TextEncoder().encode("ä".repeat(50_000));
  for (let sent = 0; sent < 3 * MOST_OUTPUT; sent += piece.length) {
    assertEquals(await kept.write(piece), piece.length);
  }
  assertEquals(await kept.text(), "x" + "ä".repeat((MOST_OUTPUT - 2) / 2));
  assert(kept.cut);
});

Deno.test("rowsOf shows what a machine says without obeying it, and not all of very much", () => {
  const common = { target: "a@b:22", connection: "ssh" as const, groups: [], seconds: 1 };
  const bad: Result = {
    ...common,
    host: "b",
    state: "failed",
    output: { code: 3, stdout: "\x1b[2Jx\n", stderr: "y\r\n" },
  };
  const indent = " ".repeat(25);
  assertEquals(rowsOf(bad, 3), [
    "b    failed         1.0 s  exit code 3",
    `${indent}  \\x1b[2Jx`,
    `${indent}  y`,
  ]);
  const long = { code: 0, stdout: "x\n".repeat(1_000), stderr: "" };
  const rows = rowsOf({ ...common, host: "b", state: "ok", output: long }, 1);
  assertEquals(rows.length, 201);
  assertMatch(rows.at(-1)!, /… 800 lines more/);
  const wide = { code: 0, stdout: "x".repeat(5_000), stderr: "" };
  assertMatch(
    rowsOf({ ...common, host: "b", state: "ok", output: wide }, 1)[0]!,
    /x… 3000 characters more$/,
  );
  const cut = { code: 0, stdout: "x\n", stdoutCut: true, stderr: "y\n" };
  assertEquals(rowsOf({ ...common, host: "b", state: "ok", output: cut }, 1), [
    "b  ok             1.0 s  x",
    `${" ".repeat(23)}  … cut here: more than 1 MiB`,
    `${" ".repeat(23)}  y`,
  ]);
  const lost: Result = { ...common, host: "c", state: "unreachable", reason: "gone" };
  assertEquals(summaryOf([bad, lost, lost]), "3 hosts: 1 failed, 2 unreachable");
});

Deno.test("rowsOf shows the beginning when a command has printed 400,000 lines", () => {
  const output = { code: 0, stdout: "line\n".repeat(400_000), stderr: "" };
  const host = { host: "a", target: "a", connection: "ssh" as const, groups: [], seconds: 1 };
  const rows = rowsOf({ ...host, state: "ok", output }, 1);
  assertEquals(rows.length, 201);
  assertMatch(rows.at(-1)!, /… 399800 lines more/);
});
