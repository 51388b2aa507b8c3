/**
 * Stands in for `jsr:@std/cli/prompt-secret`: the same code from npm, with its types beside it.
 *
 * @see https://jsr.io/@std/cli/doc/prompt-secret
 * @module
 */
// @ts-types="./prompt_secret.d.ts"
export * from "npm:deno-std@1.4.0/cli/prompt_secret.js";
