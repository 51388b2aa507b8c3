/**
 * Endpoints in one way of writing: `127.0.0.1:80`, `[::1]:80`, `localhost:80`, `unix:/tmp/echo.sock`.
 *
 * @module
 */

/** Where a TCP or UDP socket is: a name or IP address, and a port. */
export interface NetEndpoint {
  hostname: string;
  port: number;
}

/** Where a Unix domain socket is. */
export interface UnixEndpoint {
  transport: "unix";
  path: string;
}

/** One end of a conversation, over the network or on this machine. */
export type Endpoint = NetEndpoint | UnixEndpoint;

/**
 * Reads an endpoint. An IPv6 address stands in brackets, since it has colons of its own
 * ({@link https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2 RFC 3986, 3.2.2}).
 *
 * @throws {SyntaxError} that shows what was given and how an endpoint is written
 *
 * @example
 * ```ts
 * import { parseEndpoint } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseEndpoint("[::1]:80"), { hostname: "::1", port: 80 });
 * assertEquals(parseEndpoint("unix:/tmp/a.sock"), { transport: "unix", path: "/tmp/a.sock" });
 * ```
 */
export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith("unix:") && text.length > 5) {
    return { transport: "unix", path: text.slice(5) };
  }
  const found = /^(?:\[([0-9a-fA-F]*:[0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(
    text,
  );
  const port = Number(found?.[3]);
  if (!found || port > 65_535) {
    throw new SyntaxError(
      `cannot read the endpoint "${text}": write HOST:PORT, [IPV6]:PORT or unix:/PATH, ` +
        "with a port from 0 to 65535",
    );
  }
  return { hostname: (found[1] ?? found[2])!, port };
}

/**
 * Writes an endpoint, or the address of a Deno socket, as {@linkcode parseEndpoint} reads it.
 *
 * @example
 * ```ts
 * import { formatEndpoint } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatEndpoint({ hostname: "::1", port: 80 }), "[::1]:80");
 * ```
 */
export function formatEndpoint(endpoint: Endpoint | Deno.Addr): string {
  if ("path" in endpoint) return `unix:${endpoint.path}`;
  if (!("hostname" in endpoint)) return `vsock:${endpoint.cid}:${endpoint.port}`;
  const { hostname, port } = endpoint;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
