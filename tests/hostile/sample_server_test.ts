/** The web server that others download from, when its clients are bad to it. */
import { assertEquals, assertMatch } from "@std/assert";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { exchange, httpAttacks } from "./http_attacks.ts";
import { anyPort, besiege, type Subject } from "./siege.ts";

// these two expect the answers of a server that takes bodies
const {
  "clients announce more than may come, and send it": _body,
  "clients name hosts and paths that are none": _paths,
  ...theirs
} = httpAttacks;

const subject: Subject<Target & { port: string }> = {
  path: "scripts/http/sample_server.ts",
  attacks: {
    ...attacks,
    ...theirs,
    "clients name a host that is none": async (target) => {
      for (const host of [`Host: a b<>"\r\n`, "Host:\r\n", "Host: x/notes.txt?\r\n", ""]) {
        const request = `GET /notes.txt HTTP/1.1\r\n${host}\r\n`;
        const answer = await exchange(target, request, { until: /\r\n\r\n/ });
        assertMatch(answer, /^HTTP\/1\.1 400 /, host);
      }
    },
    "clients ask for a part that is none": async ({ port }) => {
      for (
        const range of ["bytes=9-1", "bytes=-0", "bytes=1-2,4-5", "bytes=99999999999999-", "x"]
      ) {
        using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
        const response = await fetch(`http://127.0.0.1:${port}/numbers.bin`, {
          headers: { range },
          client,
        });
        await response.bytes();
        assertEquals(
          [200, 206, 416].includes(response.status),
          true,
          `${range}: ${response.status}`,
        );
      }
    },
  },
  target: (address) => ({ ...tcpTarget(Number(address)), port: address }),
  async goodClient({ port }) {
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    const response = await fetch(`http://127.0.0.1:${port}/notes.txt`, { client });
    assertEquals(await response.text(), "Networking: day 4\n");
  },
  idleClient: (target) => target.dial(),
  taken:
    /^sample_server\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
};

besiege(subject, anyPort);
