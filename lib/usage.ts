/**
 * What a lesson takes on its command line, read from the `@argument` and `@option` lines of its header:
 *
 *     @argument MESSAGE      the text to send
 *     @argument [FILE]       one that may be left out
 *     @argument NAME...      one or more; `[NAME...]` none or more
 *     @option   --port PORT  where it listens (default: 10000)
 *     @option   --json       one that takes no value
 *
 * The word in capitals says what kind of value it is: `PORT` a port, `COUNT`, `BYTES`, `SECONDS` and
 * `MILLISECONDS` numbers, anything else text. A timeout of 0 is refused, unless the line tells what 0 means.
 *
 * @module
 */

import type { Header, Tag } from "./header.ts";

/** An argument or option that a lesson takes. */
export interface Parameter {
  /** The name under which `main` gets it: `set-clock` becomes `setClock`, `MESSAGE` becomes `message`. */
  key: string;
  /** How it is written on the command line: `MESSAGE`, `--port`. */
  name: string;
  /** The word for its value, or `""` for an option that takes none. */
  value: string;
  text: string;
  /** The value when it is not given, as written in the header. */
  fallback?: string;
  option: boolean;
  optional: boolean;
  repeated: boolean;
}

const NUMBERS = ["COUNT", "BYTES", "SECONDS", "MILLISECONDS"];

/** Reads the parameters of a header, arguments and options in the order of their lines. */
export function parametersOf(header: Header): Parameter[] {
  return header.tags
    .filter((tag) => tag.name === "argument" || tag.name === "option")
    .map(parameterOf);
}

function parameterOf(tag: Tag): Parameter {
  const option = tag.name === "option";
  const form = option
    ? /^(--[a-z][a-z0-9-]*)(?: +([A-Z][A-Z0-9_:]*)(\.\.\.)?)?(?: {1,}(.*))?$/
    : /^\[?([A-Z][A-Z0-9_:-]*)(\.\.\.)?\]?(?: +(.*))?$/;
  const found = form.exec(tag.text);
  const [word] = tag.text.split(" ");
  if (!found || word!.startsWith("[") !== word!.endsWith("]")) {
    throw new SyntaxError(
      `line ${tag.line}: cannot read "@${tag.name} ${tag.text}": ` +
        (option ? "write @option --name VALUE  text" : "write @argument NAME  text"),
    );
  }
  const name = found[1]!;
  const value = option ? found[2] ?? "" : name;
  const text = (option ? found[4] : found[3]) ?? "";
  return {
    key: name.replace(/^--/, "").toLowerCase().replace(/[-_]+(\w)/g, (_, c) => c.toUpperCase()),
    name,
    value,
    text,
    fallback: /\(default: (.*)\)$/.exec(text)?.[1],
    option,
    optional: option || tag.text.startsWith("["),
    repeated: (option ? found[3] : found[2]) === "...",
  };
}

/** How a value is written becomes what `main` gets; throws {@linkcode UsageError} when it cannot. */
export function valueOf(parameter: Parameter, written: string): string | number {
  const { name, value, text } = parameter;
  if (value === "PORT") {
    const port = wholeNumber(written);
    if (port > 65_535) throw new UsageError(`${name} is a port from 0 to 65535, not "${written}"`);
    return port;
  }
  if (NUMBERS.includes(value)) {
    const number = wholeNumber(written);
    if (number === Infinity) {
      throw new UsageError(`${name} is a whole number of at least 0, not "${written}"`);
    }
    if (number === 0 && name.endsWith("timeout") && !/\b0\b/.test(text.replace(/\(.*\)/, ""))) {
      throw new UsageError(`${name} must be more than 0: in no time nothing comes`);
    }
    return number;
  }
  return written;
}

function wholeNumber(written: string): number {
  return /^\d{1,15}$/.test(written) ? Number(written) : Infinity;
}

/** The command line was wrong; the usage line is the next step, and the exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}
