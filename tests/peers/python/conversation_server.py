"""The server side of lecture 002, step by step."""

import socket
import sys

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_IP)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(1)
print("listening", file=sys.stderr)
client, where = listener.accept()
print(client.recv(32))
client.sendall(b"Yes, I hear you.")
client.close()
listener.close()
