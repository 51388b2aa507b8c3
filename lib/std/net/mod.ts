/**
 * Stands in for `jsr:@std/net` where the JSR registry cannot be reached.
 *
 * @see https://jsr.io/@std/net
 * @module
 */
export * from "./get_available_port.ts";
