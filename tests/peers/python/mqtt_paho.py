"""paho against our broker: mqtt_paho.py PORT tcp|websockets. Prints a line for each thing that works."""

import queue
import sys

import paho.mqtt.client as mqtt

DEADLINE = 10
port, transport = int(sys.argv[1]), sys.argv[2]


class Peer:
    """A client with its messages and confirmations in a queue."""

    def __init__(self, name="", clean=True, will=None):
        self.happened = queue.Queue()
        self.client = mqtt.Client(name, clean_session=clean, transport=transport)
        if will:
            self.client.will_set(*will)
        self.client.on_connect = lambda c, u, flags, rc: self.happened.put(("connected", rc, flags["session present"]))
        self.client.on_subscribe = lambda c, u, mid, granted: self.happened.put(("subscribed", *granted))
        self.client.on_message = lambda c, u, m: self.happened.put((m.topic, m.payload, m.qos, m.retain))
        self.client.connect("127.0.0.1", port, keepalive=30)
        self.client.loop_start()

    def next(self):
        return self.happened.get(timeout=DEADLINE)

    def expect(self, *wanted):
        got = self.next()
        assert got == wanted, f"got {got}, wanted {wanted}"
        return self

    def connected(self, session=0):
        return self.expect("connected", 0, session)

    def subscribe(self, topic, qos):
        self.client.subscribe(topic, qos)
        return self.expect("subscribed", qos)

    def publish(self, topic, payload, qos, retain=False):
        self.client.publish(topic, payload, qos, retain).wait_for_publish(DEADLINE)

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()

    def vanish(self):
        """Closes the socket without a DISCONNECT."""
        self.client.loop_stop()
        self.client._sock_close()


listener = Peer().connected()
for qos in 0, 1, 2:
    listener.subscribe(f"qos/{qos}/#", qos)
sender = Peer().connected()
for qos in 0, 1, 2:
    for payload in b"", "hellö".encode(), bytes(range(256)), b"x" * 200_000:
        sender.publish(f"qos/{qos}/a", payload, qos)
        listener.expect(f"qos/{qos}/a", payload, qos, 0)
    # one goes at most as well as it was subscribed to
    sender.publish("qos/0/b", b"down", qos)
    listener.expect("qos/0/b", b"down", 0, 0)
    print(f"qos {qos}")

for number in range(1_000):
    sender.client.publish("qos/1/many", str(number), 1)
for number in range(1_000):
    listener.expect("qos/1/many", str(number).encode(), 1, 0)
print("1000 in order")

sender.publish("kept/a", b"old", 1, retain=True)
sender.publish("kept/a", b"new", 1, retain=True)
late = Peer().connected().subscribe("kept/+", 1)
late.expect("kept/a", b"new", 1, 1)
sender.publish("kept/a", b"", 1, retain=True)
late.expect("kept/a", b"", 1, 0)
later = Peer().connected().subscribe("kept/+", 1)
sender.publish("kept/b", b"nothing before", 1)
later.expect("kept/b", b"nothing before", 1, 0)
print("retained")

listener.subscribe("will/#", 1)
Peer(will=("will/no", b"he said good bye", 1)).connected().end()
Peer(will=("will/yes", b"he is lost", 1)).connected().vanish()
listener.expect("will/yes", b"he is lost", 1, 0)
print("will")

Peer("keeper", clean=False).connected().subscribe("away", 1).end()
for number in range(10):
    sender.publish("away", str(number), 1)
keeper = Peer("keeper", clean=False).connected(session=1)
for number in range(10):
    keeper.expect("away", str(number).encode(), 1, 0)
keeper.end()
Peer("keeper").connected().end()
Peer("keeper", clean=False).connected(session=0).end()
print("session")

for peer in listener, sender, late, later:
    peer.end()
