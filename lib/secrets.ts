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
 * @throws {UsageError} when there is no terminal to ask on
 */
export async function password(variable: string, question: string): Promise<string> {
  const { state } = await Deno.permissions.query({ name: "env", variable });
  const set = state === "granted" ? Deno.env.get(variable) : undefined;
  const secret = set ?? promptSecret(question, { mask: "" });
  if (secret === null) {
    throw new UsageError(
      `there is no terminal to ask for the password: set ${variable}, and grant --allow-env=${variable}`,
    );
  }
  return secret;
}
