"""Everything that Python's imaplib can do with a mailbox for reading, as JSON."""

import base64
import hashlib
import imaplib
import json
import ssl
import sys

port, user, password, ca = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
imap = imaplib.IMAP4("127.0.0.1", port)
said = {"capabilities": list(imap.capabilities)}
if ca != "-":
    imap.starttls(ssl.create_default_context(cafile=ca))
    said["after_tls"] = list(imap.capabilities)
try:
    imap.login(user, "wrong")
except imaplib.IMAP4.error as error:
    said["wrong"] = str(error)
imap.login(user, password)
said["list"] = [line.decode() for line in imap.list()[1]]
typ, [count] = imap.select("INBOX", readonly=True)
said["count"] = int(count)
said["uidvalidity"] = int(imap.response("UIDVALIDITY")[1][0])
typ, [found] = imap.search(None, "ALL")
numbers = found.split()
said["sha256"] = []
for number in numbers:
    typ, data = imap.fetch(number, "(RFC822)")
    mail = data[0][1]
    said["sha256"].append(hashlib.sha256(mail).hexdigest())
    # the same in pieces
    pieces = b""
    while True:
        typ, data = imap.fetch(number, f"(BODY.PEEK[]<{len(pieces)}.700000>)")
        piece = data[0][1]
        if not piece:
            break
        pieces += piece
    assert pieces == mail
    header = imap.fetch(number, "(BODY.PEEK[HEADER])")[1][0][1]
    text = imap.fetch(number, "(BODY.PEEK[TEXT])")[1][0][1]
    assert header + text == mail
    typ, [line] = imap.fetch(number, "(FLAGS RFC822.SIZE)")
    assert f"RFC822.SIZE {len(mail)}".encode() in line, line
said["uids"] = imap.uid("SEARCH", "ALL")[1][0].split()
said["uids"] = [int(uid) for uid in said["uids"]]
typ, data = imap.uid("FETCH", "2:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
said["subjects"] = [each[1].decode() for each in data if isinstance(each, tuple)]
searches = {
    "subject": '(SUBJECT "mail the")',
    "from": '(OR FROM grace FROM "ada@")',
    "body": '(BODY "8 bits")',
    "not": '(NOT TEXT "hard way")',
    "large": "(LARGER 300 SMALLER 400)",
    "sent": "(SENTON 20-Jul-2026)",
    "since": "(SINCE 1-Jan-2020 UNSEEN)",
    "set": "(2:* UNDELETED)",
    "seen": "(SEEN)",
}
said["search"] = {}
for name, words in searches.items():
    typ, [found] = imap.search(None, words)
    said["search"][name] = [int(number) for number in found.split()]
# a text that is not ASCII goes as a literal
imap.literal = "Grüße".encode()
typ, [found] = imap.uid("SEARCH", "CHARSET", "UTF-8", "SUBJECT")
said["search"]["literal"] = [int(number) for number in found.split()]
typ, [line] = imap.status("INBOX", "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)")
said["status"] = line.decode()
said["noop"] = imap.noop()[0]
said["refused"] = {}
for name, act in {
    "store": lambda: imap.store("1", "+FLAGS", "\\Seen"),
    "append": lambda: imap.append("INBOX", None, None, b"Subject: new\r\n\r\n"),
    "create": lambda: imap.create("new"),
    "select": lambda: imap.select("nowhere"),
}.items():
    said["refused"][name] = act()[0]
imap.select('"Entw&APw-rfe"', readonly=True)
said["drafts"] = imap.fetch("1", "(BODY[TEXT])")[1][0][1].decode()
said["unselect"] = imap.unselect()[0]
said["logout"] = imap.logout()[0]
print(json.dumps(said))
