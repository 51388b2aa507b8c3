/**
 * The doors of an MQTT broker: clients come in over TCP, and over WebSocket from browsers.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { formatEndpoint } from "./address.ts";
import { after } from "./deadline.ts";
import { attempt } from "./errors.ts";
import { MqttStream, type StreamLimits } from "./mqtt_stream.ts";
import { serve, type Server } from "./tcp.ts";

/** Where a door is, and what may come through it. */
export interface DoorOptions extends StreamLimits {
  hostname: string;
  port: number;
  /** How many clients at once; further ones wait, or are refused on WebSocket. */
  clients: number;
}

/** How much may have come over a WebSocket that the broker has not taken yet, in bytes. */
const MOST_UNREAD = 16 * 1024 * 1024;

/** Lets clients in over TCP, each as a stream. */
export function openTcpDoor(
  options: DoorOptions,
  enter: (stream: Duplex) => void,
): Promise<Server> {
  const { hostname, port, clients } = options;
  // MQTT has a keep-alive of its own: the broker watches it
  const settings = { hostname, port, maxConnections: clients, idleTimeout: Infinity };
  return serve(settings, async (connection) => {
    const stream = new MqttStream(
      (bytes) => connection.write(bytes),
      (reason) => connection.close(reason),
      options,
    );
    enter(stream);
    const buffer = new Uint8Array(16 * 1024);
    try {
      for (let count; (count = await connection.read(buffer)) !== null;) {
        await stream.received(buffer.subarray(0, count));
      }
      stream.push(null);
    } catch (error) {
      // of a client that the broker has closed, the broker tells why
      if (!stream.destroyed) throw error;
    } finally {
      stream.destroy();
    }
  });
}

/** Lets clients in over WebSocket, as browsers need it: subprotocol `mqtt`, binary messages. */
export async function openWebSocketDoor(
  options: DoorOptions,
  enter: (stream: Duplex) => void,
): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const { hostname, port, clients } = options;
  let open = 0;
  const listening = () =>
    Deno.serve({ hostname, port, onListen() {} }, (request) => {
      if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
        return new Response("MQTT over WebSocket: connect with the subprotocol mqtt\n", {
          status: 426,
        });
      }
      if (open >= clients) return new Response("too many clients\n", { status: 503 });
      const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",")
        .map((name) => name.trim());
      const protocol = ["mqtt", "mqttv3.1"].find((name) => offered.includes(name));
      const { socket, response } = Deno.upgradeWebSocket(request, { protocol, idleTimeout: 0 });
      open++;
      socket.addEventListener("close", () => open--, { once: true });
      enter(streamOf(socket, options));
      return response;
    });
  return await attempt(`listen on ${formatEndpoint({ hostname, port })} for WebSocket`, listening);
}

function streamOf(socket: WebSocket, options: DoorOptions): MqttStream {
  socket.binaryType = "arraybuffer";
  const stream = new MqttStream(
    async (bytes) => {
      socket.send(bytes as Uint8Array<ArrayBuffer>);
      // a WebSocket tells how much waits in it, not when it has gone: a little may always wait
      while (socket.bufferedAmount > 64 * 1024 && socket.readyState === WebSocket.OPEN) {
        await new Promise<void>((resolve) => after(10, resolve));
      }
    },
    () => socket.close(),
    options,
  );
  socket.addEventListener("message", ({ data }) => {
    if (!(data instanceof ArrayBuffer)) return stream.destroy(new Error("it sent text"));
    // a WebSocket cannot be made to wait, as TCP is by not reading
    if (stream.readableLength > MOST_UNREAD) {
      return stream.destroy(new Error("it sends faster than its messages can be handed on"));
    }
    stream.received(new Uint8Array(data)).catch((error) => stream.destroy(error));
  });
  // after an error, too: what came before it, a good bye perhaps, is still read
  socket.addEventListener("close", () => stream.push(null));
  return stream;
}
