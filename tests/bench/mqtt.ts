/**
 * Publishing to and receiving from a Mosquitto, beside paho and Mosquitto's own clients.
 *
 * @module
 */

import { type Comparison, ratio, type Sample } from "./compare.ts";
import type { Place } from "./place.ts";
import { output, Process, works } from "./processes.ts";

const HERE = import.meta.dirname!;
const DENO = ["deno", "run", "--quiet", "--no-prompt", "--ignore-env", "--allow-net=127.0.0.1"];
const PUBLISHED = "100000", RECEIVED = "100000";

/** The comparisons, or a note why there are none. */
export async function mqttComparisons(place: Place): Promise<Comparison[]> {
  if (!await works(["sh", "-c", "command -v mosquitto mosquitto_pub mosquitto_sub"])) {
    place.notes.push("mosquitto is missing: nothing is measured of MQTT");
    return [];
  }
  const { serving, loading, python } = place;
  const paho = python && await works([...python, "-c", "import paho.mqtt"]) ? python : undefined;
  if (!paho) place.notes.push("python3-paho-mqtt is missing: nothing of MQTT is compared with it");

  const publish = (qos: string): Comparison => {
    const contenders: Comparison["contenders"] = {
      lib: withBroker(
        place,
        (port) => sample([...loading, ...DENO, `${HERE}/mqtt_publish.ts`, port, qos, PUBLISHED]),
      ),
      mosquitto_pub: withBroker(place, async (port) => {
        const start = performance.now();
        const line = "x".repeat(64);
        await output([
          ...loading,
          "sh",
          "-c",
          `yes ${line} | head -n ${PUBLISHED} | mosquitto_pub -p ${port} -t bench -q ${qos} -l && echo sent`,
        ]);
        return { rate: Number(PUBLISHED) / (performance.now() - start) * 1_000 };
      }),
    };
    if (paho) {
      contenders.paho = withBroker(
        place,
        (port) =>
          sample([...loading, ...paho, `${HERE}/mqtt_paho.py`, port, "publish", qos, PUBLISHED]),
      );
    }
    return {
      name: `mqtt-qos${qos}`,
      title: `MQTT messages of 64 bytes published with QoS ${qos}, at most 100 unconfirmed`,
      shown: { rate: "messages/s" },
      contenders,
      goals: [{ text: "lib / paho", of: ratio("lib", "paho"), atLeast: qos === "0" ? 1.6 : 1.5 }],
    };
  };

  const receive = (command: string[]) =>
    withBroker(place, async (port) => {
      const feed = `mosquitto_sub -p ${port} -t go -C 1 >/dev/null && yes ${"x".repeat(64)} | ` +
        `head -n ${RECEIVED} | mosquitto_pub -p ${port} -t bench -l`;
      await using _feeding = new Process([...serving, "sh", "-c", feed]);
      const [script, ...rest] = command;
      return await sample([
        ...loading,
        ...(script === "paho" ? paho! : DENO),
        ...rest.map((word) => word === "PORT" ? port : word),
      ]);
    });
  return [
    publish("0"),
    publish("1"),
    {
      name: "mqtt-receive",
      title: "MQTT messages of 64 bytes received with QoS 0",
      shown: { rate: "messages/s" },
      contenders: {
        lib: receive(["deno", `${HERE}/mqtt_receive.ts`, "PORT", RECEIVED]),
        ...paho && { paho: receive(["paho", `${HERE}/mqtt_paho.py`, "PORT", "receive", RECEIVED]) },
      },
      goals: [],
    },
  ];
}

async function sample(command: string[]): Promise<Sample> {
  return JSON.parse(await output(command)) as Sample;
}

/** Measures with a Mosquitto of its own, on a port that the system does not hand out by itself. */
function withBroker(
  { serving }: Place,
  measured: (port: string) => Promise<Sample>,
): () => Promise<Sample> {
  return async () => {
    const port = String(20_000 + Math.floor(Math.random() * 12_000));
    const settings = [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      // what a slow client has not taken yet is kept, however much it is
      "max_queued_messages 0",
      "log_dest stderr",
    ];
    const file = await Deno.makeTempFile({ dir: "/tmp", prefix: "deno-bench-" });
    try {
      await Deno.writeTextFile(file, settings.join("\n") + "\n");
      await using broker = new Process([...serving, "mosquitto", "-c", file], {
        stream: "stderr",
      });
      await broker.line(/mosquitto version .* running/, { among: 20 });
      return await measured(port);
    } finally {
      await Deno.remove(file);
    }
  };
}
