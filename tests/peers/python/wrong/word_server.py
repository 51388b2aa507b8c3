"""Word servers as students write them: python3 word_server.py KIND PORT FOLDER. "right" and "subfolders" are right."""

import os
import re
import socket
import sys
from collections import Counter

KIND, PORT, FOLDER = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def words_of(text):
    if KIND == "first_line":
        text = text.split("\n")[0]
    if KIND != "case":
        text = text.lower()
    return text.split() if KIND == "marks" else re.findall(r"[a-zA-Z]+", text)


def judge(line):
    """The answer to a line, which may still have its end."""
    if KIND == "always":
        return "thank you"
    if KIND != "not_stripped":
        line = line.strip()
    parts = line.split(":")
    if KIND != "crash" and len(parts) != 3:
        return "try again"
    _user, name, word = parts
    if KIND == "parents" and (name.startswith("/") or "/" in name and not name.startswith("..")):
        return "try again"
    if KIND not in ("paths", "parents", "subfolders", "prefix"):
        name = os.path.basename(name)
    path = os.path.join(FOLDER, name)
    if KIND in ("subfolders", "prefix"):
        beginning = os.path.realpath(FOLDER) + (os.sep if KIND == "subfolders" else "")
        if not os.path.realpath(path).startswith(beginning):
            return "try again"
    if KIND != "no_file" and not os.path.isfile(path):
        return "try again"
    counts = Counter(words_of(open(path).read()))
    if KIND == "ties":
        right = word in [one for one, _ in counts.most_common(1)]
    else:
        right = 0 < counts[word] == max(counts.values(), default=0)
    if KIND == "other_words":
        return "yes" if right else "no"
    return "thank you" if right else "try again"


def converse(connection):
    if KIND == "one_recv":
        while data := connection.recv(1024):
            connection.sendall(judge(data.decode()).encode())
        return
    errors = "strict" if KIND == "not_text" else "replace"
    lines = connection.makefile("r", newline="\n", errors=errors)
    if KIND == "until_end":
        lines = lines.readlines()
    for line in lines:
        connection.sendall((judge(line) + "\n").encode())
        if KIND == "one_message":
            return


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", PORT))
listener.listen()
print("listening", file=sys.stderr, flush=True)
while True:
    connection, _ = listener.accept()
    with connection:
        try:
            converse(connection)
        except OSError:
            if KIND == "no_file":
                raise
