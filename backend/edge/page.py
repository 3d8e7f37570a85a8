"""The built frontend from `backend/web`: its files, and its one page for every address that is neither file nor API.

Files are sent in the coding that the browser takes, as they were compressed when they were built.
"""

import mimetypes
from pathlib import Path

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from .compression import BUILT, taken
from .problems import problem

WEB = Path(__file__).parent.parent / "web"
NOT_OURS = ("/api/", "/healthz", "/readyz", "/metrics")
NOT_BUILT = (
    "Dropscope is running, but its page has not been built. In the frontend folder, run `npm ci` and `npm run build` "
    "(or `make demo`, which does both); the API is under /api/v1.\n"
)
FOR_EVER = "public, max-age=31536000, immutable"  # names of built files hold a hash of their content


class SinglePage:
    """ASGI middleware: answers what belongs to the page and passes the rest on."""

    def __init__(self, app: ASGIApp, folder: Path = WEB, root: str = "") -> None:
        self.app, self._page, self._root = app, folder / "index.html", root
        self._files = StaticFiles(directory=folder) if self._page.is_file() else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on."""
        ours = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if not ours or scope["path"].startswith(NOT_OURS):
            await self.app(scope, receive, send)
            return
        answer = await self._answer(scope)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        if self._files is None:
            return PlainTextResponse(NOT_BUILT, 503)
        if scope["path"] != "/":
            try:
                found = await self._file(self._files.get_path(scope), scope)
            except (HTTPException, ValueError):  # ValueError: a NUL in the path
                if "text/html" not in Headers(scope=scope).get("accept", ""):
                    return problem(scope, 404, "not_found", "there is nothing at this address")
            else:
                if scope["path"].startswith("/assets/"):
                    found.headers["Cache-Control"] = FOR_EVER
                return found
        page = await to_thread.run_sync(self._page.read_text, "utf-8")  # each time: a new build may have come
        return HTMLResponse(_rooted(page, self._root), headers={"Cache-Control": "no-cache"})

    async def _file(self, path: str, scope: Scope) -> Response:
        """A file in the first coding that the client takes and the build has left; raises HTTPException 404."""
        assert self._files is not None
        whole = await self._files.get_response(path, scope)
        for coding in taken(scope):
            try:
                found = await self._files.get_response(path + BUILT[coding], scope)
            except HTTPException:
                continue
            if found.status_code != 304:  # which has no body to speak of
                found.headers["Content-Encoding"] = coding
                found.headers["Content-Type"] = whole.headers.get("Content-Type") or _type_of(path)
            break
        else:
            found = whole
        found.headers.add_vary_header("Accept-Encoding")
        return found


def _rooted(page: str, root: str) -> str:
    """The page with its files under the path that a proxy serves it at, which it is told as well.

    The build names files from where the page lies (`./assets/…`); addresses of the page are of any depth.
    """
    return page.replace('="./', f'="{root}/').replace(
        "<head>", f'<head>\n    <meta name="dropscope-root" content="{root}" />', 1
    )


def _type_of(path: str) -> str:
    return mimetypes.guess_type(path)[0] or "application/octet-stream"
