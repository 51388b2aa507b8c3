/**
 * SSH commands beside OpenSSH's client and paramiko, all with the same sshd.
 *
 * @module
 */

import { type Comparison, ratio, type Sample } from "./compare.ts";
import type { Place } from "./place.ts";
import { output, Process, works } from "./processes.ts";

const HERE = import.meta.dirname!;
const ROOT = `${HERE}/../..`;
const DENO = ["deno", "run", "--quiet", "--no-prompt", "--ignore-env", "--allow-net=127.0.0.1"];
const BULK = 100_000_000, CONNECTS = 7, COMMANDS = 60;

/** The comparisons, or a note why there are none. */
export async function sshComparisons(place: Place): Promise<Comparison[]> {
  const { serving, loading, python } = place;
  if (!await works(["sh", "-c", "test -x /usr/sbin/sshd && command -v ssh ssh-keygen"])) {
    place.notes.push("OpenSSH's server or client is missing: nothing is measured of SSH");
    return [];
  }
  const paramiko = python && await works([...python, "-c", "import paramiko"]) ? python : undefined;
  if (!paramiko) place.notes.push("python3-paramiko is missing: SSH is not compared with it");

  /** Measures with an sshd of its own. */
  const withSshd = (measured: (at: At) => Promise<Sample>) => async () => {
    await using sshd = await startSshd(serving);
    return await measured(sshd);
  };
  const lib = (work: string, count: number) =>
    withSshd(({ port, user, folder }) =>
      sample([
        ...[...loading, ...DENO, `--allow-read=${folder}`, `${HERE}/ssh_lib.ts`],
        ...[port, user, folder, work, `${count}`],
      ])
    );
  const withParamiko = (work: string, count: number): Comparison["contenders"] =>
    paramiko
      ? {
        paramiko: withSshd(({ port, user, folder }) =>
          sample([
            ...[...loading, ...paramiko, `${HERE}/ssh_paramiko.py`],
            ...[port, user, folder, work, `${count}`],
          ])
        ),
      }
      : {};
  /** OpenSSH's client, from its start to its end. */
  const ssh = ({ port, user, folder }: At, command: string) => [
    ...["ssh", "-F", "none", "-o", `UserKnownHostsFile=${folder}/known`],
    ...["-i", `${folder}/key`, "-p", port, `${user}@127.0.0.1`, command],
  ];
  const script = ({ port, user, folder }: At, command: string) => [
    ...["deno", "run", "--no-prompt", "--ignore-env", `--allow-net=127.0.0.1:${port}`],
    ...[`--allow-read=${folder}`, `${ROOT}/scripts/remote/ssh_exec.ts`],
    ...["--known-hosts", `${folder}/known`, "--key", `${folder}/key`],
    ...[`${user}@127.0.0.1:${port}`, command],
  ];
  /** How long a whole process takes, from its start to its end; the median of several. */
  const process = (command: (at: At, command: string) => string[]) =>
    withSshd(async (at) => {
      const times: number[] = [];
      for (let number = 0; number < CONNECTS; number++) {
        const start = performance.now();
        const words = [...loading, ...command(at, "true")];
        if (!await works(words)) throw new Error(`${words.join(" ")} failed`);
        times.push(performance.now() - start);
      }
      return { ms: median(times) };
    });

  return [
    {
      name: "ssh-connect",
      title: "SSH: connect, run `true`, close",
      shown: { ms: "ms" },
      contenders: { lib: lib("connect", CONNECTS), ...withParamiko("connect", CONNECTS) },
      goals: [{ text: "lib / paramiko", of: ratio("lib", "paramiko", "ms"), atMost: 0.55 }],
    },
    {
      name: "ssh-process",
      title: "SSH: a whole process that runs `true`",
      shown: { ms: "ms" },
      contenders: { lesson: process(script), ssh: process(ssh) },
      goals: [{ text: "lesson / ssh", of: ratio("lesson", "ssh", "ms"), atMost: 0.7 }],
    },
    {
      name: "ssh-exec",
      title: "SSH: `true` on an open connection",
      shown: { ms: "ms" },
      contenders: { lib: lib("exec", COMMANDS), ...withParamiko("exec", COMMANDS) },
      goals: [{ text: "lib / paramiko", of: ratio("lib", "paramiko", "ms"), atMost: 0.1 }],
    },
    {
      name: "ssh-bulk",
      title: `SSH: ${BULK / 1e6} MB of stdout`,
      shown: { rate: "bytes/s" },
      contenders: {
        lib: lib("bulk", BULK),
        ssh2: lib("bulk-default", BULK),
        ...withParamiko("bulk", BULK),
        ssh: withSshd(async (at) => {
          const line = [...loading, ...ssh(at, `head -c ${BULK} /dev/zero`)];
          const start = performance.now();
          const bytes = await output(["sh", "-c", '"$@" | wc -c', "sh", ...line]);
          if (Number(bytes) !== BULK) throw new Error(`${bytes} bytes came`);
          return { rate: BULK / (performance.now() - start) * 1_000 };
        }),
      },
      goals: [
        { text: "lib / paramiko", of: ratio("lib", "paramiko"), atLeast: 1.15 },
        { text: "lib / ssh2's default", of: ratio("lib", "ssh2"), atLeast: 1.9 },
      ],
    },
    {
      name: "ssh-start",
      title: "from the start of an SSH client to its first line",
      shown: { ms: "ms" },
      contenders: {
        lesson: withSshd(async (at) => await untilFirstLine([...loading, ...script(at, "true")])),
        ...paramiko && {
          paramiko: () =>
            untilFirstLine([...loading, ...paramiko, `${HERE}/ssh_paramiko.py`, "import"]),
        },
      },
      goals: [{ text: "lesson / paramiko", of: ratio("lesson", "paramiko", "ms"), atMost: 0.75 }],
    },
  ];
}

