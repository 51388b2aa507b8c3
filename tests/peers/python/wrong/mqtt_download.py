"""Subscribers that download, as students write them: python3 mqtt_download.py KIND PORT FOLDER. "right" is right."""

import os
import sys
import urllib.parse
import urllib.request

import paho.mqtt.client as mqtt

KIND, PORT, FOLDER = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.makedirs(FOLDER, exist_ok=True)


def name_of(url):
    path = urllib.parse.unquote(urllib.parse.urlsplit(url).path)
    if KIND == "one_name":
        return "download.txt"
    return path.lstrip("/") if KIND == "paths" else os.path.basename(path)


def body_of(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.read(4096 if KIND == "part" else -1)
    except urllib.error.HTTPError as error:
        if KIND != "no_status":
            raise
        return error.read()


def download(url):
    body = body_of(url)
    if KIND == "no_file":
        return
    path = os.path.join(FOLDER, name_of(url))
    if KIND == "folder":
        path = os.path.join(FOLDER, "today", name_of(url))
        os.makedirs(os.path.dirname(path), exist_ok=True)
    if KIND == "text":
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(body.decode("utf-8", "replace"))
    elif KIND == "representation":
        with open(path, "w") as file:
            file.write(str(body))
    elif KIND == "other":
        with open(path, "wb") as file:
            file.write(body[::-1])
    elif KIND == "longer":
        with open(path, "wb") as file:
            file.write(body + b"\n")
    elif KIND == "empty":
        with open(path, "wb"):
            pass
    else:
        with open(path, "wb") as file:
            file.write(body)


def on_connect(client, *_):
    if KIND != "no_subscription":
        client.subscribe("downloads" if KIND == "topic" else "download", 1)


def on_message(client, _data, message):
    if KIND == "no_fetch":
        return
    if KIND == "crash":
        download(message.payload.decode())
    else:
        try:
            download(message.payload.decode())
        except (OSError, ValueError):
            pass
    if KIND == "once":
        client.disconnect()


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2) if hasattr(mqtt, "CallbackAPIVersion") else mqtt.Client()
client.on_connect = on_connect
client.on_message = on_message
client.connect("127.0.0.1", PORT, 60)
client.loop_forever()
