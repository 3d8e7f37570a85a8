"""The client: `studies`, `runs`, `datasets` and `adapters` as nouns; answers are the API's JSON as dictionaries."""

import os
from types import TracebackType
from typing import Self

from .adapters import Adapters
from .connection import Connection, Json
from .datasets import Datasets
from .studies import Runs, Studies

HERE = "http://127.0.0.1:8321"


class Dropscope:
    """A connection to one server; use it as a context manager, or call `close`.

    Without arguments: the server of DROPSCOPE_URL with the token of DROPSCOPE_TOKEN, else this machine's.
    Methods raise ApiError where the server refuses, ServerUnreachable where nobody answers.
    """

    def __init__(self, url: str | None = None, token: str | None = None, timeout: float = 30.0) -> None:
        if url is None:
            url, token = os.environ.get("DROPSCOPE_URL", HERE), token or os.environ.get("DROPSCOPE_TOKEN")
        self._connection = Connection(url, token, timeout)
        self.url = self._connection.url
        self.studies = Studies(self._connection)
        self.runs = Runs(self._connection)
        self.datasets = Datasets(self._connection)
        self.adapters = Adapters(self._connection, self.datasets)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.http.close()

    def me(self) -> Json:
        """Who is asking, with which rights."""
        return self._connection.json("GET", "/me")

    def methods(self) -> Json:
        """Presets, cells and consistency losses."""
        return self._connection.json("GET", "/methods")

    def models(self) -> list[Json]:
        """Base models that can be trained on there."""
        return list(self._connection.json("GET", "/models")["items"])

    def workers(self) -> Json:
        """The workers and what they do."""
        return self._connection.json("GET", "/workers")
