/** The echo service over UDP as a user of the library writes it. */

import { formatEndpoint } from "../../lib/address.ts";
import { serve } from "../../lib/udp.ts";
import { endWithParent } from "./parent.ts";

const server = await serve({ hostname: "127.0.0.1", port: 0 }, (datagram) => datagram);
console.log(`listening on ${formatEndpoint(server.addr)}`);
await endWithParent();
