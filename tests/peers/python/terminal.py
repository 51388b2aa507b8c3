"""A person at a terminal: terminal.py TEXT COMMAND...; when asked for a password, types TEXT."""

import os
import pty
import select
import sys
import termios
import time

text, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
typed = False
shown = b""
while select.select([terminal], [], [], 20)[0]:
    try:
        part = os.read(terminal, 4096)
    except OSError:  # how Linux tells that the other side has gone
        break
    if not part:
        break
    shown += part
    sys.stdout.buffer.write(part)
    if not typed and b"Password" in shown:
        typed = True
        # a person types when the terminal has stopped showing it: a moment after the question
        due = time.monotonic() + 10
        while termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < due:
            time.sleep(0.01)
        os.write(terminal, text.encode() + b"\r")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
