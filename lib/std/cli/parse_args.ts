/**
 * Stands in for `jsr:@std/cli/parse-args`: the same code from npm, with its types beside it.
 *
 * @see https://jsr.io/@std/cli/doc/parse-args
 * @module
 */
// @ts-types="./parse_args.d.ts"
export * from "npm:deno-std@1.4.0/cli/parse_args.js";
