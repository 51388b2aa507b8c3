"""The homework's client as a student may write it: counts, sends without a line feed, reads once."""
import collections, os, re, socket, sys

port, user, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
with open(path, encoding="utf-8") as file:
    words = re.findall(r"[^\W_]+(?:['-][^\W_]+)*", file.read().lower())
word = sys.argv[4] if len(sys.argv) > 4 else collections.Counter(words).most_common(1)[0][0]
client = socket.create_connection(("127.0.0.1", port), timeout=30)
client.sendall(f"{user}:{os.path.basename(path)}:{word}".encode())
print(client.recv(1024).decode().strip())
