import { anyPort, besiege, starve } from "./siege.ts";
import { helloServer, messageServer } from "./streams.ts";

besiege(helloServer, anyPort);
besiege(messageServer, anyPort);
starve(helloServer, anyPort);
starve(messageServer, anyPort);
