"""Addresses as they may be written down: what follows `/s/` or `/shared/` opens a study to whoever reads it."""

import re

_SECRET = re.compile(r"(/s/|/api/v1/shared/)[^/]+")
PRIVATE = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}


def shown(path: str) -> str:
    """A path for logs and error bodies."""
    return _SECRET.sub(r"\1…", path)


def headers(path: str) -> dict[str, str]:
    """What answers at such an address carry: kept by nobody, found by nobody, told to nobody."""
    return PRIVATE if _SECRET.match(path) else {}
