"""aiosmtpd as a server: aiosmtpd_server.py PORT CERTIFICATE KEY MECHANISM; prints each mail as one line of JSON.

It takes mail over TLS and after a login only: alice with the password "secret word".
"""

import base64
import json
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

port, certificate, key, mechanism = int(sys.argv[1]), *sys.argv[2:5]


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "utf8": envelope.smtp_utf8,
            "options": envelope.mail_options,
            "tls": session.ssl is not None,
            "login": session.auth_data is not None,
            "mail": base64.b64encode(envelope.original_content).decode(),
        }), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, kind, data):
    right = data.login == b"alice" and data.password == b"secret word"
    return AuthResult(success=right, handled=False, auth_data=data if right else None)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
controller = Controller(
    Handler(),
    hostname="127.0.0.1",
    port=port,
    enable_SMTPUTF8=True,
    tls_context=context,
    require_starttls=True,
    authenticator=authenticate,
    auth_required=True,
    auth_exclude_mechanism={"PLAIN", "LOGIN"} - {mechanism},
)
controller.start()
print("listening", file=sys.stderr, flush=True)
while True:
    time.sleep(60)
