import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { DeadlineError } from "../../lib/deadline.ts";
import { ActionError, attempt, explain } from "../../lib/errors.ts";
import { freePort } from "../../lib/runner/free_port.ts";
import { temporaryFolder } from "./helpers.ts";

/** What a call throws. */
async function thrown(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

Deno.test("explain puts in words what the operating system says", async () => {
  using folder = temporaryFolder();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const missing = `${folder.path}/missing`;
  using socket = {
    conn: Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }),
    [Symbol.dispose]() {
      this.conn.close();
    },
  };
  const { conn } = socket;
  const cases: [call: () => unknown, reason: string][] = [
    [() => Deno.connect({ transport: "unix", path: missing }), "there is no such file"],
    [
      () => Deno.connect({ transport: "unix", path: "x".repeat(108) }),
      "a socket path has at most 107 bytes",
    ],
    [
      () => Deno.listen({ transport: "unix", path: "x".repeat(108) }),
      "a socket path has at most 107 bytes",
    ],
    [
      () => Deno.listen({ hostname: "127.0.0.1", port }),
      "another program has that address already",
    ],
    [
      () => Deno.listen({ hostname: "192.0.2.1", port: 0 }),
      "this machine does not have that address",
    ],
    [() => Deno.connect({ hostname: "no-such-host.invalid", port: 80 }), "no such host is known"],
    [
      () => conn.send(new Uint8Array(65_508), conn.addr),
      "a UDP datagram carries at most 65,507 bytes",
    ],
  ];
  for (const [call, reason] of cases) {
    const explanation = explain(await thrown(call));
    assertEquals(explanation.reason, reason);
    assertEquals(explanation.partner, undefined);
  }
});

Deno.test("explain names the partner when a socket file is missing, not when another file is", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/missing`;
  const cause = await thrown(() => Deno.connect({ transport: "unix", path }));
  assertEquals(explain(new ActionError(`connect to ${path}`, cause)).partner, true);
  assertEquals(explain(new ActionError(`read ${path}`, cause)).partner, undefined);
});

Deno.test("explain names the partner as next step when nothing is listening", async () => {
  const port = freePort();
  assertEquals(explain(await thrown(() => Deno.connect({ hostname: "127.0.0.1", port }))), {
    reason: "connection refused, nothing is listening there",
    partner: true,
  });
});

Deno.test("explain tells that the other side is gone when it has closed", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  const client = await Deno.connect({ hostname, port });
  using server = await listener.accept();
  await server.write(new Uint8Array(2));
  await client.read(new Uint8Array(1));
  client.close();
  const error = await thrown(async () => {
    for (;;) await server.write(new Uint8Array(1));
  });
  const reasons = [
    "the other side has already closed the connection",
    "the other side reset the connection",
  ];
  assert(reasons.includes(explain(error).reason), String(error));
});

Deno.test("explain suggests no flag that would grant everything when Deno keeps a file from scripts", () => {
  const message = 'Requires all access to "/proc/version", run again with the --allow-all flag';
  assertEquals(explain(new Deno.errors.NotCapable(message)), {
    reason: "Deno keeps /proc/version from scripts",
    next: "Take another file.",
  });
});

Deno.test("explain names the flag when a permission is missing", async () => {
  const cases: [script: string, flag: string][] = [
    [`await Deno.connect({ hostname: "127.0.0.1", port: 9 })`, "--allow-net=127.0.0.1:9"],
    [`Deno.listen({ hostname: "127.0.0.1", port: 8080 })`, "--allow-net=127.0.0.1:8080"],
    [`Deno.env.get("TOKEN")`, "--allow-env=TOKEN"],
    [`Deno.readTextFileSync("/etc/hosts")`, "--allow-read=/etc/hosts"],
    [`Deno.hostname()`, "--allow-sys=hostname"],
    [`new Deno.Command("ls").outputSync()`, "--allow-run=ls"],
  ];
  const module = new URL("../../lib/errors.ts", import.meta.url);
  const script = [
    `import { explain } from "${module}";`,
    ...cases.map(([call]) =>
      `try { ${call} } catch (error) { console.log(JSON.stringify(explain(error))); }`
    ),
  ].join("\n");
  const args = [
    "run",
    "--no-prompt",
    "--no-config",
    `data:application/typescript,${encodeURIComponent(script)}`,
  ];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  const expected = cases.map(([, flag]) =>
    JSON.stringify({
      reason: `Deno was not given ${flag}`,
      next: `Start it with deno run, and ${flag} before the script's name.`,
    })
  );
  assertEquals(lines, expected, new TextDecoder().decode(stderr));
});

Deno.test("explain leaves other errors in their own words", () => {
  assertEquals(explain(new RangeError("too wide")), { reason: "too wide" });
  assertEquals(explain("thrown text"), { reason: "thrown text" });
  assertEquals(explain(undefined), { reason: "undefined" });
  assertEquals(explain(null), { reason: "null" });
});

Deno.test("explain keeps the next step of what an ActionError was caused by", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const cause = await thrown(() =>
    Deno.listen({ hostname: "127.0.0.1", port: listener.addr.port })
  );
  const error = new ActionError("listen", cause);
  assertStrictEquals(error.cause, cause);
  assertEquals(error.message, "cannot listen: another program has that address already");
  assertEquals(explain(error), { ...explain(cause), reason: error.message });
  const outer = new ActionError("serve", error);
  assertEquals(explain(outer).reason, `cannot serve: ${error.message}`);
  assertEquals(explain(outer).next, explain(cause).next);
});

Deno.test("attempt gives what its work gives, and names the action when it fails", async () => {
  assertEquals(await attempt("count", () => 3), 3);
  assertEquals(await attempt("count", Promise.resolve(3)), 3);
  const works = [
    () => {
      throw new Error("no fingers");
    },
    Promise.reject(new Error("no fingers")),
    () => Promise.reject(new Error("no fingers")),
  ];
  for (const work of works) {
    await assertRejects(() => attempt("count", work), ActionError, "cannot count: no fingers");
  }
});

Deno.test("attempt gives up when the time is up, for a promise and a function that makes one", async () => {
  const never = new Promise<void>(() => {});
  for (const work of [never, () => never]) {
    const error = await assertRejects(() => attempt("wait", work, { timeout: 5 }), ActionError);
    assertEquals(error.message, "cannot wait: nothing came within 0.005 s");
    assert(error.cause instanceof DeadlineError);
  }
});

Deno.test("attempt closes what comes too late", async () => {
  const late = Promise.withResolvers<Deno.Listener>();
  await assertRejects(() => attempt("listen", late.promise, { timeout: 1 }), ActionError);
  // the leak check fails if this listener stays open
  late.resolve(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  await late.promise;
});
