import { assertEquals, assertMatch } from "@std/assert";
import { requireGivenPort } from "../../lib/require_net.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

for (const script of ["framing", "blocking", "many_clients_workers"]) {
  Deno.test(`tcp/${script} asks for the whole host when port 0 alone is granted`, async () => {
    const words = [`${ROOT}scripts/tcp/${script}.ts`, "--port", "0"];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-net=127.0.0.1:0", ...words],
      stdin: "null",
    }).output();
    const text = new TextDecoder().decode(stderr);
    assertMatch(
      text,
      /cannot use 127\.0\.0\.1:(\d+): port 0 became \1, .*\nGrant the whole host, --allow-net=127\.0\.0\.1, or name a --port\.\n$/,
    );
    assertEquals(code, 1);
  });
}

Deno.test("requireGivenPort asks for nothing when the port was named", async () => {
  await requireGivenPort({ hostname: "127.0.0.1", port: 80 }, 80);
});
