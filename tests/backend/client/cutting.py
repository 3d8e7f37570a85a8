"""A line between a client and a server that breaks when so many bytes have gone up it, as often as it is told to."""

import contextlib
import socket
import threading


class CuttingLine:
    """Listens on a port of its own; each of the first `breaks` connections is reset after `after` bytes."""

    def __init__(self, host: str, port: int, after: int, breaks: int) -> None:
        self._target, self._after, self._left = (host, port), after, breaks
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def breaks_left(self) -> int:
        """How often it will still break."""
        return self._left

    def close(self) -> None:
        """Listen no more."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        gone = 0
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
                gone += len(data)
                if self._left > 0 and gone >= self._after:
                    self._left -= 1
                    break
        for line in (client, server):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
