"""Echo clients as students write them: python3 echo_client.py KIND PORT. "right" is right."""

import socket
import sys

KIND, PORT = sys.argv[1], int(sys.argv[2])
MESSAGE = b"this is my message, and it is long"

with socket.create_connection(("127.0.0.1", PORT)) as connection:
    connection.sendall(MESSAGE)
    if KIND == "one_recv":
        connection.recv(1024)
    elif KIND == "short_read":
        while len(connection.recv(16)) == 16:
            pass
    else:
        received = b""
        while len(received) < len(MESSAGE):
            data = connection.recv(16)
            if not data and KIND == "right":
                break
            received += data
