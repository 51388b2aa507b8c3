"""The lecture's get_constants, the other way round: the socket module's names and numbers, as JSON."""

import json
import socket
import sys

PREFIXES = ("AF_", "SOCK_", "IPPROTO_")
json.dump({name: getattr(socket, name) for name in dir(socket) if name.startswith(PREFIXES)}, sys.stdout)
