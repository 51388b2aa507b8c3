"""Python's smtplib as a client: smtplib_client.py HOST PORT CA; prints one JSON object."""

import json
import smtplib
import ssl
import sys
from email.message import EmailMessage

host, port, authority = sys.argv[1], int(sys.argv[2]), sys.argv[3]
said = {}


def refused(name, work):
    try:
        said[name] = "not refused: " + str(work())
    except smtplib.SMTPResponseException as error:
        said[name] = error.smtp_code


with smtplib.SMTP(host, port, timeout=30) as smtp:
    said["ehlo"] = smtp.ehlo()[0]
    said["features"] = sorted(smtp.esmtp_features)
    text = "Subject: by hand\n\n.\n..\n.dot\nlast without end"
    everybody = ["bob@example.org", "bob@example.com", "carol@localhost"]
    rejected = smtp.sendmail("alice@example.org", everybody, text)
    said["rejected"] = {address: reply[0] for address, reply in rejected.items()}
    said["noop"], said["rset"] = smtp.noop()[0], smtp.rset()[0]
    said["verify"] = smtp.verify("bob")[0]
    too_large = "x" * 70 + "\r\n"
    refused("large", lambda: smtp.sendmail("a@example.org", ["b@example.org"], too_large * 2000))
    smtp.rset()
    refused("line", lambda: smtp.sendmail("a@example.org", ["b@example.org"], "x" * 1100))

with smtplib.SMTP(host, port, timeout=30) as smtp:
    # the certificate is checked, and the name in it
    said["starttls"] = smtp.starttls(context=ssl.create_default_context(cafile=authority))[0]
    smtp.ehlo()
    said["secure_features"] = sorted(smtp.esmtp_features)
    message = EmailMessage()
    message["From"], message["To"] = "alice@example.org", "bob@example.org"
    message["Subject"] = "Grüße über TLS"
    message.set_content("Zeile eins\n.\nZeile drei: 大きさ\n")
    said["unsent"] = smtp.send_message(message)
    eight = "Subject: eight bits\r\n\r\nGrüße\r\n".encode()
    smtp.sendmail("alice@example.org", ["bob@example.org"], eight, mail_options=["BODY=8BITMIME"])

with smtplib.SMTP(host, port, timeout=30) as smtp:
    smtp.helo("client.example")
    smtp.sendmail("", ["postmaster@example.org"], "Subject: helo\r\n\r\nreport\r\n")

print(json.dumps(said))
