"""The built frontend, served from `backend/web`; every address that is no file of it is answered with its one page."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

WEB = Path(__file__).parent.parent / "web"
NOT_BUILT = (
    "Dropscope is running, but its page has not been built. In the frontend folder, run `npm ci` and `npm run build` "
    "(or `make demo`, which does both); the API is under /api/v1.\n"
)


def install(app: FastAPI, folder: Path = WEB) -> None:
    """Serve the page after all other routes."""
    if (folder / "index.html").is_file():
        app.frontend("/", directory=folder, fallback="index.html")
        return

    @app.get("/", include_in_schema=False)
    def not_built() -> PlainTextResponse:
        return PlainTextResponse(NOT_BUILT, 503)
