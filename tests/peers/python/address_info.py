"""What getaddrinfo says of hosts and services, asked as a JSON list of pairs on stdin."""

import json
import socket
import sys

PROTOCOLS = {0: "IPPROTO_IP", 6: "IPPROTO_TCP", 17: "IPPROTO_UDP"}


def told(host, service):
    try:
        infos = socket.getaddrinfo(host, service, flags=socket.AI_CANONNAME)
    except OSError:
        return None
    # the canonical name stands in the first alone; the order is the system's choice
    return {
        "canonicalName": infos[0][3],
        "infos": sorted({
            (family.name, kind.name, PROTOCOLS[protocol], address[0], address[1])
            for family, kind, protocol, _, address in infos
        }),
    }


json.dump([told(host, service) for host, service in json.load(sys.stdin)], sys.stdout)
