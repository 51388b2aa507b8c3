/**
 * What a URL leads to, put into a file of a folder, with every step limited: a stranger chose the URL.
 *
 * @module
 */

import { after } from "./deadline.ts";
import { isPrivate } from "./private_address.ts";
import { fetchFollowing, RefusedUrl } from "./redirects.ts";
import { safeName } from "./safe_name.ts";

/** Limits of {@linkcode saveUrl}. */
export interface SaveOptions {
  /** The folder; it is made when it is not there. */
  folder: string;
  /** The most bytes; 10 MiB unless told. */
  limit?: number;
  /** How long all of it may take, in milliseconds; 60,000 unless told. */
  timeout?: number;
  /** How many redirects are followed; 5 unless told. */
  redirects?: number;
  /** Whether addresses of one's own network are fetched from. */
  allowPrivate?: boolean;
}

export { RefusedUrl };

/** Where a file was put. */
export interface Saved {
  path: string;
  bytes: number;
  type: string;
}

/**
 * Fetches a text or an image by http or https into a new file. A file that is there is never written over:
 * `name.txt` becomes `name (2).txt`. When something goes wrong no file stays.
 *
 * A name is looked up here to see whether it leads into one's own network, and again by `fetch`: someone
 * who controls the name's DNS can answer differently the second time. What Deno may connect to at all is
 * set by `--allow-net`.
 *
 * @throws {RefusedUrl} for another scheme, a private address, a wrong type, too many bytes or redirects
 */
export async function saveUrl(text: string, options: SaveOptions): Promise<Saved> {
  const { limit = 10 * 1024 * 1024, timeout = 60_000 } = options;
  const late = new AbortController();
  using _deadline = after(timeout, () => {
    late.abort(new RefusedUrl(`it took longer than ${timeout / 1000} s`));
  });
  const { response, url } = await fetchFollowing(text, {
    redirects: options.redirects,
    signal: late.signal,
    check: (url) => options.allowPrivate || refusePrivate(url.hostname),
  });
  const type = response.headers.get("content-type") ?? "";
  try {
    if (!response.ok) throw new RefusedUrl(`the server answered ${response.status}`);
    if (!/^(text|image)\//i.test(type)) {
      throw new RefusedUrl(`"${type}" is neither text nor an image`);
    }
    if (Number(response.headers.get("content-length") ?? 0) > limit) {
      throw new RefusedUrl(`it has more than ${limit} bytes`);
    }
    await Deno.mkdir(options.folder, { recursive: true });
    const { file, path } = await newFile(options.folder, safeName(url, type));
    const bytes = await keep(response, file, limit).catch(async (error) => {
      await Deno.remove(path);
      throw error;
    });
    return { path, bytes, type };
  } finally {
    if (!response.bodyUsed) await response.body?.cancel();
  }
}

async function refusePrivate(hostname: string): Promise<void> {
  const literal = hostname.startsWith("[") || /^[\d.]+$/.test(hostname);
  const local = /(^|\.)localhost\.?$/i.test(hostname);
  const addresses = literal ? [hostname] : local ? ["127.0.0.1"] : await addressesOf(hostname);
  if (addresses.some(isPrivate)) {
    throw new RefusedUrl(`${hostname} is in a private network (--allow-private permits it)`);
  }
}

async function addressesOf(hostname: string): Promise<string[]> {
  const answers = await Promise.allSettled([
    Deno.resolveDns(hostname, "A"),
    Deno.resolveDns(hostname, "AAAA"),
  ]);
  const found = answers.flatMap((answer) => answer.status === "fulfilled" ? answer.value : []);
  const denied = answers.find((answer) =>
    answer.status === "rejected" && answer.reason instanceof Deno.errors.NotCapable
  );
  if (denied?.status === "rejected") throw denied.reason;
  if (found.length === 0) throw new RefusedUrl(`no address is known for ${hostname}`);
  return found;
}

async function newFile(folder: string, name: string): Promise<{ file: Deno.FsFile; path: string }> {
  const dot = name.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  for (let number = 1; number <= 1_000; number++) {
    const path = `${folder}/${stem}${number === 1 ? "" : ` (${number})`}${ending}`;
    try {
      return { file: await Deno.open(path, { write: true, createNew: true }), path };
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
  throw new RefusedUrl(`there are a thousand files named ${name} already`);
}

/** Writes a body to a file as it comes; the file is closed in the end. */
async function keep(response: Response, file: Deno.FsFile, limit: number): Promise<number> {
  using target = file;
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > limit) throw new RefusedUrl(`it has more than ${limit} bytes`);
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await target.write(rest));
  }
  return bytes;
}
