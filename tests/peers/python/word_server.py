"""The homework's server as a student may write it: one read for a message, no line feeds, exact answers."""
import collections, os, re, socket, sys

folder = sys.argv[2]
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(1)
print("listening", file=sys.stderr)
while True:
    connection, address = listener.accept()
    with connection:
        message = connection.recv(1024).decode().strip()
        print(message, flush=True)
        user, name, word = message.split(":")
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            counts = collections.Counter(re.findall(r"[^\W_]+(?:['-][^\W_]+)*", file.read().lower()))
        most = counts.most_common(1)[0][1]
        connection.sendall(b"thank you" if counts[word] == most else b"try again")
