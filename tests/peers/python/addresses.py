"""What the ipaddress module says of addresses with prefixes, asked as a JSON list: one line for each."""

import ipaddress
import json
import sys

PRIVATE = [
    ipaddress.ip_network(private)
    for private in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
]

def hosts(network):
    first, last = int(network[0]), int(network[-1])
    if network.max_prefixlen - network.prefixlen > 1:
        first += 1
        last -= 1 if network.version == 4 else 0
    return [format(first, "x"), format(last, "x")]


def told(text):
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        return None
    network, address = interface.network, interface.ip
    try:
        ipaddress.ip_network(text)
        bits_set = False
    except ValueError:
        bits_set = True
    mapped = getattr(address, "ipv4_mapped", None)
    judged = mapped or address
    return {
        "version": address.version,
        "prefix": network.prefixlen,
        "address": format(int(address), "x"),
        # since Python 3.13 as RFC 5952 has it
        "short": f"::ffff:{mapped}" if mapped else str(address),
        "long": address.exploded if not mapped else None,
        "zone": getattr(interface, "scope_id", None),
        "network": format(int(network.network_address), "x"),
        "last": format(int(network.broadcast_address), "x"),
        "netmask": format(int(network.netmask), "x"),
        "count": str(network.num_addresses),
        "hosts": hosts(network),
        "hostBitsSet": bits_set,
        "loopback": judged.is_loopback,
        "linkLocal": judged.is_link_local,
        "multicast": judged.is_multicast,
        "unspecified": judged.is_unspecified,
        "private": any(judged in private for private in PRIVATE),
    }


for text in json.load(sys.stdin):
    print(json.dumps(told(text)))
