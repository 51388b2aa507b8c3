/**
 * How a client proves who it is: one way, the one that was asked for, so that no other secret is shown to a
 * server than the one meant for it.
 *
 * @module
 */

import { visible } from "./display.ts";
import { ActionError, explain } from "./errors.ts";
import type { Attempt, PrivateKey, Prompt, Settings } from "./ssh2.ts";
import { SshError } from "./ssh_errors.ts";

/** One way to log in. */
export type Login =
  /** Called once the server has proved that it is the right one. */
  | { password: () => string | Promise<string> }
  | { key: PrivateKey }
  /** The path of an agent's socket: `SSH_AUTH_SOCK`. */
  | { agent: string };

/**
 * Makes the library's `authHandler`. Python's paramiko, unless told otherwise, tries the agent and every key
 * in `~/.ssh` before the password.
 *
 * @param options.fail told why the login cannot succeed
 * @param options.alive told whenever a person or the server has answered
 */
export function authenticator(
  user: string,
  login: Login,
  { fail, alive }: { fail: (error: unknown) => void; alive: () => void },
): Settings["authHandler"] {
  const tried: string[] = [];
  let secret: string | undefined;
  let answered = false;

  const attempt = async (left: string[] | null): Promise<Attempt | false> => {
    const way = next(login, tried, left);
    if (!way) throw refusal(user, login, tried, left);
    tried.push(way);
    if ("key" in login) return { type: "publickey", username: user, key: login.key };
    if ("agent" in login) return { type: "agent", username: user, agent: login.agent };
    secret ??= await login.password();
    if (way === "password") return { type: "password", username: user, password: secret };
    return { type: "keyboard-interactive", username: user, prompt: answer };
  };

  /**
   * Many servers ask for the password as one hidden question; any other question has no answer here. One that
   * follows is another, as for a new password or a code, however hidden it is.
   */
  const answer = (
    _name: string,
    _text: string,
    _language: string,
    prompts: Prompt[],
    finish: (answers: string[]) => void,
  ) => {
    const [first] = prompts;
    if (prompts.length === 1 && !first!.echo && !answered) {
      answered = true;
      return finish([secret!]);
    }
    const questions = prompts.map(({ prompt }) => visible(prompt).slice(0, 80)).join(" ");
    fail(new SshError(`it asks for more than a password: ${questions}`, "Try --key or --agent."));
  };

  return (left, partial, next) => {
    alive();
    if (partial) {
      fail(new SshError(`one proof is not enough for it: it wants ${list(left)} besides`));
      return next(false);
    }
    attempt(left).then((found) => {
      alive();
      next(found);
    }, (error) => {
      fail(error);
      next(false);
    });
  };
}

/** The method to try, if there is one left that the server takes. */
function next(login: Login, tried: string[], left: string[] | null): string | undefined {
  const methods = "password" in login ? ["password", "keyboard-interactive"] : ["publickey"];
  return methods.find((method) => !tried.includes(method) && (left?.includes(method) ?? true));
}

function refusal(user: string, login: Login, tried: string[], left: string[] | null): Error {
  // the library does not hand on what the server says to an agent's keys
  if (left === null && "agent" in login) {
    return new SshError(
      `it accepts none of the agent's keys for ${user}`,
      "ssh-add -l lists them; the public part of one must stand in ~/.ssh/authorized_keys there.",
    );
  }
  const ways = left ?? [];
  if (!ways.some((way) => tried.includes(way))) {
    return new SshError(
      `it lets nobody in by ${tried[0]}, only by ${list(ways)}`,
      ways.includes("publickey") ? "Try --key or --agent." : "Try without --key and --agent.",
    );
  }
  if ("password" in login) {
    return new SshError(`it does not accept this password for ${user}, or ${user} may not enter`);
  }
  return new SshError(
    `it does not accept this key for ${user}`,
    "The public key must stand in ~/.ssh/authorized_keys there (ssh-copy-id puts it there).",
  );
}

const list = (methods: string[] | null) => visible(methods?.join(", ") || "nothing").slice(0, 200);

/**
 * Makes sure that an agent is there: the library would not tell why it cannot be reached.
 *
 * @throws {SshError} with the reason
 * @throws {ActionError} when Deno was not given the permission
 */
export async function requireAgent(path: string): Promise<void> {
  const action = `connect to the SSH agent ${path}`;
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw new ActionError(action, error);
    throw new SshError(
      `cannot ${action}: ${explain(error).reason}`,
      "Start one, and give it a key: eval $(ssh-agent); ssh-add KEY_FILE",
    );
  }
}