async function sample(command: string[]): Promise<Sample> {
  return JSON.parse(await output(command)) as Sample;
}

const median = (times: number[]) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;

async function untilFirstLine(command: string[]): Promise<Sample> {
  const times: number[] = [];
  for (let number = 0; number < 5; number++) {
    const start = performance.now();
    await using client = new Process(command, { stream: "stderr" });
    await client.line(/^(connecting to|ready)/);
    times.push(performance.now() - start);
  }
  return { ms: median(times) };
}

/** Where an sshd is, and the folder with `key` and `known`. */
interface At {
  port: string;
  user: string;
  folder: string;
}

/** Starts an sshd on a port that the system does not hand out by itself. */
async function startSshd(serving: string[]): Promise<At & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "deno-bench-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const port = String(20_000 + Math.floor(Math.random() * 12_000));
    const settings = [
      ...[`ListenAddress 127.0.0.1:${port}`, `HostKey ${folder}/host`, "PidFile none"],
      ...[`AuthorizedKeysFile ${folder}/key.pub`, "UsePAM no", "StrictModes no"],
      // bash would read .bashrc for sshd
      ...["PermitRootLogin yes", "SetEnv SHLVL=2"],
    ];
    await Deno.writeTextFile(`${folder}/config`, settings.join("\n") + "\n");
    // where sshd, as root, locks itself in
    const make = `cd ${folder} && { [ "$(id -u)" != 0 ] || mkdir -p /run/sshd; } && ` +
      "ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f key && " +
      `echo "[127.0.0.1]:${port} $(cut -d' ' -f1,2 host.pub)" > known && id -un`;
    const user = await output(["sh", "-c", make]);
    const command = [...serving, "/usr/sbin/sshd", "-D", "-e", "-f", `${folder}/config`];
    const server = stack.use(new Process(command, { stream: "stderr" }));
    await server.line(/^Server listening on/);
    return { port, user, folder, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
