"""An echo server for one conversation, or for datagrams without end.

usage: echo.py tcp|udp HOST PORT
       echo.py unix PATH
"""

import socket
import sys

transport, *where = sys.argv[1:]
address = where[0] if transport == "unix" else (where[0], int(where[1]))
family = socket.AF_UNIX if transport == "unix" else (
    socket.AF_INET6 if ":" in where[0] else socket.AF_INET)
kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
sock = socket.socket(family, kind)
if transport != "unix":
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind(address)
if transport != "udp":
    sock.listen(1)
print("listening", file=sys.stderr)

while transport == "udp":
    data, client = sock.recvfrom(65536)
    sock.sendto(data, client)
connection, _ = sock.accept()
while data := connection.recv(4096):
    connection.sendall(data)
connection.close()
