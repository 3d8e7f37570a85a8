"""The path a proxy serves Dropscope under, as `https://host/dropscope`: it may pass the path on or take it off."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Prefix:
    """ASGI middleware: takes the prefix off what is asked, and puts it in front of the addresses that answers name.

    root: begins with a slash and ends without one.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self.app, self._root, self._raw = app, root, root.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, without the prefix where there is one."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path == self._root or path.startswith(self._root + "/"):
            raw = scope.get("raw_path") or path.encode()
            scope = {**scope, "path": path[len(self._root) :] or "/", "raw_path": raw[len(self._raw) :] or b"/"}

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                where = headers.get("location", "")
                if where.startswith("/"):
                    headers["location"] = self._root + where
            await send(message)

        await self.app(scope, receive, named)
