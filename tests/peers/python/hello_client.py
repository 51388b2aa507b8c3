"""The client of lecture 001: connects and receives once."""

import socket
import sys

server = socket.socket()
server.connect(("127.0.0.1", int(sys.argv[1])))
print(server.recv(1024))
server.close()
