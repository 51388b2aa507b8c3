"""What Python's imaplib does with a mailbox that has no mails, as JSON."""

import imaplib
import json
import sys

imap = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
imap.login(sys.argv[2], sys.argv[3])
said = {"select": imap.select(sys.argv[4], readonly=True)[1][0].decode()}
said["search"] = [each.decode() for each in imap.search(None, "ALL")[1]]
said["uids"] = [each.decode() for each in imap.uid("SEARCH", "ALL")[1]]
said["by_uid"] = [imap.uid("FETCH", which, "(FLAGS)") for which in ("1", "1:*")]
said["bad"] = []
for which in ("1", "1:*"):
    try:
        said["bad"].append(imap.fetch(which, "(FLAGS)")[0])
    except imaplib.IMAP4.error as error:
        said["bad"].append(str(error))
said["status"] = imap.status(sys.argv[4], "(MESSAGES UNSEEN)")[1][0].decode()
said["noop"] = imap.noop()[0]
said["close"] = imap.close()[0]
said["logout"] = imap.logout()[0]
print(json.dumps(said))
