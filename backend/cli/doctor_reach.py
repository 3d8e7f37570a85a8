"""What of `dropscope doctor` looks outwards: proxies that requests go through, and what others on the machine reach."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from backend.cli.finding import Finding
from backend.client.loopback import is_loopback
from backend.shared.settings import Settings

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def proxies(settings: Settings) -> Iterator[Finding]:
    """The proxy settings in force, and whether the server of DROPSCOPE_URL is asked through one."""
    known = {name: os.environ.get(name.lower()) or os.environ.get(name) for name in _PROXIES}
    told = [f"{name}={_without_password(value)}" for name, value in known.items() if value]
    if not told:
        return
    yield Finding("proxy", True, f"{', '.join(told)}; this machine's own addresses are never sent through it")
    server = settings.url
    if server is None or is_loopback(server):
        return
    host, https = urlsplit(server).hostname or "", server.startswith("https")
    if (known["HTTPS_PROXY" if https else "HTTP_PROXY"] or known["ALL_PROXY"]) and not proxy_bypass(host):
        remedy = f"add it to NO_PROXY if the server stands on your own network: NO_PROXY={host}"
        yield Finding("server's proxy", False, f"{host} is asked through the proxy", remedy, fatal=False)


def _without_password(value: str) -> str:
    before, at, after = value.rpartition("@")
    return f"{before.partition('//')[0]}//***@{after}" if at else value


def open_to_others(settings: Settings) -> Iterator[Finding]:
    """Files and folders of ours that somebody else on this machine may enter, read or write."""
    database = settings.sqlite_path
    ours = {
        "home": settings.home,
        "database": database,
        "database's log": database.with_name(f"{database.name}-wal"),
        "backups": settings.home / "backups",
        "logs": settings.home / "logs",
        "broker's folder": settings.home / "valkey",
        "broker's socket": settings.broker_socket,
    }
    if settings.shared != settings.home:
        ours["shared folder"] = settings.shared
    for name, path in ours.items():
        mode = _mode(path)
        if mode is not None and mode & 0o077:
            whom = "everybody" if mode & 0o007 else "its group"
            found = f"{path} is open to {whom} on this machine (mode {mode:04o})"
            remedy = f"chmod go-rwx {path}; `dropscope up` does so for what is its own"
            yield Finding(name, False, found, remedy, fatal=False)


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
