"""The TCP client of lecture 000, in Python 3: sends a text without an end, and receives once."""

import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.connect(("127.0.0.1", int(sys.argv[1])))
server.send(b"Call Slack to get the list of channels")
answer = server.recv(1024)
server.close()
print("heard", answer)
