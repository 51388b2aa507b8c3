"""The client side of lecture 002, step by step."""

import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_IP)
server.connect(("127.0.0.1", int(sys.argv[1])))
server.sendall(b"Hey, can you hear me?")
print(server.recv(32))
server.close()
