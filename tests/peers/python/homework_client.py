"""The echo client of lecture 002's homework, for each of the lengths given, on a connection of its own.

It does not end its side before it has the whole reply: a server that takes a full piece of 16 bytes for a
sign that more will come would never answer.
"""

import os
import socket
import sys

port, *lengths = map(int, sys.argv[1:])
for length in lengths:
    message = os.urandom(length)
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    server.settimeout(5)
    server.connect(("127.0.0.1", port))
    server.sendall(message)
    reply = b""
    while len(reply) < length:
        piece = server.recv(16)
        assert piece, f"the server ended after {len(reply)} of {length} bytes"
        reply += piece
    server.shutdown(socket.SHUT_WR)
    assert reply == message, f"{reply!r} is not {message!r}"
    assert server.recv(16) == b"", "the server has more to say"
    server.close()
print("exact echoes:", len(lengths))
