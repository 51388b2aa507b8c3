/**
 * Starting a program, and what to do when it cannot be started.
 *
 * @module
 */

import { ActionError, attempt } from "./errors.ts";

/**
 * Calls `start`; when it fails, the error says which program could not be started, and what to do next.
 *
 * @throws {ActionError} with the reason and the next step
 *
 * @example
 * ```ts
 * import { startProgram } from "./start_program.ts";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(
 *   () => startProgram("/etc/passwd", () => new Deno.Command("/etc/passwd").spawn()),
 *   Error,
 *   "cannot start /etc/passwd: the operating system does not permit it",
 * );
 * ```
 */
export async function startProgram<T>(program: string, start: () => T): Promise<T> {
  try {
    return await attempt(`start ${program}`, start);
  } catch (error) {
    if (error instanceof ActionError) {
      if (error.cause instanceof Deno.errors.PermissionDenied) {
        error.explanation.next = "Name a program: a file that you may execute, not a folder.";
      } else if (error.cause instanceof Deno.errors.NotFound) {
        error.explanation.next = "Check its name, or give its path.";
      }
    }
    throw error;
  }
}
