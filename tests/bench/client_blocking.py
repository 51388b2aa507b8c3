"""The echo client as the lecture has it: a blocking socket."""

import socket
import sys

port = int(sys.argv[1])
message = b"hello"
print(f"connecting to 127.0.0.1 port {port}", file=sys.stderr, flush=True)
with socket.create_connection(("127.0.0.1", port)) as connection:
    connection.sendall(message)
    reply = b""
    while len(reply) < len(message):
        data = connection.recv(16)
        if not data:
            sys.exit("the server closed the connection")
        reply += data
print(reply.decode())
