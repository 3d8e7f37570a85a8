"""Which server a command talks to: the one of DROPSCOPE_URL, else the stack that runs on this home folder."""

from typing import TYPE_CHECKING

from backend.embedded import home
from backend.shared.errors import StartupError
from backend.shared.settings import Settings

if TYPE_CHECKING:
    from backend.client import Dropscope


def address(settings: Settings) -> str | None:
    """The server's URL, None where none runs."""
    if settings.url is not None:
        return settings.url
    running = home.find_running(settings)
    return running.url if running else None


def remote(settings: Settings) -> "Dropscope":
    """A client of that server; StartupError where none runs."""
    url = address(settings)
    if url is None:
        raise StartupError("no server runs here; start one with `dropscope up`, or set DROPSCOPE_URL")
    return client(settings, url)


def client(settings: Settings, url: str) -> "Dropscope":
    """A client of a server, with the token of DROPSCOPE_TOKEN."""
    from backend.client import Dropscope  # HTTP is only loaded where somebody is asked

    return Dropscope(url, settings.token.get_secret_value() if settings.token else None)
