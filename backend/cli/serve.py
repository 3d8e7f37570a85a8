"""`dropscope up` and `dropscope worker`, and the embedded stack for other commands."""

import logging
import os
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from rich.markup import escape

from backend.accounts import service as accounts
from backend.cli.console import err, log_to
from backend.embedded import heap, home, stack, worker_processes
from backend.shared.addresses import check_worker
from backend.shared.database import open_database
from backend.shared.errors import StartupError
from backend.shared.settings import Settings

LOOK_S = 0.5
TIDY_S = 10.0


def up(settings: Settings, *, browser: bool) -> int:
    """Serve until told to stop; return the exit code."""
    console = err()
    stop = stack.Stop()
    stop.install()
    with embedded(settings, stop, aloud=True) as running:
        console.print(
            f"Dropscope is at [bold]{running.url}[/bold] (data in {escape(str(settings.home))}; Ctrl-C stops it)",
            markup=True,
        )
        if settings.auth:
            _offer_set_up(settings, running.url)
        if browser and sys.stdin.isatty() and os.environ.get("DISPLAY", os.environ.get("WAYLAND_DISPLAY", "")):
            webbrowser.open(running.url)
        return serve_on(running, stop)


def _offer_set_up(settings: Settings, url: str) -> None:
    """Print the link for the first account, where there is none yet."""
    with closing(open_database(settings)) as database:
        secret = accounts.setup_secret(database)
    if secret is not None:
        err().print(f"Make the first account within 24 hours, with this link: {url}/setup#{secret}", markup=False)


def serve_on(running: stack.Stack, stop: stack.Stop) -> int:
    """Wait for the end: 0 where it was asked for, 1 where the web server ended by itself."""
    tidied = time.monotonic()
    while not stop.asked.wait(LOOK_S):
        if time.monotonic() - tidied > TIDY_S:
            heap.give_back()
            running.cut_logs()
            tidied = time.monotonic()
        for trouble in running.tend():
            err().print(f"dropscope: {trouble}", markup=False)
        if not running.is_serving():
            return 1
    return 0


@contextmanager
def embedded(settings: Settings, stop: stack.Stop, *, aloud: bool) -> Iterator[stack.Stack]:
    """The embedded stack; its log goes to a file in the home folder, and where it is `aloud` to standard error."""
    heap.keep_small()
    home.prepare(settings)
    log_to(settings.home / "logs" / "server.log", settings.log_level, settings.log_format, aloud=aloud)
    with stack.running(settings, stop, _web_app) as running:
        yield running
    logging.getLogger(__name__).info("stopped")


def _web_app(settings: Settings) -> Any:
    from backend.main import create_app  # FastAPI is only loaded where it serves

    return create_app(settings)


def worker(settings: Settings) -> None:
    """Become a worker of the broker in the settings, or of the stack that runs on this home folder."""
    check_worker(settings)
    broker_url = settings.resolved_broker_url
    if settings.broker_url is None:
        running = home.find_running(settings)
        if running is None:
            raise StartupError(
                "there is no queue to work on: start `dropscope up` first, or set DROPSCOPE_BROKER_URL (and "
                "DROPSCOPE_DATABASE_URL for workers on several machines)"
            )
        broker_url = running.broker_url
    command = worker_processes.command()
    os.execve(command[0], command, worker_processes.environment(settings, broker_url))
