import { assertEquals } from "@std/assert";
import { SocketReader } from "../../lib/reader.ts";

const MODULE = new URL("../../lib/shutdown.ts", import.meta.url);

/** Starts a script that begins with `import { onInterrupt }`. */
function start(body: string) {
  const code = `import { onInterrupt } from "${MODULE}";\n${body}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    stdout: "piped",
  }).spawn();
  const output = child.stdout.getReader({ mode: "byob" });
  const reader = new SocketReader({
    async read(into) {
      const { value, done } = await output.read(new Uint8Array(into.length));
      if (done) return null;
      into.set(value);
      return value.length;
    },
  });
  return { child, reader };
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`onInterrupt stops the script, which exits with 0, at ${signal}`, async () => {
    const { child, reader } = start(`
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      using _stopping = onInterrupt(() => {
        console.log("stopping");
        listener.close();
      });
      console.log("listening");
      await listener.accept().catch(() => console.log("closed"));`);
    assertEquals(await reader.readLine(), "listening");
    child.kill(signal);
    assertEquals(await reader.readLine(), "stopping");
    assertEquals(await reader.readLine(), "closed");
    assertEquals(await reader.readLine(), null);
    assertEquals((await child.status).code, 0);
  });

  Deno.test(`onInterrupt ends what is still running after the grace period at ${signal}`, async () => {
    const { child, reader } = start(`
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      onInterrupt(() => console.log("stopping"), { grace: 20 });
      console.log("listening");
      await listener.accept();`);
    assertEquals(await reader.readLine(), "listening");
    child.kill(signal);
    assertEquals(await reader.readLine(), "stopping");
    assertEquals(await reader.readLine(), null);
    assertEquals((await child.status).code, 0);
  });
}

Deno.test("onInterrupt ends the script at once at a second Ctrl-C", async () => {
  const { child, reader } = start(`
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    onInterrupt(() => console.log("stopping"), { grace: 600_000 });
    console.log("listening");
    await listener.accept();`);
  assertEquals(await reader.readLine(), "listening");
  child.kill("SIGINT");
  assertEquals(await reader.readLine(), "stopping");
  child.kill("SIGINT");
  assertEquals(await reader.readLine(), null);
  assertEquals((await child.status).code, 0);
});

Deno.test("onInterrupt keeps no script alive when its work is done", async () => {
  const { child, reader } = start(`onInterrupt(() => {}); console.log("done");`);
  assertEquals([await reader.readLine(), await reader.readLine()], ["done", null]);
  assertEquals((await child.status).code, 0);
});

Deno.test("onInterrupt leaves signals to others when it is disposed", async () => {
  const { child, reader } = start(`
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    onInterrupt(() => console.log("not reached"))[Symbol.dispose]();
    console.log("listening");
    await listener.accept();`);
  assertEquals(await reader.readLine(), "listening");
  child.kill("SIGTERM");
  assertEquals(await reader.readLine(), null);
  assertEquals((await child.status).signal, "SIGTERM");
});
