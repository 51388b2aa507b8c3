import { assertEquals } from "@std/assert";
import { encode } from "../lib/helpers.ts";
import { askByDatagram, datagramAttacks, type UdpTarget, udpTarget } from "./datagrams.ts";
import { anyPort, besiege, type Subject } from "./siege.ts";

const server: Subject<UdpTarget> = {
  path: "scripts/udp/echo_server.ts",
  attacks: datagramAttacks,
  target: (port) => udpTarget(Number(port)),
  async goodClient(target) {
    const question = encode("a good question");
    assertEquals(await askByDatagram(target, question), question);
  },
  taken:
    /^echo_server\.ts: cannot bind 127\.0\.0\.1 .*: another program has that address already$/m,
};

besiege(server, anyPort);
