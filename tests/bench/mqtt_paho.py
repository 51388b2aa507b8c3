"""Publishes or receives messages of 64 bytes with paho, and measures itself: PORT publish QOS COUNT,
or PORT receive COUNT."""

import json
import sys
import threading
import time

import paho.mqtt.client as mqtt

WINDOW = 100


def publish(client, qos, count):
    slots = threading.Semaphore(WINDOW)
    client.on_publish = lambda *_: slots.release()
    client.loop_start()
    start = time.perf_counter()
    for _ in range(count):
        slots.acquire()
        client.publish("bench", b"x" * 64, qos=qos)
    client.publish("end", b"", qos=1).wait_for_publish()
    for _ in range(WINDOW - 1 if qos else 0):
        slots.acquire()
    return start


def receive(client, count):
    received = []
    done = threading.Event()

    def on_message(_client, _data, message):
        received.append(time.perf_counter() if not received else len(message.payload.decode()))
        if len(received) == count:
            done.set()

    client.on_message = on_message
    client.on_subscribe = lambda *_: client.publish("go", b"go", qos=1, retain=True)
    client.subscribe("bench", qos=0)
    client.loop_start()
    done.wait()
    return received[0]


port, work, *numbers = sys.argv[1:]
client = mqtt.Client()
client.max_inflight_messages_set(WINDOW)
client.max_queued_messages_set(0)
client.connect("127.0.0.1", int(port))
numbers = [int(number) for number in numbers]
start = publish(client, *numbers) if work == "publish" else receive(client, *numbers)
print(json.dumps({"rate": numbers[-1] / (time.perf_counter() - start)}))
client.disconnect()
