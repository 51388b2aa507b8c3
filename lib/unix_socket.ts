/**
 * The file of a Unix socket. It stays behind when a server is killed, and the next server then cannot
 * listen on that path.
 *
 * @module
 */

import { attempt } from "./errors.ts";

/**
 * Removes the socket file at `path` when no server listens on it any more. A file that is no socket is left
 * alone, as is a socket that answers: listening there then fails as it should.
 *
 * Needs read, write and net permission for the path.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const action = `look at the socket ${path}`;
  const socket = await attempt(action, isSocket(path));
  if (!socket) return;
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

async function isSocket(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isSocket ?? false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
