"""Answers as small as the client takes them: zstd, brotli or gzip, for texts of a kilobyte or more.

The page's files are compressed once, when they are built (`frontend/scripts/compress.mjs`, `edge/page.py`). Streams of
events stay as they are: each is small, and has to arrive when it happens.
"""

import re

from starlette.datastructures import Headers
from starlette.types import Scope
from starlette_compress import CompressMiddleware, add_compress_type, remove_compress_type

__all__ = ["BUILT", "LEAST_BYTES", "CompressMiddleware", "taken"]

LEAST_BYTES = 1000
BUILT = {"br": ".br", "gzip": ".gz"}  # codings of the page's built files, the smaller one first
_REFUSED = re.compile(r";\s*q\s*=\s*0(\.0*)?\s*(;|$)")

for kind in ("application/problem+json", "text/csv", "application/yaml"):
    add_compress_type(kind)
remove_compress_type("text/event-stream")


def taken(scope: Scope) -> list[str]:
    """Codings of built files that the client takes, the best first."""
    parts = [part.strip().lower() for part in Headers(scope=scope).get("accept-encoding", "").split(",")]
    named = {part.partition(";")[0].strip(): not _REFUSED.search(part) for part in parts}
    return [coding for coding in BUILT if named.get(coding, named.get("*", False))]
