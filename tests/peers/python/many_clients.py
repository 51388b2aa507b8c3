"""Many clients at a time of an echo server, or an echo server of socketserver with threads or processes."""
import socket, socketserver, sys, threading

class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(4096):
            self.request.sendall(data)

class Server(socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 511

class Threads(socketserver.ThreadingMixIn, Server):
    daemon_threads = True

class Processes(socketserver.ForkingMixIn, Server):
    max_children = 500

def serve(kind, port):
    with {"sequential": Server, "threads": Threads, "processes": Processes}[kind](("127.0.0.1", port), Echo) as server:
        print("listening", file=sys.stderr, flush=True)
        server.serve_forever()

def clients(port, count):
    done = []
    def converse(number):
        message = (b"client %d " % number) * (number + 1)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            for _ in range(3):
                client.sendall(message)
                answer = b""
                while len(answer) < len(message):
                    piece = client.recv(65536)
                    if not piece:
                        return
                    answer += piece
                if answer != message:
                    return
            done.append(number)
    threads = [threading.Thread(target=converse, args=[number]) for number in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(f"exact echoes for {len(done)} of {count}")

clients(int(sys.argv[2]), int(sys.argv[3])) if sys.argv[1] == "clients" else serve(sys.argv[1], int(sys.argv[2]))
