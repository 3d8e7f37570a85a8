"""Rings the doorbell: after a commit, tells a worker to look into the queue. A lost or doubled ring changes nothing."""

import logging
import threading
from typing import Annotated, Any

from celery import Celery
from kombu import Connection

from backend.edge.context import held
from backend.shared import doorbell
from backend.shared.settings import Settings

log = logging.getLogger(__name__)
_TRANSPORT: dict[str, Any] = {
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "max_retries": 0,
}


class Doorbell:
    """Sends from a thread of its own, so that a broker that hangs delays nobody; rings meanwhile are one ring."""

    def __init__(self, settings: Settings) -> None:
        self._celery = Celery("dropscope", broker=settings.resolved_broker_url, set_as_current=False)
        self._celery.conf.update(
            task_ignore_result=True,
            result_backend=None,
            task_serializer="json",
            accept_content=["json"],
            broker_transport_options=_TRANSPORT,
            broker_connection_timeout=2,
        )
        self._wanted, self._closing = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.rung = 0
        self.failed = 0
        self.last_error: str | None = None

    def ring(self) -> None:
        """Ask for a ring and return at once; call it after the commit."""
        with self._lock:
            if self._closing.is_set():
                return
            self._wanted.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="doorbell", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop ringing; waits for a ring under way, three seconds at most."""
        with self._lock:
            self._closing.set()
            self._wanted.set()
        if self._thread is not None:
            self._thread.join(timeout=3)
        self._celery.close()

    def _serve(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closing.is_set():
                return
            self._send()

    def _send(self) -> None:
        try:
            rung = doorbell.ring(self._celery)
        except Exception as error:  # whatever the broker's client raises: the reaper rings again
            self.failed += 1
            self.last_error = type(error).__name__  # the message may hold the broker's address and password
            log.warning("the doorbell could not be rung (%s); the reaper rings again", self.last_error)
        else:
            self.rung += rung
            self.last_error = None


def reach(url: str) -> None:
    """Connect to a broker within seconds; raises whatever its client raises."""
    with Connection(url, connect_timeout=2, transport_options={"socket_timeout": 2, "max_retries": 0}) as broker:
        broker.ensure_connection(max_retries=1, timeout=3)


Bell = Annotated[Doorbell, held("doorbell")]
