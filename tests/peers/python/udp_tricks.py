"""A UDP echo server on 127.0.0.1 that makes it hard once.

usage: udp_tricks.py stranger PORT   another socket answers first, then the server
       udp_tricks.py deaf PORT       the first datagram gets no answer
"""

import socket
import sys

trick, port = sys.argv[1:]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(port)))
print("listening", file=sys.stderr)
data, client = server.recvfrom(65536)
if trick == "stranger":
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        other.sendto(b"not mine", client)
else:
    data, client = server.recvfrom(65536)
server.sendto(data, client)
