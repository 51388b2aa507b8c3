/**
 * Stands in for `jsr:@std/assert` where the JSR registry cannot be reached: the same code from npm,
 * with its types beside it.
 *
 * @see https://jsr.io/@std/assert
 * @module
 */
// @ts-types="./mod.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
