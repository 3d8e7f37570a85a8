"""A server that others can reach must know who they are: what is refused before a port is opened."""

from backend.shared.addresses import is_loopback
from backend.shared.errors import StartupError
from backend.shared.settings import Settings


def check(settings: Settings) -> None:
    """Refuse an address or a name beyond this machine without accounts, or an address without such names.

    A name that browsers elsewhere use means that something in front passes on what they send.
    Raises StartupError with what to set.
    """
    if is_loopback(settings.host):
        names = [name for name in settings.allowed_hosts if not is_loopback(name)]
        if names and not settings.auth:
            raise StartupError(
                f"DROPSCOPE_ALLOWED_HOSTS names {names[0]}, by which others reach this server through a proxy, and "
                "without accounts each of them would be its owner; set DROPSCOPE_AUTH=on, or leave that name out"
            )
        return
    reached = f"on {settings.host} other machines reach this server"
    if not settings.auth:
        raise StartupError(f"{reached}, and without accounts each of them would be its owner; set DROPSCOPE_AUTH=on")
    if all(is_loopback(name) for name in settings.allowed_hosts):
        raise StartupError(
            f"{reached}, but it answers to local names only; give the names that browsers use, for example "
            "--allowed-hosts dropscope.example.org (or DROPSCOPE_ALLOWED_HOSTS)"
        )
