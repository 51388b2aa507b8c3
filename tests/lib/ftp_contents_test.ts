import { assertEquals } from "@std/assert";
import { contents } from "../../lib/ftp_contents.ts";
import { concat, decode, encode, everyCut } from "./helpers.ts";

/** A file that gives its parts one by one. */
function fileOf(parts: Uint8Array[]) {
  const left = [...parts];
  return {
    seek: () => Promise.resolve(0),
    read(into: Uint8Array) {
      const part = left.shift();
      if (part) into.set(part);
      return Promise.resolve(part?.length ?? null);
    },
  };
}

async function sent(parts: Uint8Array[], binary: boolean): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of contents(fileOf(parts), 0, binary)) pieces.push(piece.slice());
  return decode(concat(...pieces));
}

Deno.test("contents ends each line in one CR LF, wherever the file is cut, or changes nothing", async () => {
  const text = "\nwindows\r\n\r\nunix\n\nold mac\rtwo\r\r\n\n\r";
  for (const parts of everyCut(encode(text))) {
    const lines = await sent(parts, false);
    assertEquals(lines, "\r\nwindows\r\n\r\nunix\r\n\r\nold mac\rtwo\r\r\n\r\n\r", String(parts));
    assertEquals(await sent(parts, true), text);
  }
});
