"""The segments of lib/reliable_segment.ts in Python: a receiver and a sender of one file, as simple as can be.

    reliable.py receive PORT FILE
    reliable.py send PORT FILE WINDOW
"""

import os
import socket
import struct
import sys
import zlib

START, DATA, END, ACK, LEAVE = 1, 2, 3, 4, 5


def pack(transfer, kind, number, payload=b""):
    rest = struct.pack("!QBI", transfer, kind, number) + payload
    return struct.pack("!I", zlib.crc32(rest)) + rest


def parse(datagram):
    if len(datagram) < 17 or struct.unpack("!I", datagram[:4])[0] != zlib.crc32(datagram[4:]):
        return None
    return struct.unpack("!QBI", datagram[4:17]) + (datagram[17:],)


def receive(port, path):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", port))
    print("listening", flush=True)
    awaited, parts, early = 0, [], {}
    while True:
        datagram, sender = s.recvfrom(65536)
        segment = parse(datagram)
        if segment is None:
            continue
        transfer, kind, number, payload = segment
        if kind == LEAVE:
            break
        early.setdefault(number, payload)
        while awaited in early:
            parts.append(early.pop(awaited))
            awaited += 1
        # cumulative acknowledgements only: no bits for what came early
        s.sendto(pack(transfer, ACK, awaited), sender)
    with open(path, "wb") as f:
        f.write(b"".join(parts))


def send(port, path, window):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.1)
    with open(path, "rb") as f:
        content = f.read()
    transfer = int.from_bytes(os.urandom(8), "big")
    pieces = [content[at:at + 1000] for at in range(0, len(content), 1000)]
    row = [pack(transfer, START, 0)]
    row += [pack(transfer, DATA, 1 + at, piece) for at, piece in enumerate(pieces)]
    row += [pack(transfer, END, len(row))]
    base = 0
    for _ in range(10_000):
        # go back N: all of the window, again and again
        flight = row[base:base + (window if base else 1)]
        for segment in flight:
            s.sendto(segment, ("127.0.0.1", port))
        try:
            for _ in flight:
                segment = parse(s.recv(65536))
                if segment and segment[:2] == (transfer, ACK):
                    base = max(base, segment[2])
        except socket.timeout:
            pass
        if base == len(row):
            s.sendto(pack(transfer, LEAVE, 0), ("127.0.0.1", port))
            return
    sys.exit("not acknowledged")


if sys.argv[1] == "receive":
    receive(int(sys.argv[2]), sys.argv[3])
else:
    send(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
