"""A netcat: what comes on stdin is said, what is heard goes to stdout; the end of stdin is a half-close.

usage: stdio.py client|server tcp|udp HOST PORT
       stdio.py client|server unix PATH
"""

import os
import socket
import sys
import threading

role, transport, *where = sys.argv[1:]
address = where[0] if transport == "unix" else (where[0], int(where[1]))
family = socket.AF_UNIX if transport == "unix" else (
    socket.AF_INET6 if ":" in where[0] else socket.AF_INET)
kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
sock = socket.socket(family, kind)


def show(data):
    while data:
        data = data[os.write(1, data):]


def say(connection):
    try:
        while data := os.read(0, 65536):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:
        print("cannot say more:", error, file=sys.stderr)


if transport == "udp":  # a client that sends all of stdin in one datagram
    sock.sendto(sys.stdin.buffer.read(), address)
    data, sender = sock.recvfrom(65536)
    assert sender[:2] == address, sender
    show(data)
    sys.exit()

if role == "server":
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    sock.listen(1)
    print("listening", file=sys.stderr)
    connection, _ = sock.accept()
else:
    sock.connect(address)
    connection = sock
threading.Thread(target=say, args=(connection,), daemon=True).start()
while data := connection.recv(65536):
    show(data)
connection.close()
