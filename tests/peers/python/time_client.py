"""The lecture's time client as a student may write it: `tcp|udp PORT QUESTION`; prints what is answered."""
import socket, sys

transport, port, question = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
if transport == "udp":
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(10)
    client.sendto(question, ("127.0.0.1", port))
    print(client.recvfrom(1024)[0].decode())
else:
    client = socket.create_connection(("127.0.0.1", port), 10)
    client.sendall(question)  # and no end of its side: the server has to guess that this is all
    print(client.recv(1024).decode().strip())
