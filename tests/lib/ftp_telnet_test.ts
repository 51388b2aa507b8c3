import { assertEquals } from "@std/assert";
import { withoutTelnet } from "../../lib/ftp_telnet.ts";
import { SocketReader } from "../../lib/reader.ts";
import { concat, encode, everyCut, readAll } from "./helpers.ts";

async function heard(parts: Uint8Array[]) {
  const source = SocketReader.from(parts);
  const refusals: number[] = [];
  const text = await readAll(withoutTelnet({
    read: (into) => source.read(into),
    write: (bytes) => Promise.resolve(refusals.push(...bytes)),
  }));
  return { text: [...text], refusals };
}

Deno.test("withoutTelnet takes commands out and refuses options, wherever they are cut", async () => {
  const said = concat(
    encode("AB"),
    Uint8Array.of(255, 244, 255, 242), // interrupt process, data mark
    encode("OR"),
    Uint8Array.of(255, 253, 10, 255, 251, 1), // DO 10, WILL ECHO
    Uint8Array.of(255, 254, 3, 255, 252, 3), // DONT and WONT are what is the case anyway
    Uint8Array.of(255, 250, 24, 0, 10, 255, 255, 65, 255, 240), // a subnegotiation
    Uint8Array.of(255, 255),
    encode("\r\n"),
  );
  for (const parts of everyCut(said)) {
    assertEquals(await heard(parts), {
      text: [...encode("ABOR"), 255, 13, 10],
      refusals: [255, 252, 10, 255, 254, 1],
    });
  }
});

Deno.test("withoutTelnet ends when the stream ends inside a command", async () => {
  for (const end of [[255], [255, 253], [255, 250, 1], [255, 250, 255]]) {
    assertEquals(await heard([encode("x"), Uint8Array.from(end)]), { text: [120], refusals: [] });
  }
});
