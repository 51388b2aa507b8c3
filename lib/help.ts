/**
 * What a lesson says of how it is run: the usage line, and the text of `--help`.
 *
 * @module
 */

import type { Header } from "./header.ts";
import { type Parameter, parametersOf } from "./usage.ts";

/**
 * The header of a script under the name that it has: a copy with another name then tells how the copy is
 * run, not the original.
 *
 * @param module the script's URL
 */
export function renamed(header: Header, module: string): Header {
  const root = new URL("../", import.meta.url).href;
  const written = header.tags.find(({ name }) => name === "run")?.text.match(/\S+\.ts\b/)?.[0];
  if (!written || !module.startsWith(root) || module === root + written) return header;
  const own = module.slice(root.length);
  const tags = header.tags.map((tag) => ({ ...tag, text: tag.text.replaceAll(written, own) }));
  return { ...header, tags };
}

/** The usage line: flags, script, arguments and options; unless it is to be full, many are left to `--help`. */
export function usage(header: Header, options: { full?: boolean } = {}): string {
  const command = header.tags.find((tag) => tag.name === "run")?.text ?? "";
  const start = /^.*?\.ts\b/.exec(command)?.[0] ?? "deno run script.ts";
  const parameters = parametersOf(header);
  const many = !options.full && parameters.filter(({ option }) => option).length > 4;
  const words = parameters.filter(({ option }) => !option || !many).map((parameter) => {
    const { name, option, value, optional, repeated } = parameter;
    const form = (option && value ? `${name} ${value}` : name) + (repeated ? "..." : "");
    return optional ? `[${form}]` : form;
  });
  return [start, ...words, ...(many ? ["[OPTION...] (--help tells them)"] : [])].join(" ");
}

/** What `--help` prints: all that the header says of running the script. */
export function help(header: Header): string {
  const parameters = parametersOf(header);
  const form = ({ name, option, value }: Parameter) => option && value ? `${name} ${value}` : name;
  const width = Math.max(...parameters.map((parameter) => form(parameter).length));
  const examples = header.tags.filter((tag) => tag.name === "run" || tag.name === "online");
  const partners = header.tags.filter((tag) => tag.name === "partner");
  const clients = new Set(
    header.tags.filter(({ name }) => name === "client").map(({ text }) => text),
  );
  return [
    header.title,
    "",
    ...(header.description ? [header.description, ""] : []),
    `usage: ${usage(header, { full: true })}`,
    ...parameters.map((parameter) => `  ${form(parameter).padEnd(width)}  ${parameter.text}`),
    ...(partners.length > 0 ? ["", "start first, in another terminal:"] : []),
    ...partners.map((tag) => `  ./${tag.text}`),
    "",
    "examples:",
    ...examples.map((tag) => `  ${tag.text}`),
    ...(clients.size > 0 ? ["", "then, in another terminal:"] : []),
    ...[...clients].map((command) => `  ${command}`),
  ].join("\n");
}
