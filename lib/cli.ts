/**
 * From the command line to a lesson's `main` and back to an exit code: 0 success, 1 failure, 2 wrong usage.
 *
 * @module
 */

import { ActionError, explain } from "./errors.ts";
import { type Header, parseHeader } from "./header.ts";
import { help, renamed, usage } from "./help.ts";
import { type Parameter, parametersOf, UsageError, valueOf } from "./usage.ts";

export { help, usage };

/**
 * Runs a lesson: reads the options that its header declares, answers `--help`, calls `main` with them, and
 * puts what goes wrong in one sentence on stderr with the next step below it.
 *
 * The header is that of the script that was started. Its text comes by `import … with { type: "text" }`,
 * for which Deno asks no read permission, since the script is loaded already.
 *
 * @example
 * ```ts ignore
 * export function main({ port, message }: { port: number; message: string }) {
 *   console.log(`${message} to port ${port}`);
 * }
 * if (import.meta.main) await run(main);
 * ```
 */
export async function run<T extends object>(main: (options: T) => unknown): Promise<void> {
  const { default: source } = await import(Deno.mainModule, { with: { type: "text" } });
  const header = renamed(parseHeader(source), Deno.mainModule);
  const name = Deno.mainModule.split("/").at(-1)!;
  try {
    const words = Deno.args.includes("--")
      ? Deno.args.slice(0, Deno.args.indexOf("--"))
      : Deno.args;
    if (words.includes("--help") || words.includes("-h")) return console.log(help(header));
    await main(readCommandLine(Deno.args, header) as T);
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${name}: ${error.message}`);
      console.error(`usage: ${usage(header)}`);
      Deno.exit(2);
    }
    const { reason, next, partner } = explain(error);
    console.error(`${name}: ${reason}`);
    if (next) console.error(next);
    if (partner) nameThePartner(header);
    if (error instanceof Error && isBug(error)) console.error(error.stack);
    Deno.exit(1);
  }
}

/**
 * Reads a command line as the header's `@argument` and `@option` lines tell: one value per key, defaults
 * filled in.
 *
 * @throws {UsageError} for an unknown option, a missing or surplus argument, or a value of the wrong kind
 */
export function readCommandLine(
  words: readonly string[],
  header: Header,
): Record<string, unknown> {
  const parameters = parametersOf(header);
  const options = parameters.filter((parameter) => parameter.option);
  const given = split(words, options);
  const result: Record<string, unknown> = {};
  for (const option of options) {
    const values = given.options.get(option.key)?.map((one) => valueOf(option, one));
    if (option.value === "") result[option.key] = values !== undefined;
    else if (option.repeated) result[option.key] = values ?? [];
    else if (values) result[option.key] = values.at(-1);
    else if (option.fallback !== undefined) result[option.key] = valueOf(option, option.fallback);
  }
  const { rest } = given;
  for (const argument of parameters.filter((parameter) => !parameter.option)) {
    const mine = argument.repeated ? rest.splice(0) : rest.splice(0, 1);
    if (mine.length === 0 && !argument.optional) {
      throw new UsageError(`the argument ${argument.name} is missing`);
    }
    const values = mine.map((one) => valueOf(argument, one));
    if (argument.repeated) result[argument.key] = values;
    else if (values.length === 1) result[argument.key] = values[0];
    else if (argument.fallback !== undefined) {
      result[argument.key] = valueOf(argument, argument.fallback);
    }
  }
  if (rest.length > 0) throw new UsageError(`one argument too many: "${rest[0]}"`);
  return result;
}

interface Words {
  options: Map<string, string[]>;
  rest: string[];
}

/**
 * Tells options from arguments: `--name VALUE`, `--name=VALUE`, `--flag`, and `--` before arguments that
 * start with a dash. By hand, since Deno would download every npm package of the project for
 * `@std/cli`'s stand-in before a lesson's first line, and node:util's parser doubles the start-up.
 */
function split(words: readonly string[], options: Parameter[]): Words {
  const found: Words = { options: new Map(), rest: [] };
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") {
      found.rest = found.rest.concat(words.slice(at + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      found.rest.push(word);
      continue;
    }
    const [name, ...value] = word.split("=");
    const option = options.find((each) => each.name === name);
    if (!option) {
      const known = [...options.map((each) => each.name), "--help"].join(", ");
      throw new UsageError(
        `there is no option ${name}, only ${known}; write -- before an argument that starts with a dash`,
      );
    }
    if (option.value === "" && value.length > 0) throw new UsageError(`${name} takes no value`);
    const written = option.value === "" || value.length > 0 ? value.join("=") : words[++at];
    if (option.value !== "" && !written) {
      throw new UsageError(`${name} needs a ${option.value} after it`);
    }
    found.options.set(option.key, [...found.options.get(option.key) ?? [], written!]);
  }
  return found;
}

function nameThePartner(header: Header): void {
  const partner = header.tags.find((tag) => tag.name === "partner")?.text;
  if (!partner) return;
  console.error(`Start its partner first, in another terminal: ./${partner}`);
  const name = partner.replace(/^scripts\/|\.ts$/g, "");
  console.error(`(its deno run line: deno task lessons ${name})`);
}

/** A mistake in a script rather than in its surroundings: its place in the code helps. */
function isBug(error: Error): boolean {
  if (error instanceof ActionError || "code" in error) return false;
  return error instanceof TypeError || error instanceof ReferenceError;
}
