/**
 * ssh_exec.ts with OpenSSH's sshd, which runs on a free port with keys and a configuration of its own.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { freePort, peerTest, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const NEEDS = ["/usr/sbin/sshd", "ssh", "ssh-keygen"].map((path) =>
  path.replace("/usr/sbin/", "../sbin/")
);

async function run(...command: string[]): Promise<string> {
  await using process = new Process(command);
  assertEquals(await process.end(), 0, process.stderr.text);
  return process.stdout.text;
}

async function withSshd(
  settings: string[],
  body: (at: { port: number; path: (name: string) => string; user: string }) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder();
  const path = (name: string) => `${folder.path}/${name}`;
  const port = freePort();
  const user = (await run("id", "-un")).trim();
  for (const name of ["host", "key"]) {
    await run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path(name));
  }
  await Deno.copyFile(path("key.pub"), path("authorized"));
  const lines = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${path("host")}`,
    `AuthorizedKeysFile ${path("authorized")}`,
    ...["UsePAM no", "StrictModes no", "PermitRootLogin yes", "PidFile none"],
    ...settings,
  ];
  await Deno.writeTextFile(path("config"), lines.join("\n") + "\n");
  // where sshd, as root, locks itself in
  if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true });
  const command = ["/usr/sbin/sshd", "-D", "-e", "-f", path("config")];
  await using _sshd = await startPeer(command, /^Server listening on/);
  await body({ port, path, user });
}

type Sshd = Parameters<Parameters<typeof withSshd>[1]>[0];

function ours({ port, path, user }: Sshd, ...words: string[]): Process {
  const grants = ["--ignore-env", `--allow-net=127.0.0.1:${port}`];
  const files = [`--allow-read=${path("")}`, `--allow-write=${path("")}`];
  const common = ["--known-hosts", path("known"), "--key", path("key")];
  const start = [Deno.execPath(), "run", "--no-prompt", ...grants, ...files];
  const [first, ...rest] = words;
  const options = first?.startsWith("--") ? [first] : [];
  const command = first?.startsWith("--") ? rest : words;
  const target = `${user}@127.0.0.1:${port}`;
  return new Process([
    ...start,
    pathOf("remote/ssh_exec"),
    ...common,
    ...options,
    target,
    ...command,
  ]);
}

peerTest("ssh_exec.ts adds a key that ssh and ssh-keygen then know", NEEDS, async () => {
  await withSshd([], async (sshd) => {
    await using refused = ours(sshd, "true");
    assertEquals(await refused.end(), 1);
    assertMatch(refused.stderr.text, /is not known: ssh-ed25519 SHA256:/);
    await using first = ours(sshd, "--accept-new", "echo out; echo err >&2; exit 7");
    await first.send();
    assertEquals(await first.end(), 7);
    assertEquals(first.stdout.text, "out\n");
    assertMatch(first.stderr.text, /^err$/m);
    const { path, port, user } = sshd;
    const options = ["UserKnownHostsFile=" + path("known"), "StrictHostKeyChecking=yes"];
    const ssh = ["ssh", "-F", "none", ...options.flatMap((option) => ["-o", option])];
    const said = await run(
      ...ssh,
      "-i",
      path("key"),
      "-p",
      `${port}`,
      `${user}@127.0.0.1`,
      "echo ok",
    );
    assertEquals(said, "ok\n");
    await run("ssh-keygen", "-f", path("known"), "-F", `[127.0.0.1]:${port}`);
    // hashed by ssh-keygen, it is understood
    await run("ssh-keygen", "-H", "-f", path("known"));
    await using again = ours(sshd, "kill -TERM $$");
    await again.send();
    assertEquals(await again.end(), 143);
  });
});

const SETTINGS: Record<string, boolean> = {
  "Ciphers aes128-ctr": true,
  "Ciphers aes192-ctr": true,
  "Ciphers aes256-ctr": true,
  "Ciphers chacha20-poly1305@openssh.com": true,
  "Ciphers aes128-gcm@openssh.com": true,
  "Ciphers aes256-gcm@openssh.com": true,
  "KexAlgorithms curve25519-sha256": true,
  "KexAlgorithms ecdh-sha2-nistp256": true,
  "KexAlgorithms ecdh-sha2-nistp384": true,
  "KexAlgorithms diffie-hellman-group16-sha512": true,
  "KexAlgorithms diffie-hellman-group14-sha256": true,
  "KexAlgorithms ecdh-sha2-nistp521": false,
  "KexAlgorithms sntrup761x25519-sha512@openssh.com": false,
};

for (const [setting, works] of Object.entries(SETTINGS)) {
  peerTest(
    `ssh_exec.ts ${works ? "works" : "refuses clearly"} when sshd has only ${setting}`,
    NEEDS,
    async () => {
      await withSshd([setting], async (sshd) => {
        await using process = ours(sshd, "--accept-new", "echo ok");
        await process.send();
        assertEquals(await process.end(), works ? 0 : 1, process.stderr.text);
        if (works) assertEquals(process.stdout.text, "ok\n");
        else assertMatch(process.stderr.text, /it has no key exchange in common with this script/);
      });
    },
  );
}
