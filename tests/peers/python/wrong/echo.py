"""Echo servers as students write them: python3 echo.py KIND PORT. Two are right; the others have each a mistake."""

import selectors
import socket
import socketserver
import sys
import threading

KIND, PORT = sys.argv[1], int(sys.argv[2])


def listening():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PORT))
    listener.listen(100)
    print("listening", file=sys.stderr, flush=True)
    return listener


def right(connection):
    while True:
        data = connection.recv(16)
        if not data:
            return
        connection.sendall(data)


def one_recv(connection):
    connection.sendall(connection.recv(1024))


def short_read(connection):
    while True:
        data = connection.recv(16)
        connection.sendall(data)
        if len(data) < 16:
            return


def whole_first(connection):
    message = b""
    while True:
        data = connection.recv(16)
        message += data
        if len(data) < 16:
            break
    connection.sendall(message)
    if data:
        whole_first(connection)


def padding(connection):
    buffer = bytearray(16)
    while connection.recv_into(buffer):
        connection.sendall(buffer)
        buffer = bytearray(16)


def representation(connection):
    while data := connection.recv(1024):
        connection.sendall(str(data).encode())


def decoded(connection):
    while data := connection.recv(16):
        connection.sendall(data.decode().encode())


def ignored(connection):
    while data := connection.recv(16):
        connection.sendall(data.decode("utf-8", "replace").encode())


def dropped(connection):
    while data := connection.recv(16):
        connection.sendall(data.decode("utf-8", "ignore").encode())


def latin(connection):
    while data := connection.recv(16):
        connection.sendall(data.decode("latin-1").encode())


def command(connection):
    while (data := connection.recv(1024)) and data.strip() not in (b"bye", b"quit"):
        connection.sendall(data)


def wait_all(connection):
    while data := connection.recv(16, socket.MSG_WAITALL):
        connection.sendall(data)


def file_read(connection):
    file = connection.makefile("rwb")
    while data := file.read(16):
        file.write(data)
        file.flush()


def no_flush(connection):
    file = connection.makefile("rwb")
    while data := file.read1(16):
        file.write(data)


def no_send_loop(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    connection.settimeout(30)  # from now on send may take only a part
    while data := connection.recv(8 << 20):
        connection.send(data)


def endless(connection):
    while True:
        connection.sendall(connection.recv(16))


def until_line(connection):
    for line in connection.makefile("rb"):
        connection.sendall(line)


def stripped(connection):
    while data := connection.recv(1024):
        connection.sendall(data.strip())


def impatient(connection):
    connection.settimeout(1)
    right(connection)


def sequential(converse):
    listener = listening()
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                converse(connection)
            except (OSError, UnicodeDecodeError):
                pass


def one_client():
    connection, _ = listening().accept()
    right(connection)
    connection.close()


def accept_before_loop():
    listener = listening()
    connection, _ = listener.accept()
    right(connection)
    connection.close()
    threading.Event().wait()


def crash():
    listener = listening()
    while True:
        connection, _ = listener.accept()
        right(connection)
        connection.close()


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            right(self.request)
        except OSError:
            pass


class Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 100
    daemon_threads = True


def threads():
    with Threads(("127.0.0.1", PORT), Handler) as server:
        print("listening", file=sys.stderr, flush=True)
        server.serve_forever()


def global_connection():
    """The handler takes the connection from a variable that all share."""
    listener = listening()
    current = None

    def converse():
        try:
            while True:
                data = mine.recv(1024) if (mine := current) else b""
                if not data:
                    return
                current.sendall(data)
        except OSError:
            pass

    while True:
        current, _ = listener.accept()
        threading.Thread(target=converse, daemon=True).start()


def in_threads(begin):
    """The beginner's ways to start a thread for a client, none of which gives a turn to the next one."""
    listener = listening()

    def converse(connection):
        with connection:
            try:
                right(connection)
            except OSError:
                pass

    while True:
        begin(converse, listener.accept()[0])


def joined():
    def begin(converse, connection):
        thread = threading.Thread(target=converse, args=(connection,))
        thread.start()
        thread.join()

    in_threads(begin)


def called():
    in_threads(lambda converse, connection: threading.Thread(target=converse(connection)).start())


def locked():
    lock = threading.Lock()

    def begin(converse, connection):
        def alone():
            with lock:
                converse(connection)

        threading.Thread(target=alone, daemon=True).start()

    in_threads(begin)


def select_and_sendall():
    """One thread for all, and a sendall that waits for one of them."""
    listener = listening()
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is listener:
                waiting.register(listener.accept()[0], selectors.EVENT_READ)
                continue
            try:
                data = key.fileobj.recv(65536)
                key.fileobj.sendall(data)
            except OSError:
                data = b""
            if not data:
                waiting.unregister(key.fileobj)
                key.fileobj.close()


ALONE = [one_client, accept_before_loop, crash, threads, global_connection, joined, called, locked, select_and_sendall]
if KIND in (way.__name__ for way in ALONE):
    globals()[KIND]()
else:
    sequential(globals()[KIND])
