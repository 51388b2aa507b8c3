import { assertEquals, assertRejects } from "@std/assert";
import { ActionError } from "../../lib/errors.ts";
import { connect, serve } from "../../lib/tcp.ts";
import { removeStaleSocket } from "../../lib/unix_socket.ts";
import { leaveStaleSocket, temporaryFolder } from "./helpers.ts";

const answer = () => {};

Deno.test("serve replaces the file of a Unix socket when no server is behind it", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/socket`;
  await leaveStaleSocket(path);
  for (let time = 0; time < 2; time++) {
    await using _server = await serve({ transport: "unix", path }, answer);
    using client = await connect({ transport: "unix", path });
    assertEquals(await client.read(new Uint8Array(1)), null);
  }
});

Deno.test("serve refuses a Unix socket when another server is behind it, which goes on", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/socket`;
  await using _server = await serve({ transport: "unix", path }, answer);
  await assertRejects(
    () => serve({ transport: "unix", path }, answer),
    ActionError,
    `cannot listen on unix:${path}: another program has that address already`,
  );
  using client = await connect({ transport: "unix", path });
  assertEquals(await client.read(new Uint8Array(1)), null);
});

Deno.test("serve leaves a file alone when it is no socket", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/file`;
  await Deno.writeTextFile(path, "precious");
  await assertRejects(
    () => serve({ transport: "unix", path }, answer),
    ActionError,
    `cannot look at the socket ${path}: a file that is no socket has that name`,
  );
  assertEquals(await Deno.readTextFile(path), "precious");
});

Deno.test("removeStaleSocket does not follow a link when it names a stale socket", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/socket`, link = `${folder.path}/link`;
  await leaveStaleSocket(path);
  await Deno.symlink(path, link);
  await assertRejects(() => removeStaleSocket(link), ActionError, "no socket");
  assertEquals((await Deno.lstat(link)).isSymlink, true);
  assertEquals((await Deno.lstat(path)).isSocket, true);
});

Deno.test("removeStaleSocket does nothing when there is no file", async () => {
  using folder = temporaryFolder();
  await removeStaleSocket(`${folder.path}/none`);
});
