"""Servers that forward to Slack, as students write them: python3 slack_server.py KIND PORT API. "right" is right."""

import json
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

KIND, PORT, API = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def call(method, arguments, headers):
    url = f"{API}/{method}"
    if KIND == "url_token":
        url += "?token=xoxb-example"
    body = urllib.parse.urlencode(arguments).encode()
    if KIND == "get":
        url, body = f"{url}?{body.decode()}", None
    request = urllib.request.Request(url, body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def send_message_to_slack(text):
    if KIND == "no_call":
        return
    channel = "#general" if KIND == "channel" else "#bot"
    headers = {} if KIND in ("no_token", "url_token") else {"Authorization": "Bearer xoxb-example"}
    method = "files.upload" if KIND == "method" else "chat.postMessage"
    while True:
        try:
            return call(method, {"channel": channel, "text": text}, headers)
        except urllib.error.HTTPError as error:
            if KIND == "lossy":
                return
            if KIND == "crash":
                raise SystemExit(1)
            time.sleep(0 if KIND == "hasty" else int(error.headers["Retry-After"]))


def converse(connection):
    if KIND in ("twenty", "one_recv", "representation", "empty"):
        while True:
            data = connection.recv(20 if KIND == "twenty" else 1024)
            if not data and KIND != "empty":
                return
            text = str(data) if KIND == "representation" else data.decode(errors="replace").strip()
            send_message_to_slack(text)
            if not data:
                return
            connection.sendall(b"Thank you for reaching us\n")
        return
    encoding = "latin-1" if KIND == "latin" else "utf-8"
    for line in connection.makefile("r", encoding=encoding, newline="\n"):
        send_message_to_slack(line.strip())
        if KIND == "twice":
            send_message_to_slack(line.strip())
        if KIND != "silent":
            connection.sendall(b"Thank you for reaching us\n")


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
            pass
    if KIND == "one_client":
        break
    if KIND == "accept_once":
        time.sleep(30)
