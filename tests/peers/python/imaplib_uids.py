"""The UIDs of a mailbox, and their UIDVALIDITY, as JSON."""

import imaplib
import json
import sys

imap = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
imap.login(sys.argv[2], sys.argv[3])
imap.select("INBOX", readonly=True)
uidvalidity = int(imap.response("UIDVALIDITY")[1][0])
uids = imap.uid("SEARCH", "ALL")[1][0].decode()
imap.logout()
print(json.dumps({"uidvalidity": uidvalidity, "uids": uids}))
