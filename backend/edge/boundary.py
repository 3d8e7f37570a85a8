"""The outermost layer: who may talk to this server from a browser, the headers of every answer, and the last resort.

A page of another site can make a browser send requests to a server on loopback, and DNS rebinding can make that
site's name point at it. So the Host must be one of ours on every request, and on every method that may change
something the Origin must be that Host. Programs that send neither Origin nor Sec-Fetch-Site are no browsers.
"""

import logging
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.shared import logs
from backend.shared.ids import new_id

from . import secret_addresses
from .problems import problem

log = logging.getLogger(__name__)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:/@\s]+)(?::(\d{1,5}))?")
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Boundary:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, allowed_hosts: tuple[str, ...]) -> None:
        self.app = app
        self._allowed = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = new_id("request")
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.update(secret_addresses.headers(scope["path"]))
                headers["X-Request-ID"] = request_id
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        reason = self._refusal(scope)
        if reason is not None:
            await problem(scope, 403, "forbidden", reason)(scope, receive, answer)
            return
        try:
            with logs.about(request_id=request_id):
                await self.app(scope, receive, answer)
        except ClientDisconnect:
            log.debug("request %s: whoever asked has left", request_id)
        except Exception:
            log.exception(
                "request %s failed: %s %s", request_id, scope["method"], secret_addresses.shown(scope["path"])
            )
            if started:
                raise
            sentence = f"something went wrong here; the server's log has the reason under {request_id}"
            await problem(scope, 500, "internal", sentence)(scope, receive, answer)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        split = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if split is None or split.group(1).lower() not in self._allowed:
            return "this server does not answer for that Host; add it to DROPSCOPE_ALLOWED_HOSTS if it is meant to"
        if scope["method"] in SAFE:
            return None
        origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
        if any(not _same(origin, hosts[0], scope["scheme"]) for origin in origins):
            return "a page of another origin may not change anything here"
        if any(site != "same-origin" for site in sites):
            return "a page of another site may not change anything here"
        return None


def _same(origin: str, host: str, scheme: str) -> bool:
    try:
        parts = urlsplit(origin)
        given = parts.port
    except ValueError:
        return False
    default = {"http": 80, "https": 443}.get(parts.scheme)
    if default is None or parts.username is not None or not parts.hostname:
        return False
    ours = _HOST.fullmatch(host)
    assert ours is not None  # checked before
    name, port = ours.group(1).strip("[]").lower(), int(ours.group(2) or {"http": 80, "https": 443}.get(scheme, 0))
    behind_tls = ours.group(2) is None and parts.scheme == "https" and given is None  # a proxy ends TLS before us
    return parts.hostname.lower() == name and (behind_tls or (given or default) == port)
