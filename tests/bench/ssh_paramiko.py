"""paramiko beside ssh_lib.ts, with the same words: PORT USER FOLDER connect|exec|bulk COUNT; and `import`,
which shows how long a program that uses paramiko takes to its first line."""

import sys

import paramiko

if sys.argv[1:] == ["import"]:
    print("ready", file=sys.stderr, flush=True)
    sys.exit()

import json
import time

port, user, folder, work, count = sys.argv[1:]


def connect():
    client = paramiko.SSHClient()
    client.load_host_keys(f"{folder}/known")
    client.connect(
        "127.0.0.1",
        int(port),
        user,
        key_filename=f"{folder}/key",
        look_for_keys=False,
        allow_agent=False,
    )
    return client


def run(client, command):
    stdin, stdout, _ = client.exec_command(command)
    stdin.channel.shutdown_write()
    size = 0
    while True:
        data = stdout.channel.recv(65536)
        if not data:
            break
        size += len(data)
    code = stdout.channel.recv_exit_status()
    if code != 0:
        sys.exit(f"{command}: exit code {code}")
    return size


def connect_and_run():
    with connect() as client:
        run(client, "true")


count = int(count)
if work == "connect":
    connect_and_run()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        connect_and_run()
        times.append(time.perf_counter() - start)
    print(json.dumps({"ms": sorted(times)[count // 2] * 1000}))
else:
    with connect() as client:
        run(client, "true")
        start = time.perf_counter()
        if work == "exec":
            for _ in range(count):
                run(client, "true")
            print(json.dumps({"ms": (time.perf_counter() - start) / count * 1000}))
        else:
            size = run(client, f"head -c {count} /dev/zero")
            if size != count:
                sys.exit(f"{size} bytes came")
            print(json.dumps({"rate": size / (time.perf_counter() - start)}))
