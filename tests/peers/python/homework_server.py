"""The echo server of lecture 002's homework: 16 bytes at a time, one client after another."""

import socket
import sys

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(1)
print("listening", file=sys.stderr)
while True:
    client, where = listener.accept()
    while piece := client.recv(16):
        client.sendall(piece)
    client.close()
