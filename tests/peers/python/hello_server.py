"""The server of lecture 001: greets each client with its address."""

import socket
import sys

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(1)
print("listening", file=sys.stderr)
while True:
    client, where = listener.accept()
    print("connected:", where)
    client.send(f"Hello {where}\n".encode())
    client.close()
