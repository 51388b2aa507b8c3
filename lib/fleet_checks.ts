/**
 * Checks: what must hold on a machine, from a JSON file; as Testinfra's tests, which are Python.
 *
 * @module
 */

import { visible } from "./display.ts";
import { UsageError } from "./usage.ts";

/** One thing that must hold. */
export type Check =
  & {
    /** The group or host that it is for; all unless told. */
    on?: string;
  }
  & (
    | { file: string; exists?: boolean; mode?: string; contains?: string; content?: string }
    | { port: number | string; listening?: boolean }
    | { process: string; running?: boolean }
    | { command: string; exit?: number; prints?: string }
  );

/** Whether it holds, and what was found. */
export interface Finding {
  check: string;
  holds: boolean;
  found: string;
}

type Kind = "string" | "boolean" | "number" | "port" | "mode";

/** By their first key, which other keys a check may have. */
const KEYS: Record<string, Record<string, Kind>> = {
  file: { file: "string", exists: "boolean", mode: "mode", contains: "string", content: "string" },
  port: { port: "port", listening: "boolean" },
  process: { process: "string", running: "boolean" },
  command: { command: "string", exit: "number", prints: "string" },
};

const FITS: Record<Kind, [fits: (value: unknown) => boolean, wanted: string]> = {
  string: [(value) => typeof value === "string" && value !== "", "a text"],
  boolean: [(value) => typeof value === "boolean", "true or false"],
  number: [(value) => Number.isInteger(value), "a whole number"],
  port: [
    (value) =>
      typeof value === "string"
        ? /^\{\{\s*\w+\s*\}\}$/.test(value)
        : Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_535,
    "a number from 1 to 65535, or a variable as {{ port }}",
  ],
  mode: [
    (value) => typeof value === "string" && /^[0-7]{3,4}$/.test(value),
    'octal digits as a text: "644"',
  ],
};

/**
 * Reads a checks file: a JSON list of objects. What is not understood is refused, since a check that
 * is misspelt would else hold always.
 *
 * @throws {UsageError} with the number of the check that is wrong
 *
 * @example
 * ```ts
 * import { parseChecks } from "./fleet_checks.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(parseChecks('[{ "port": 22 }]'), [{ port: 22 }]);
 * assertThrows(() => parseChecks('[{ "prot": 22 }]'), Error, "check 1");
 * ```
 */
export function parseChecks(text: string): Check[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`the checks are no JSON: ${visible((error as Error).message)}`);
  }
  if (!Array.isArray(list) || list.length === 0 || list.length > 1_000) {
    throw new UsageError("the checks must be a JSON list of 1 to 1000 objects");
  }
  list.forEach((check, index) => {
    const fault = faultOf(check);
    if (fault) throw new UsageError(`check ${index + 1}: ${fault}`);
  });
  return list;
}

function faultOf(check: unknown): string | undefined {
  if (typeof check !== "object" || check === null || Array.isArray(check)) {
    return 'it must be an object, as { "port": 22 }';
  }
  const kinds = Object.keys(KEYS).filter((key) => Object.hasOwn(check, key));
  if (kinds.length !== 1) return `it needs one of ${Object.keys(KEYS).join(", ")}, and one only`;
  const known: Record<string, Kind> = { ...KEYS[kinds[0]!]!, on: "string" };
  for (const [key, value] of Object.entries(check)) {
    const kind = Object.hasOwn(known, key) ? known[key] : undefined;
    if (kind === undefined) {
      const all = Object.keys(known).join(", ");
      return `there is no "${visible(key).slice(0, 40)}" beside "${kinds[0]}", only ${all}`;
    }
    const [fits, wanted] = FITS[kind];
    if (!fits(value)) return `"${key}" must be ${wanted}`;
    // it becomes a part of a command line
    if (typeof value === "string" && key !== "content" && /[\0\r\n]/.test(value)) {
      return `"${key}" must be one line`;
    }
  }
  const { exists, mode, contains, content } = check as Record<string, unknown>;
  if (exists === false && (mode ?? contains ?? content) !== undefined) {
    return "a file that must not exist has no mode and no content";
  }
}

/** A check in words. */
export function describeCheck(check: Check): string {
  if ("file" in check) {
    const { file, exists, mode, contains, content } = check;
    if (exists === false) return `no file ${file}`;
    const more = [
      mode && `mode ${mode}`,
      contains && `containing "${contains}"`,
      content && "of given content",
    ];
    return [`file ${file}`, ...more.filter(Boolean)].join(", ");
  }
  if ("port" in check) return `port ${check.port} ${check.listening === false ? "closed" : "open"}`;
  if ("process" in check) return `${check.running === false ? "no " : ""}process ${check.process}`;
  return `command ${check.command}`;
}
