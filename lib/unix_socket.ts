/**
 * The file of a Unix socket. It stays behind when a server is killed, and the next server then cannot
 * listen on that path.
 *
 * @module
 */

import { attempt } from "./errors.ts";

/**
 * Removes the socket file at `path` when no server listens on it any more. A socket that answers is left
 * alone: listening there then fails as it should.
 *
 * Needs read, write and net permission for the path.
 *
 * @throws {ActionError} when a file that is no socket has that name
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const action = `look at the socket ${path}`;
  if (!await attempt(action, () => isSocket(path))) return;
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) {
      await attempt(`remove the stale socket ${path}`, Deno.remove(path));
    } else if (error instanceof Deno.errors.NotCapable) {
      await attempt(action, Promise.reject(error));
    }
  }
}

/** Whether a socket is there; false when nothing is. */
async function isSocket(path: string): Promise<boolean> {
  try {
    const { isSocket } = await Deno.lstat(path);
    if (!isSocket) throw new Error("a file that is no socket has that name, choose another");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
