/**
 * Downloads with nothing but fetch: URL FILE.
 *
 * @module
 */

const [url, path] = Deno.args as [string, string];
const response = await fetch(url);
const file = await Deno.open(path, { write: true, create: true, truncate: true });
await response.body!.pipeTo(file.writable);
