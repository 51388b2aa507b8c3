"""Time servers as students write them: python3 time_server.py KIND PORT. "right" is right, the others are not."""

import socket
import sys
import threading
import time

KIND, PORT = sys.argv[1], int(sys.argv[2])
STARTED = time.strftime("%c")


def now():
    return time.strftime("%c").encode()


def right(connection):
    question = b""
    while data := connection.recv(1024):
        question += data
        if question.strip() == b"reqtime":
            return connection.sendall(now())
        if not b"reqtime\r\n".startswith(question):
            return connection.sendall(b"send reqtime")


def still_echo(connection):
    while data := connection.recv(1024):
        connection.sendall(data)


def anything(connection):
    connection.recv(1024)
    connection.sendall(now())


def ignores_others(connection):
    while data := connection.recv(1024):
        if data.strip() == b"reqtime":
            connection.sendall(now())


def exact(connection):
    if connection.recv(1024) == b"reqtime":
        connection.sendall(now())


def one_recv(connection):
    connection.sendall(now() if connection.recv(1024).strip() == b"reqtime" else b"send reqtime")


def frozen(connection):
    question = b""
    while data := connection.recv(1024):
        question += data
        if question.strip() == b"reqtime":
            return connection.sendall(STARTED.encode())
        if not b"reqtime\r\n".startswith(question):
            return connection.sendall(b"send reqtime")


def wrong_format(connection):
    connection.recv(1024)
    connection.sendall(time.strftime("%A, %d %B").encode())


def no_seconds(connection):
    connection.recv(1024)
    connection.sendall(time.strftime("%H:%M").encode())


def representation(connection):
    connection.recv(1024)
    connection.sendall(str(now()).encode())


def wrong_clock(connection):
    connection.recv(1024)
    connection.sendall(time.ctime(time.time() - 100).encode())


def until_end(connection):
    question = connection.makefile("rb").read()
    connection.sendall(now() if question.strip() == b"reqtime" else b"send reqtime")


def until_line(connection):
    question = connection.makefile("rb").readline()
    connection.sendall(now() if question.strip() == b"reqtime" else b"send reqtime")


def mute(connection):
    connection.recv(1024)
    threading.Event().wait(20)


def crash(connection):
    question = connection.recv(1024).decode()  # bytes that are no UTF-8 are an error
    question += connection.recv(1024).decode() if question == "req" else ""
    connection.sendall(now() if question.strip() == "reqtime" else b"send reqtime")


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", PORT))
listener.listen()
print("listening", file=sys.stderr, flush=True)
while True:
    connection, _ = listener.accept()
    with connection:
        try:
            globals()[KIND if KIND != "one_client" else "right"](connection)
        except OSError:
            pass
    if KIND == "one_client":
        break
