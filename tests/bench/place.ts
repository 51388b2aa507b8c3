/**
 * Where the benchmark runs: which core, which network, which load generator, which Python. What this machine
 * does not have is done without, and said.
 *
 * @module
 */

import { output, Process, works } from "./processes.ts";

const HERE = import.meta.dirname!;

/** Words to put before a command, or whole commands. */
export interface Place extends AsyncDisposable {
  /** Before what is to run on any core. */
  network: string[];
  /** Before a server. */
  serving: string[];
  /** Before what loads a server. */
  loading: string[];
  /** The load generator, see `load.c`. */
  load: string[];
  python: string[] | undefined;
  /** What a reader of the figures must know. */
  notes: string[];
}

/** Looks at the machine, and makes what is needed. */
export async function prepare(): Promise<Place> {
  const stack = new AsyncDisposableStack();
  const notes: string[] = [];
  try {
    const network = await ownNetwork(stack, notes);
    const pinned = await works(["taskset", "-c", "0,1", "true"]);
    if (!pinned) {
      notes.push("server and load share the cores: taskset, or a second core, is missing");
    }
    return {
      network,
      serving: pinned ? [...network, "taskset", "-c", "0"] : network,
      loading: pinned ? [...network, "taskset", "-c", "1"] : network,
      load: await loadGenerator(stack, notes),
      python: await findPython(notes),
      notes,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/**
 * A network of our own, in which TCP does not pace itself: bbr, the default of some machines, slows a stream
 * over loopback down to a third. A shell holds the network open, and others enter it by the shell's id.
 */
async function ownNetwork(stack: AsyncDisposableStack, notes: string[]): Promise<string[]> {
  if (!await works(["sysctl", "-n", "net.ipv4.tcp_congestion_control"])) return [];
  const control = await output(["sysctl", "-n", "net.ipv4.tcp_congestion_control"]);
  if (control !== "bbr") return [];
  const set = "ip link set lo up && sysctl -qw net.ipv4.tcp_congestion_control=reno";
  for (const way of [["-n"], ["-r", "-n"]]) {
    const unshare = ["unshare", ...way, "sh", "-c"];
    if (!await works([...unshare, set])) continue;
    // cat ends with the benchmark, and the network with it
    const hold = [...unshare, `${set} && echo ready && exec cat`];
    const holder = stack.use(new Process(hold, { limit: 3_600_000 }));
    await holder.line(/^ready$/);
    const enter = [
      "nsenter",
      "-t",
      String(holder.pid),
      "-n",
      ...(way.includes("-r") ? ["-U"] : []),
    ];
    if (await works([...enter, "true"])) return enter;
  }
  notes.push(
    "congestion control is bbr, which throttles streaming here; a network namespace with reno",
  );
  notes.push("is not allowed: run as root, or sysctl -w net.ipv4.tcp_congestion_control=reno");
  return [];
}

async function loadGenerator(stack: AsyncDisposableStack, notes: string[]): Promise<string[]> {
  if (await works(["gcc", "--version"])) {
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "deno-bench-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    if (await works(["gcc", "-O2", "-o", `${folder}/load`, `${HERE}/load.c`])) {
      return [`${folder}/load`];
    }
  }
  notes.push(
    "gcc is missing: the load comes from Deno processes, which cannot keep a server fully busy",
  );
  return [
    "deno",
    "run",
    "--quiet",
    "--allow-net=127.0.0.1",
    `--allow-read=${HERE}`,
    `${HERE}/load.ts`,
  ];
}

/** The interpreter itself: a `python3` on the PATH may be a script that looks for it at every start. */
async function findPython(notes: string[]): Promise<string[] | undefined> {
  for (const name of ["/usr/bin/python3", "python3"]) {
    if (!await works([name, "--version"])) continue;
    return [await output([name, "-c", "import sys; print(sys.executable)"])];
  }
  notes.push("python3 is missing: nothing is compared with it");
}
