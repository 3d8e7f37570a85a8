"""Where a request comes from, as it is counted: what one person can have many of counts as one place."""

import ipaddress
from collections.abc import Mapping
from typing import Any

_NETWORK_BITS = 64  # of IPv6: the least that a line is given; whoever has one has 2^64 addresses


def place_of(scope: Mapping[str, Any]) -> str:
    """The client's IP address, of IPv6 its network; "unknown" where there is none."""
    client = scope.get("client")
    if not client:
        return "unknown"
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return str(client[0])[:64]
    if address.version == 4 or address.ipv4_mapped is not None:
        return str(address if address.version == 4 else address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _NETWORK_BITS), strict=False))
