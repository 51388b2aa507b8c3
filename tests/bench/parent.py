"""A process of the benchmark ends with the benchmark: see parent.ts."""

import os
import sys
import threading


def end_with_parent():
    def wait():
        while os.read(0, 1):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def run_when_asked(run):
    print("ready", flush=True)
    while os.read(0, 1):
        print(run(), flush=True)
    sys.exit(0)
