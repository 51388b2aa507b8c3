/**
 * Secrets come from the environment or from a prompt, never from an argument: arguments are seen by
 * everybody on the machine, and stay in the shell's history.
 *
 * @module
 */

import { promptSecret } from "@std/cli/prompt-secret";
import { UsageError } from "./usage.ts";

/**
 * A password from a variable of the environment, when it is set and may be read, else typed on the terminal.
 *
 * @throws {UsageError} when there is no terminal to ask on, or nothing was typed
 */
export async function password(variable: string, question: string): Promise<string> {
  const { state } = await Deno.permissions.query({ name: "env", variable });
  const set = state === "granted" ? Deno.env.get(variable) : undefined;
  if (set !== undefined) return set;
  const typed = promptSecret(question, { mask: "" });
  if (typed === null) {
    throw new UsageError(
      `there is no terminal to ask for the password: set ${variable}, and grant --allow-env=${variable}`,
    );
  }
  // Enter alone, or Ctrl-D: whoever means an empty one can set the variable
  if (typed === "") throw new UsageError("no password was typed");
  return typed;
}

/**
 * The password that clients of a server will have to give, from where {@linkcode password} has it.
 *
 * @param user whose password it is
 * @throws {UsageError} when it is empty, since anybody would be let in
 */
export async function passwordToGive(variable: string, user: string): Promise<string> {
  const secret = await password(variable, `Password that ${user} will have to give:`);
  if (secret !== "") return secret;
  throw new UsageError(`an empty password for ${user} would let anybody in: set ${variable}`);
}
