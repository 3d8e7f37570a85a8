"""Which addresses lie on this machine, and whether a worker can reach the same database as its server."""

import ipaddress
from urllib.parse import urlsplit

from backend.shared.errors import StartupError
from backend.shared.settings import Settings


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own loopback."""
    bare = host.strip("[]").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def check_worker(settings: Settings) -> None:
    """Refuse a worker whose queue lies on another machine but whose database is a file on this one.

    Raises StartupError with the reason.
    """
    if settings.database_url is not None or settings.broker_url is None:
        return
    host = urlsplit(settings.broker_url.get_secret_value()).hostname
    if host is not None and not is_loopback(host):
        raise StartupError(
            f"the queue is on {host}, but the database is SQLite: a file that only the processes of one machine can "
            "share safely. Workers on several machines need Postgres: set DROPSCOPE_DATABASE_URL to the server's "
            "(docs/deployment.md)"
        )
