"""What the socket module says of names and ports, asked as JSON on stdin."""

import json
import socket
import sys


def ask(call, *words):
    try:
        return call(*words)
    except OSError:
        return None


asked = json.load(sys.stdin)
answers = {}
for key, protocol in {"any": (), "tcp": ("tcp",), "udp": ("udp",)}.items():
    answers[key] = {
        "names": [ask(socket.getservbyname, name, *protocol) for name in asked["names"]],
        "ports": [ask(socket.getservbyport, port, *protocol) for port in asked["ports"]],
    }
json.dump(answers, sys.stdout)
