"""The TCP server of lecture 000, in Python 3: one client, 20 bytes at a time, thanks for each piece."""

import socket
import sys

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(1)
print("listening", file=sys.stderr)
client, where = listener.accept()
while True:
    print("connected:", where)
    piece = client.recv(20)
    if not piece:
        break
    print("heard", piece)
    client.send(b"Thank you for reaching us")
client.close()
