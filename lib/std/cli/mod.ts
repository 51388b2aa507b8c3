/**
 * Stands in for `jsr:@std/cli` where the JSR registry cannot be reached.
 *
 * @see https://jsr.io/@std/cli
 * @module
 */
export * from "./parse_args.ts";
export * from "./prompt_secret.ts";
