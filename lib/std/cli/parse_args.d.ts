/** What {@linkcode parseArgs} found. */
export type Args<
  // deno-lint-ignore no-explicit-any -- the real package's own signature
  TArgs extends Record<string, unknown> = Record<string, any>,
> = TArgs & {
  /** The arguments that no option claimed. */
  _: Array<string | number>;
};

/** How {@linkcode parseArgs} reads a command line. */
export interface ParseOptions {
  /** Names with the other names that mean the same. */
  alias?: Record<string, string | readonly string[]>;
  /** Names that take no value. */
  boolean?: boolean | string | readonly string[];
  /** Names that may be given more than once. */
  collect?: string | readonly string[];
  /** Values of options that are not given. */
  default?: Record<string, unknown>;
  /** Names whose value stays a string; `_` keeps the arguments strings. */
  string?: string | readonly string[];
  /** Whether all that follows the first argument is an argument. */
  stopEarly?: boolean;
  /** Called with what no option defines; `false` leaves it out of the result. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Reads options and arguments from a list of words such as `Deno.args`. */
export function parseArgs(args: readonly string[], options?: ParseOptions): Args;
