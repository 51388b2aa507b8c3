/**
 * The addresses of a host, for a program that tells which of them it tries.
 *
 * @module
 */

/**
 * All addresses that the system knows for a name, when the program may connect to each of them, as with a bare
 * `--allow-net`. A grant of the name alone opens no address: then the name is all there is, and `Deno.connect`
 * tries its addresses in turn by itself. Never asks for a permission.
 *
 * @param port the port that is to be connected to
 * @throws {Error} with code `ENOTFOUND` or `EAI_AGAIN` when there is no such host
 *
 * @example
 * ```ts
 * import { addressesOf } from "./host_addresses.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await addressesOf("127.0.0.1", 80), ["127.0.0.1"]);
 * ```
 */
export async function addressesOf(host: string, port: number): Promise<string[]> {
  if (/^[\d.]+$|:/.test(host) || !await mayConnect(host)) return [host];
  // only here: Node's resolver takes 30 ms to load
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(host, { all: true });
  const addresses = [...new Set(found.map(({ address }) => address))];
  const allowed = await Promise.all(
    addresses.map((address) =>
      mayConnect(address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`)
    ),
  );
  return addresses.length > 0 && allowed.every(Boolean) ? addresses : [host];
}

async function mayConnect(host: string): Promise<boolean> {
  return (await Deno.permissions.query({ name: "net", host })).state === "granted";
}
