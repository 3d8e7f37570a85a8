"""The web server of the embedded stack: uvicorn in a thread, on a socket that is bound before anything else starts."""

import gc
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import uvicorn

from backend.shared.errors import StartupError

from .connections import BACKLOG, HEADERS_S, TAKEN_S, Crowd, raise_file_limit
from .seldom import Seldom

START_S = 20.0
GRACE_S = 3  # open streams would keep the server for ever


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 picks a free one. Raises StartupError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP: asyncio turns Nagle's algorithm off for such sockets only, and with it each answer on a connection
    # that is kept would wait 40 ms, until the client has acknowledged the headers.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host.strip("[]"), port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        why = "is in use" if port and error.errno == 98 else f"cannot be opened ({error.strerror})"
        raise StartupError(
            f"port {port} of {host} {why}; choose another with --port or DROPSCOPE_PORT (0 picks a free one)"
        ) from error
    return listening


def address(listening: socket.socket, host: str) -> str:
    """The URL of the server for a browser on this machine."""
    port = listening.getsockname()[1]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)
    return f"http://{shown}:{port}"


class WebServer:
    """One application, served from a thread of this process."""

    def __init__(
        self,
        app: Any,
        listening: socket.socket,
        log_level: str,
        end_streams: Callable[[], None],
        *,
        trusted_proxies: tuple[str, ...] = (),
        headers_s: float = HEADERS_S,
        taken_s: float = TAKEN_S,
    ) -> None:
        """`trusted_proxies`: whose X-Forwarded-For is believed; whoever else sends one is who they are."""
        crowd = Crowd(raise_file_limit(), headers_s, taken_s)
        config = uvicorn.Config(
            app,
            http=crowd.protocol,  # type: ignore[arg-type]  # a maker of protocols, called as the class would be
            backlog=BACKLOG,
            log_level=log_level.lower(),
            access_log=False,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
            timeout_graceful_shutdown=GRACE_S,
            log_config=None,
        )
        for name in ("uvicorn.error", "asyncio"):
            found = logging.getLogger(name)
            if not any(isinstance(one, Seldom) for one in found.filters):
                found.addFilter(Seldom())
        self._server = uvicorn.Server(config)
        self._listening, self._end_streams = listening, end_streams
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)

    def start(self) -> None:
        """Serve; returns when requests are answered. Raises StartupError."""
        self._thread.start()
        end = time.monotonic() + START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                if isinstance(self._error, StartupError):
                    raise self._error
                raise StartupError(f"the web server did not start: {self._error or 'its log has the reason'}")
            time.sleep(0.02)

    def is_alive(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def stop(self, force: bool = False) -> None:
        """End the live streams, answer what is being answered, for three seconds at most, then end."""
        self._end_streams()
        self._server.should_exit = True
        self._server.force_exit = force
        self._thread.join(timeout=GRACE_S + 1)

    def _serve(self) -> None:
        # What is loaded by now stays: looking through it again at each full collection stops every answer for 0.1 s.
        gc.collect()
        gc.freeze()
        try:
            self._server.run(sockets=[self._listening])
        except SystemExit:
            self._error = StartupError("the web server could not start; its log above has the reason")
        except BaseException as error:  # kept for the thread that waits
            logging.getLogger(__name__).debug("web server", exc_info=True)
            self._error = error
