"""Starts the parts of the embedded stack in order, and stops them in the opposite one within ten seconds.

Up: home folder, port, database, Valkey, workers, web server. Down: web server, workers (drained), Valkey.
Workers take seconds to load their libraries, so the web server starts beside them.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FrameType
from typing import Any

from pydantic import SecretStr

from backend.migrations.runner import migrate
from backend.shared import logs
from backend.shared.database import open_database
from backend.shared.errors import StartupError
from backend.shared.settings import Settings

from . import exposure, home, valkey, web_server, worker_processes
from .restarts import Tended, tended

log = logging.getLogger(__name__)
WORKERS_STOP_S = 5.0
VALKEY_STOP_S = 1.0
ECHO_S = 1.0


class Stop:
    """Told by SIGINT and SIGTERM; a second signal means at once.

    Wrappers such as `timeout` and `npm` pass a signal on that the terminal has sent to everybody already, so one that
    follows within a second is the same one.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.forced = False
        self._asked_at = 0.0
        self._at_force: list[Callable[[], None]] = []

    def install(self) -> None:
        """Take over both signals; call it from the main thread."""
        signal.signal(signal.SIGINT, self._heard)
        signal.signal(signal.SIGTERM, self._heard)

    def when_forced(self, act: Callable[[], None]) -> None:
        """What a second signal does at once."""
        self._at_force.append(act)

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        if not self.asked.is_set():
            self._asked_at = time.monotonic()
            self.asked.set()
        elif time.monotonic() - self._asked_at > ECHO_S:
            self.forced = True
            for act in self._at_force:
                act()


class Stack:
    """A running stack: `url` for browsers, and the children that are kept alive."""

    def __init__(self, url: str, server: web_server.WebServer, children: list[Tended]) -> None:
        self.url, self._server, self._children = url, server, children

    def is_serving(self) -> bool:
        """Whether the web server still runs."""
        return self._server.is_alive()

    def tend(self) -> list[str]:
        """Start children again that ended by themselves; a sentence for each one found. Call it now and then."""
        return [sentence for child in self._children if (sentence := child.tend()) is not None]

    def cut_logs(self) -> None:
        """Keep what the children write within its bound. Call it now and then."""
        for child in self._children:
            logs.cut(child.child.log)


@contextmanager
def running(settings: Settings, stop: Stop, create_app: Callable[[Settings], Any]) -> Iterator[Stack]:
    """The stack, from its start to its end; `create_app` makes the web application. Raises StartupError.

    Call it and `Stack.tend` from the main thread: the children die with the thread that started them.
    """
    exposure.check(settings)
    with ExitStack() as parts:
        home.prepare(settings)
        lock = parts.enter_context(home.HomeLock(settings))
        listening = parts.enter_context(web_server.bind(settings.host, settings.port))
        url = web_server.address(listening, settings.host) + settings.root_path
        migrate(settings)
        children: list[Tended] = []
        stop.when_forced(lambda: _kill(children))
        if settings.broker_url is None:
            settings = _start_broker(settings, children, parts)
        broker_url = settings.resolved_broker_url
        workers = [
            tended(f"worker {number}", partial(worker_processes.start, settings, broker_url, number))
            for number in range(worker_processes.count(settings))
        ]
        children += workers
        parts.callback(lambda: _stop_workers(workers, stop))
        app = create_app(settings)
        server = web_server.WebServer(
            app,
            listening,
            settings.log_level,
            app.state.watch.end_soon,
            trusted_proxies=settings.trusted_proxies,
        )
        parts.callback(lambda: server.stop(stop.forced))
        server.start()
        _wait_for_workers(settings, workers)
        lock.tell(url, broker_url)
        yield Stack(url, server, children)
        log.info("stopping")


def _start_broker(settings: Settings, children: list[Tended], parts: ExitStack) -> Settings:
    socket = home.socket_path(settings)
    start = partial(valkey.start, socket, settings.home / "valkey", settings.home / "logs" / "valkey.log")
    broker = tended("Valkey", start)
    children.append(broker)

    def end() -> None:
        broker.child.ask_to_stop()
        if not broker.child.wait(VALKEY_STOP_S):
            broker.child.kill()
        socket.unlink(missing_ok=True)

    parts.callback(end)
    return settings.model_copy(update={"broker_url": SecretStr(f"redis+socket://{socket}")})


def _stop_workers(workers: list[Tended], stop: Stop) -> None:
    worker_processes.stop([worker.child for worker in workers], 0 if stop.forced else WORKERS_STOP_S)


def _kill(children: list[Tended]) -> None:
    for tended_child in children:
        tended_child.child.kill()


def _wait_for_workers(settings: Settings, workers: list[Tended]) -> None:
    children = [worker.child for worker in workers]
    database = open_database(settings)
    try:
        ready = worker_processes.wait_registered(database, children)
    finally:
        database.close()
    if not ready:
        dead = next((child for child in children if not child.is_alive()), children[0])
        raise StartupError(f"the workers did not start: {dead.last_line()} (more in {dead.log})")
