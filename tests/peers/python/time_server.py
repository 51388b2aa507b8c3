"""The lecture's time server as a student may write it: `tcp|udp PORT plain|exact`; one read is one question."""
import socket, sys, time

transport, port, style = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def answer(question, received):
    words = question.decode().split()
    if not words or words[0] != "reqtime":
        return b"?"
    if style == "plain":
        return time.ctime().encode()
    now = time.time()
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".%03dZ" % (now % 1 * 1000)
    text += " received %.6f sent %.6f" % (received, time.time())
    return (text + "".join(" id " + word for word in words[1:])).encode()


if transport == "udp":
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", port))
    print("listening", file=sys.stderr)
    while True:
        question, client = server.recvfrom(1024)
        server.sendto(answer(question, time.time()), client)

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", port))
server.listen(1)
print("listening", file=sys.stderr)
while True:
    connection, client = server.accept()
    with connection:
        question = connection.recv(1024)
        connection.sendall(answer(question, time.time()))
