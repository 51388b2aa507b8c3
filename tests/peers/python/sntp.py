"""SNTP in Python: `client PORT VERSION MODE` prints what is answered; `server PORT honest|kiss|unset` answers."""
import socket, struct, sys, time

TO_1970 = 2208988800
FORMAT = "!BBbbiI4s4Q"


def timestamp(seconds):
    return int((seconds + TO_1970) * 2**32) % 2**64


role, port, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

if role == "client":
    udp.settimeout(10)
    sent = timestamp(time.time())
    question = struct.pack(FORMAT, int(how) << 3 | int(sys.argv[4]), 0, 4, -20, 0, 0, b"", 0, 0, 0, sent)
    udp.sendto(question, ("127.0.0.1", port))
    answer = udp.recv(1024)
    arrived = timestamp(time.time())
    first, stratum, poll, _, _, _, name, _, originate, receive, transmit = struct.unpack(FORMAT, answer)
    assert len(answer) == 48 and originate == sent
    assert receive <= transmit
    offset = ((receive - sent) + (transmit - arrived)) / 2 / 2**32
    delay = ((arrived - sent) - (transmit - receive)) / 2**32
    print("version", first >> 3 & 7, "mode", first & 7, "leap", first >> 6, "stratum", stratum, name.decode(), "poll", poll)
    print("offset", offset, "delay", delay)
else:
    udp.bind(("127.0.0.1", port))
    print("listening", file=sys.stderr)
    while True:
        question, client = udp.recvfrom(1024)
        received = timestamp(time.time())
        sent = struct.unpack(FORMAT, question[:48])[10]
        stratum, name = {"honest": (1, b"PY"), "kiss": (0, b"DENY"), "unset": (16, b"")}[how]
        udp.sendto(
            struct.pack(
                FORMAT, 4 << 3 | 4, stratum, 4, -20, 0, 66, name,
                received, sent, received, timestamp(time.time()),
            ),
            client,
        )
