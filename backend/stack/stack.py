"""Starts the parts of the embedded stack in order, and stops them in the opposite one within ten seconds.

Up: home folder, port, database, Valkey, workers, web server. Down: web server, workers (drained), Valkey.
"""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

from pydantic import SecretStr

from backend.shared.database import open_database
from backend.shared.errors import StartupError
from backend.shared.settings import Settings
from backend.stack import home, valkey, web, worker_processes
from backend.stack.child import Child

log = logging.getLogger(__name__)
WORKERS_STOP_S = 5.0
VALKEY_STOP_S = 1.0


class Stop:
    """Told by SIGINT and SIGTERM; a second signal means at once."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.forced = False
        self._at_force: list[Callable[[], None]] = []

    def install(self) -> None:
        """Take over both signals; call it from the main thread."""
        signal.signal(signal.SIGINT, self._heard)
        signal.signal(signal.SIGTERM, self._heard)

    def when_forced(self, act: Callable[[], None]) -> None:
        """What a second signal does at once."""
        self._at_force.append(act)

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked.is_set():
            self.forced = True
            for act in self._at_force:
                act()
        self.asked.set()


class Stack:
    """A running stack: `url` for browsers, and the children that must stay alive."""

    def __init__(self, url: str, server: web.WebServer, broker: Child | None, workers: list[Child]) -> None:
        self.url, self._server, self._broker, self._workers = url, server, broker, workers

    def trouble(self) -> str | None:
        """A sentence where a part has ended by itself, else None."""
        if not self._server.is_alive():
            return "the web server ended"
        for child, name in [(self._broker, "Valkey"), *((worker, "a worker") for worker in self._workers)]:
            if child is not None and not child.is_alive():
                return f"{name} ended: {child.last_line()} (more in {child.log})"
        return None


@contextmanager
def running(settings: Settings, stop: Stop, create_app: Callable[[Settings], Any]) -> Iterator[Stack]:
    """The stack, from its start to its end; `create_app` makes the web application. Raises StartupError.

    Call it from the main thread: the children die with the thread that started them.
    """
    with ExitStack() as parts:
        home.prepare(settings)
        lock = parts.enter_context(home.HomeLock(settings))
        listening = parts.enter_context(web.bind(settings.host, settings.port))
        url = web.address(listening, settings.host)
        settings, broker = _start_broker(settings, stop, parts)
        broker_url = settings.resolved_broker_url
        app = create_app(settings)  # brings the database up to date before any worker looks into it
        server = web.WebServer(app, listening, settings.log_level)
        parts.callback(lambda: server.stop(stop.forced))
        server.start()
        children = worker_processes.start(settings, broker_url)
        for child in children:
            stop.when_forced(child.kill)
        _stops_before(parts, server, children, stop)
        _wait_for_workers(settings, children)
        lock.tell(url, broker_url)
        yield Stack(url, server, broker, children)
        log.info("stopping")


def _start_broker(settings: Settings, stop: Stop, parts: ExitStack) -> tuple[Settings, Child | None]:
    if settings.broker_url is not None:
        return settings, None
    socket = home.socket_path(settings)
    broker = valkey.start(socket, settings.home / "valkey", settings.home / "logs" / "valkey.log")
    stop.when_forced(broker.kill)

    def end() -> None:
        broker.ask_to_stop()
        if not broker.wait(VALKEY_STOP_S):
            broker.kill()
        socket.unlink(missing_ok=True)

    parts.callback(end)
    return settings.model_copy(update={"broker_url": SecretStr(f"redis+socket://{socket}")}), broker


def _stops_before(parts: ExitStack, server: web.WebServer, children: list[Child], stop: Stop) -> None:
    """The web server was started before the workers and stops before them too."""

    def end() -> None:
        server.stop(stop.forced)
        worker_processes.stop(children, 0 if stop.forced else WORKERS_STOP_S)

    parts.callback(end)


def _wait_for_workers(settings: Settings, children: list[Child]) -> None:
    database = open_database(settings)
    try:
        ready = worker_processes.wait_registered(database, children)
    finally:
        database.close()
    if not ready:
        dead = next((child for child in children if not child.is_alive()), children[0])
        raise StartupError(f"the workers did not start: {dead.last_line()} (more in {dead.log})")
