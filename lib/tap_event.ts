/**
 * What happens between a client and a server, as somebody in the middle sees it.
 *
 * @module
 */

/** The two sides of a conversation; the client is the one that began. */
export type Side = "client" | "server";

/** The other one. */
export function otherSide(side: Side): Side {
  return side === "client" ? "server" : "client";
}

/** An end of a conversation, as it is shown and as it stands in packets. */
export interface TapEnd {
  /** How people write it: `127.0.0.1:80`, `unix:/tmp/echo.sock`. */
  name: string;
  hostname: string;
  port: number;
}

/** Who talks to whom. */
export interface TapConversation {
  /** Counted from 1. */
  number: number;
  transport: "tcp" | "udp" | "unix";
  client: TapEnd;
  server: TapEnd;
}

/**
 * One thing that happened. `from` is the side that did it; for `connected`, `refused` and `unreachable` that
 * is the server.
 *
 * | kind | what |
 * | - | - |
 * | `asked` | the client wants a connection |
 * | `connected`, `refused`, `unreachable` | what came of it |
 * | `data` | bytes came, and are on their way to the other side |
 * | `delivered` | the other side's system has taken all that came from here so far |
 * | `end` | nothing more comes from here: a half-close, or a close |
 * | `reset` | the connection was broken off |
 */
export interface TapEvent {
  kind:
    | "asked"
    | "connected"
    | "refused"
    | "unreachable"
    | "data"
    | "delivered"
    | "end"
    | "reset";
  conversation: TapConversation;
  from: Side;
  /** Milliseconds since 1970, with a fraction. */
  time: number;
  /** With `data`; the memory is used again afterwards: copy what you keep. */
  bytes?: Uint8Array;
}

/** Somebody who writes down what happens. */
export interface TapRecorder extends Partial<Disposable> {
  record(event: TapEvent): void;
}
