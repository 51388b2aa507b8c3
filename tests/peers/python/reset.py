"""Connects, sends, and throws the connection away: the server gets a reset.

usage: reset.py HOST PORT
"""

import socket
import struct
import sys

client = socket.create_connection((sys.argv[1], int(sys.argv[2])))
client.sendall(b"half a mess")
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
client.close()
