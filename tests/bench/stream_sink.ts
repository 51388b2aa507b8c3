/** Takes from a server for so many milliseconds, and prints how much came in a second. */

const [port, milliseconds] = Deno.args.map(Number);
using connection = await Deno.connect({ hostname: "127.0.0.1", port: port! });
const buffer = new Uint8Array(64 * 1024);
await connection.read(buffer);
const began = performance.now();
let bytes = 0;
let passed = 0;
for (; passed < milliseconds!; passed = performance.now() - began) {
  const count = await connection.read(buffer);
  if (count === null) break;
  bytes += count;
}
console.log(JSON.stringify({ rate: bytes / passed * 1_000 }));
