"""Python's ftplib as a client: ftplib_client.py HOST PORT; prints one JSON object."""

import ftplib
import hashlib
import io
import json
import sys

host, port = sys.argv[1], int(sys.argv[2])
ftp = ftplib.FTP(encoding="utf-8")
ftp.connect(host, port, timeout=30)
said = {"welcome": ftp.getwelcome(), "login": ftp.login()}
said["pwd"] = ftp.pwd()
said["nlst"] = sorted(ftp.nlst())
said["mlsd"] = {name: facts for name, facts in ftp.mlsd() if name not in (".", "..")}
lines = []
ftp.retrlines("LIST", lines.append)
said["list"] = lines
ftp.voidcmd("TYPE I")
said["sha256"] = {}
for name, facts in said["mlsd"].items():
    if facts["type"] == "file":
        digest = hashlib.sha256()
        ftp.retrbinary(f"RETR {name}", digest.update)
        said["sha256"][name] = digest.hexdigest()
        assert ftp.size(name) == int(facts["size"]), name
said["facts"] = dict(ftp.mlsd(facts=["size", "UNIX.mode"]))["block"]
said["all facts"] = sorted(dict(ftp.mlsd(facts=["type", "size", "modify"]))["block"])
rest = io.BytesIO()
ftp.retrbinary("RETR block", rest.write, rest=65_000)
said["rest"] = len(rest.getvalue())
text = []
ftp.retrlines("RETR text", text.append)
said["text"] = text
said["cwd"] = [ftp.cwd("folder"), ftp.pwd(), ftp.nlst(), ftp.cwd(".."), ftp.pwd()]
ftp.set_pasv(False)
said["refused"] = {}


def refused(name, work):
    try:
        said["refused"][name] = "not refused: " + str(work())
    except ftplib.Error as error:
        said["refused"][name] = str(error)


refused("PORT", ftp.nlst)
ftp.set_pasv(True)
refused("dots", lambda: ftp.retrbinary("RETR ../../../../etc/passwd", lambda piece: None))
refused("link", lambda: ftp.retrbinary("RETR out", lambda piece: None))
refused("STOR", lambda: ftp.storbinary("STOR new", io.BytesIO(b"x")))
refused("DELE", lambda: ftp.delete("block"))
said["quit"] = ftp.quit()
print(json.dumps(said))
