"""Python's ftplib breaks off a transfer: ftplib_abort.py HOST PORT NAME; prints one JSON object."""

import ftplib
import json
import socket
import sys
import time

host, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
IAC, IP, DM = b"\xff", b"\xf4", b"\xf2"
URGENT = socket.MSG_OOB
# what clients send, in one or more pieces, of which the last byte of an urgent one is taken out of the stream
WAYS = {
    "as a plain command": [(b"ABOR\r\n", 0)],
    "urgent as a whole": [(IAC + IP + IAC + DM + b"ABOR\r\n", URGENT)],
    "with Telnet commands, none of them urgent": [(IAC + IP + IAC + DM + b"ABOR\r\n", 0)],
    "with an urgent IAC, as BSD's ftp": [(IAC + IP + IAC, URGENT), (DM + b"ABOR\r\n", 0)],
    "with an urgent data mark": [(IAC + IP, 0), (IAC + DM, URGENT), (b"ABOR\r\n", 0)],
    "with the first byte urgent": [(IAC, URGENT), (IP + IAC + DM + b"ABOR\r\n", 0)],
}


def transfer():
    ftp = ftplib.FTP(timeout=30)
    ftp.connect(host, port)
    ftp.login()
    ftp.voidcmd("TYPE I")
    data = ftp.transfercmd("RETR " + name)
    data.recv(1000)
    return ftp, data


said = {}
for way in ["by ftplib itself", *WAYS]:
    ftp, data = transfer()
    began = time.monotonic()
    if way in WAYS:
        for piece, flag in WAYS[way]:
            ftp.sock.send(piece, flag)
            time.sleep(0.01)
        replies = [ftp.getmultiline()]
    else:
        replies = [ftp.abort()]
    replies.append(ftp.getmultiline())
    seconds = time.monotonic() - began
    while data.recv(65536):
        pass
    data.close()
    again = ftp.nlst()
    said[way] = {
        "codes": [reply[:3] for reply in replies],
        "quick": seconds < 5,
        "nlst": name in again,
        "quit": ftp.quit()[:3],
    }
print(json.dumps(said))
