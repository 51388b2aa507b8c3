import { anyPath, besiege, starve } from "./siege.ts";
import { unixEchoServer } from "./streams.ts";

besiege(unixEchoServer, anyPath);
starve(unixEchoServer, anyPath);
