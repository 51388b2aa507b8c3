import { anyPort, besiege } from "./siege.ts";
import { conversationServer, echoServer } from "./streams.ts";

besiege(echoServer, anyPort);
besiege(conversationServer, anyPort);
