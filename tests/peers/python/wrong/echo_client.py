"""Echo clients as students write them: python3 echo_client.py KIND PORT. "right" and "half_close" are right."""

import socket
import sys

KIND, PORT = sys.argv[1], int(sys.argv[2])
MESSAGE = b"this is my message, and it is long"

with socket.create_connection(("127.0.0.1", PORT)) as connection:
    connection.sendall(MESSAGE)
    if KIND == "half_close":
        connection.shutdown(socket.SHUT_WR)
    if KIND == "no_recv":
        pass
    elif KIND in ("one_recv", "one_short_recv"):
        connection.recv(1024 if KIND == "one_recv" else 16)
    elif KIND == "short_read":
        while len(connection.recv(16)) == 16:
            pass
    else:
        received = b""
        while len(received) < len(MESSAGE):
            data = connection.recv(16)
            if not data:
                break
            received += data
