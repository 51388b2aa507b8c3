/** The lessons about TLS against those who speak it badly, or not at all. */
import { assertEquals, assertMatch } from "@std/assert";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { behaviours, misbehave, reset } from "./peers.ts";
import { startScript } from "./script.ts";
import { besiege, type Place, starve, type Subject } from "./siege.ts";
import { times, within } from "./waits.ts";
import { createAuthority } from "../../lib/certificate.ts";
import { connect } from "../../lib/tcp.ts";
import { SocketReader } from "../../lib/reader.ts";

type TlsTarget = Target & { port: number };

/** A port and a folder for the certificates. */
function somewhere(): Place {
  const folder = Deno.makeTempDirSync({ prefix: "hostile-tls-" });
  const at = (port: string): Place => ({
    words: ["--port", port, "--folder", folder],
    flags: (flag) =>
      flag.replace(/(?<=127\.0\.0\.1:)\d+/g, port).replaceAll("/tmp/lecture-tls", folder),
    at,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  });
  current = folder;
  return at("0");
}

let current = "";

const subject: Subject<TlsTarget> = {
  path: "scripts/tls/echo_server.ts",
  attacks: {
    ...attacks,
    // what comes after a good handshake
    "clients cut the connection in mid-record": async ({ port }) => {
      for (let round = 0; round < 20; round++) {
        using tls = await dial(port);
        await tls.write(new Uint8Array(1_000));
      }
    },
    "200 clients shake hands and close": async ({ port }) => {
      await times(200, 10, async () => (await dial(port)).close());
    },
  },
  target: (address) => ({ ...tcpTarget(Number(address)), port: Number(address) }),
  async goodClient({ port }) {
    using connection = await dial(port);
    const message = crypto.getRandomValues(new Uint8Array(5_000));
    const writing = connection.write(message).then(() => connection.closeWrite());
    assertEquals(await new SocketReader(connection).readAll(), message);
    await writing;
  },
  idleClient: ({ port }) => dial(port),
  taken:
    /^echo_server\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
};

async function dial(port: number) {
  const caCerts = [await Deno.readTextFile(`${current}/authority.pem`)];
  return await connect({ hostname: "127.0.0.1", port, tls: { hostname: "localhost", caCerts } });
}

besiege(subject, somewhere);
starve(subject, somewhere);

const notTls = /cannot agree on TLS with localhost: the other side does not speak TLS/;
const gone = /cannot agree on TLS with localhost: the other side/;
const outcomes: Record<string, RegExp> = {
  "is silent": /cannot agree on TLS with localhost: nothing came within 10 s/,
  "closes without a word": gone,
  "sends a byte every 50 ms": notTls,
  "closes in mid-answer": notTls,
  "never stops sending": notTls,
  "sends nonsense": notTls,
  "echoes what it gets":
    /cannot agree on TLS with localhost: the other side sent back what it was sent/,
};

const servers: typeof behaviours = {
  ...behaviours,
  "echoes what it gets": async (connection) => {
    const bytes = new Uint8Array(64 * 1024);
    for (let count; (count = await connection.read(bytes)) !== null;) {
      await connection.write(bytes.subarray(0, count));
    }
  },
};

Deno.test("tls/echo_client ends in time with one clear error when the server", async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-tls-" });
  const ca = `${folder}/authority.pem`;
  await Deno.writeTextFile(ca, (await createAuthority()).certificate);
  const cases = [...Object.keys(outcomes), "resets the connection"];
  // most of them only wait: they do so together
  const results = await Promise.all(cases.map(async (name) => {
    await using peer = name in outcomes ? misbehave(servers[name]!) : await reset("data");
    await using client = startScript("scripts/tls/echo_client.ts", {
      words: ["--port", peer.address, "--ca", ca],
      flags: (flag) =>
        flag.replace(/(?<=127\.0\.0\.1:)\d+/, peer.address)
          .replace("/tmp/lecture-tls/authority.pem", ca),
    });
    const code = await within("the client's end", client.ended, 30_000);
    peer.release();
    return { name, code, stdout: client.stdout, stderr: client.stderr };
  }));
  await Deno.remove(folder, { recursive: true });
  for (const { name, code, stdout, stderr } of results) {
    await test.step(name, () => {
      assertMatch(stderr, outcomes[name] ?? gone);
      assertEquals([code, stdout], [1, ""]);
      assertEquals(/^ +at .*|Uncaught/m.exec(stderr)?.[0], undefined);
    });
  }
});

/** Runs a lesson to its end; gives how it ended and what it said on stderr. */
async function outcome(path: string, port: number, ...words: string[]) {
  const ca = `${await Deno.makeTempDir({ prefix: "hostile-tls-" })}/authority.pem`;
  await Deno.writeTextFile(ca, (await createAuthority()).certificate);
  const trust = path.endsWith("echo_client.ts") ? ["--ca", ca] : [];
  await using script = startScript(path, {
    words: ["--port", `${port}`, ...trust, ...words],
    flags: (flag) =>
      flag.replace(/(?<=127\.0\.0\.1:)\d+/, `${port}`).replace(
        "/tmp/lecture-tls/authority.pem",
        ca,
      ),
  });
  const code = await within(`the end of ${path}`, script.ended, 20_000);
  await Deno.remove(ca.replace(/\/[^/]*$/, ""), { recursive: true });
  assertEquals(/^ +at .*|Uncaught/m.exec(script.stderr)?.[0], undefined);
  return { code, stderr: script.stderr };
}

Deno.test("tls/echo_client says that a name is none, instead of asking for it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await Promise.all(["a b", "[::1]", "127.1", "\x1b[2J"].map(async (name) => {
    const { code, stderr } = await outcome("scripts/tls/echo_client.ts", port, "--name", name);
    assertMatch(stderr, /^echo_client\.ts: ".*" is neither a host name nor an IP address/);
    assertEquals([code, stderr.includes("\x1b")], [2, false]);
  }));
  // a name that only certificates have
  const words = ["--name", "*.example.org"];
  const { code, stderr } = await outcome("scripts/tls/echo_client.ts", port, ...words);
  assertMatch(stderr, /cannot agree on TLS with \*\.example\.org: /);
  assertEquals(code, 1);
});

Deno.test("tls/echo_client says that a file of authorities holds none, before it connects", async () => {
  const folder = await Deno.makeTempDir({ prefix: "hostile-tls-" });
  const { certificate, key } = await createAuthority();
  const texts = [
    "",
    "hello\n",
    key,
    certificate.slice(0, 200),
    certificate.replace(/MII.*/, "AAAA"),
  ];
  const results = await Promise.all(texts.map(async (text, index) => {
    const ca = `${folder}/${index}.pem`;
    await Deno.writeTextFile(ca, text);
    await using client = startScript("scripts/tls/echo_client.ts", {
      words: ["--ca", ca],
      flags: (flag) => flag.replace("/tmp/lecture-tls/authority.pem", ca),
    });
    return [await within("its end", client.ended, 20_000), client.stderr] as const;
  }));
  await Deno.remove(folder, { recursive: true });
  for (const [code, stderr] of results) {
    assertMatch(
      stderr,
      /^echo_client\.ts: cannot read .*: it holds no certificate\nGive the auth.*\n$/,
    );
    assertEquals(code, 1);
  }
});

Deno.test("tls/refused says that its port is taken", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, stderr } = await outcome("scripts/tls/refused.ts", listener.addr.port);
  assertMatch(
    stderr,
    /^refused\.ts: cannot provoke .*: another program has that address already$/m,
  );
  assertEquals(code, 1);
});
