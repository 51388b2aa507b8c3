/**
 * SNTP with Debian's chrony, whose daemon is told to leave the machine's clock alone, and with Python.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort, peerTest, python, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const CHRONYD = "../sbin/chronyd"; // where Debian puts daemons

function start(script: string, net: string, port: number, ...words: string[]): Process {
  const flags = [`--allow-net=${net}`, pathOf(`time/${script}`), "--port", String(port)];
  return new Process([Deno.execPath(), "run", "--no-prompt", ...flags, ...words]);
}

function startClient(port: number, ...words: string[]): Process {
  return start("sntp_client", `127.0.0.1:0,127.0.0.1:${port}`, port, "--interval", "20", ...words);
}

async function startServer(...words: string[]): Promise<{ server: Process; port: number }> {
  const server = start("sntp_server", "127.0.0.1", 0, ...words);
  const [, port] = await server.stdout.line(/^listening on 127\.0\.0\.1:(\d+)$/);
  return { server, port: Number(port) };
}

/** chronyd in the foreground with a configuration of its own; `-x` keeps it from the clock. */
function chronyd(folder: string, config: string[], ...words: string[]): string[] {
  const lines = [...config, "cmdport 0", "bindcmdaddress /", `pidfile ${folder}/chronyd.pid`];
  Deno.writeTextFileSync(`${folder}/chrony.conf`, lines.join("\n") + "\n");
  const user = ["-U", "-u", Deno.uid() === 0 ? "root" : Deno.env.get("USER") ?? "nobody"];
  return ["/usr/sbin/chronyd", "-x", ...user, "-f", `${folder}/chrony.conf`, ...words];
}

function chronydServer(folder: string, port: number, ...config: string[]): Promise<Process> {
  const listen = [`port ${port}`, "bindaddress 127.0.0.1", "allow 127.0.0.1", ...config];
  // after this line it opens its sockets, then logs that it leaves the clock alone
  return startPeer(chronyd(folder, listen, "-d"), /Disabled control of system clock/);
}

peerTest("time/sntp_client agrees with chronyd within its delay", [CHRONYD], async () => {
  using folder = temporaryFolder();
  const port = freePort();
  await using _server = await chronydServer(folder.path, port, "local stratum 8");
  await using client = startClient(port, "--samples", "8");
  assertEquals(await client.end(), 0, client.stderr.text);
  const { text } = client.stdout;
  assertMatch(text, /^NTP version 4, stratum 8, reference 127\.127\.1\.1, no leap second/);
  // both read the clock of this machine: each sample is right to within half of its delay
  const samples = [...text.matchAll(/offset (-?[\d.]+) ms, delay ([\d.]+) ms/g)];
  assertEquals(samples.length, 8);
  for (const [, offset, delay] of samples) {
    assert(Math.abs(Number(offset)) <= Number(delay) / 2 + 0.05, text);
  }
});

peerTest("time/sntp_client does not believe chronyd when that is not set", [CHRONYD], async () => {
  using folder = temporaryFolder();
  const port = freePort();
  await using _server = await chronydServer(folder.path, port);
  await using client = startClient(port);
  assertEquals(await client.end(), 1);
  assertMatch(client.stderr.text, /does not know the time: its clock is not synchronised/);
});

peerTest("time/sntp_server is believed by chronyd -Q, an hour ahead too", [CHRONYD], async () => {
  const measure = async (ahead: number) => {
    using folder = temporaryFolder();
    const { server, port } = await startServer("--ahead", String(ahead * 1000));
    await using _server = server;
    const config = [`server 127.0.0.1 port ${port} iburst`];
    await using client = new Process(chronyd(folder.path, config, "-Q", "-t", "30"));
    assertEquals(await client.end(), 0, client.stderr.text);
    const found = /System clock wrong by (-?[\d.]+) seconds/.exec(client.stderr.text);
    assert(found, client.stderr.text);
    assert(Math.abs(Number(found[1]) - ahead) < 5, found[0]);
    assertEquals(await server.stop("SIGINT"), 0);
  };
  await Promise.all([measure(0), measure(3_600)]);
});

peerTest("time/sntp_server answers python3 in each version of NTP, and as a peer", [
  "python3",
], async () => {
  const { server, port } = await startServer();
  await using _server = server;
  const ask = async (version: number, mode: number) => {
    await using client = new Process(python("sntp.py", "client", port, version, mode));
    assertEquals(await client.end(), 0, client.stderr.text);
    return client.stdout.text;
  };
  const cases = [[1, 0, 4], [1, 3, 4], [2, 3, 4], [3, 3, 4], [4, 3, 4], [3, 1, 2], [4, 1, 2]];
  for (const [version, mode, answering] of cases) {
    const text = await ask(version!, mode!);
    const found = /^version (\d mode \d) leap 0 stratum 10 LOCL poll 4\noffset (\S+) delay (\S+)/
      .exec(
        text,
      );
    assert(found, text);
    assertEquals(found[1], `${version} mode ${answering}`);
    assert(Math.abs(Number(found[2])) <= Number(found[3]) / 2 + 0.000_05, text);
  }
  assertEquals(await server.stop("SIGTERM"), 0);
});

peerTest("time/sntp_client agrees with python3, and believes no kiss", ["python3"], async () => {
  const run = async (how: string) => {
    const port = freePort();
    await using _server = await startPeer(python("sntp.py", "server", port, how), /^listening/);
    await using client = startClient(port);
    const code = await client.end();
    return { code, said: client.stdout.text, log: client.stderr.text };
  };
  const [honest, kiss, unset] = await Promise.all(["honest", "kiss", "unset"].map(run));
  assertEquals(honest!.code, 0, honest!.log);
  assertMatch(honest!.said, /^NTP version 4, stratum 1, reference PY, /);
  const [, offset, within] = /^best: offset (-?[\d.]+) ms, right to within ([\d.]+) ms/m
    .exec(honest!.said)!;
  assert(Math.abs(Number(offset)) <= Number(within) + 0.05, honest!.said);
  assertEquals([kiss!.code, unset!.code], [1, 1]);
  assertMatch(kiss!.log, /answers DENY: it does not serve this client\nDo not ask it again/);
  assertMatch(unset!.log, /does not know the time: its stratum is 16, of 15 at most/);
});
