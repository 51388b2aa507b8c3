"""Fetches mails by poplib, and tells as JSON what it got: poplib_client.py HOST PORT plain|stls|tls CA"""

import hashlib
import json
import poplib
import ssl
import sys

host, port, how, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=ca) if how != "plain" else None
if how == "tls":
    pop = poplib.POP3_SSL(host, port, timeout=10, context=context)
else:
    pop = poplib.POP3(host, port, timeout=10)
said = {"welcome": pop.getwelcome().decode(), "capa": pop.capa()}
if how == "stls":
    pop.stls(context)
    said["capa"] = pop.capa()


def refused(call, *words):
    try:
        return "not refused: %r" % (call(*words),)
    except poplib.error_proto as error:
        return error.args[0].decode()


pop.user("student")
said["wrong"] = refused(pop.pass_, "guess")
pop.user("student")
pop.pass_("example")
said["stat"] = pop.stat()
said["list"] = [line.decode() for line in pop.list()[1]]
said["uidl"] = [line.decode() for line in pop.uidl()[1]]
said["retr"] = []
for number in range(1, said["stat"][0] + 1):
    _, lines, size = pop.retr(number)
    mail = b"".join(line + b"\r\n" for line in lines)
    said["retr"].append([len(mail), hashlib.sha256(mail).hexdigest()])
said["top"] = [line.decode() for line in pop.top(2, 1)[1]]
pop.dele(1)
said["marked"] = refused(pop.retr, 1)
pop.rset()
pop.noop()
pop.dele(3)
said["quit"] = pop.quit().decode()
json.dump(said, sys.stdout)
