"""Whether a server is on this machine: what is sent to it is sent to nobody else, whatever HTTP_PROXY says."""

import ipaddress

import httpx


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine's own loopback."""
    try:
        host = httpx.URL(url).host.lower()
    except httpx.InvalidURL:
        return False  # said when it is asked
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
