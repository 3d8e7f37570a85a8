"""Data sets of a server: send files, look at what they would become, make data sets of them."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from .connection import Connection, Items, Json, refusal
from .errors import ApiError, ServerUnreachable

PIECE_BYTES = 16 << 20
CHUNK_BYTES = 256 << 10
BREAKS = 6  # in a row
READING_S = 1800.0  # how long a server may take to read a large file

Progress = Callable[[int, int], None]  # bytes sent, bytes in all


class Datasets:
    """`client.datasets`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Items:
        """Data sets that can be trained on there."""
        found: Items = self._connection.json("GET", "/datasets")["items"]
        return found

    def get(self, dataset_id: str) -> Json:
        """What is known of a data set."""
        return self._connection.json("GET", f"/datasets/{dataset_id}")

    def delete(self, dataset_id: str) -> None:
        """Delete a data set on which no study stands."""
        self._connection.send("DELETE", f"/datasets/{dataset_id}")

    def refused_csv(self, dataset_id: str) -> str:
        """The rows that were left out, with their reasons."""
        return self._connection.send("GET", f"/datasets/{dataset_id}/refused.csv").text

    def add(
        self,
        file: str | Path,
        task: str,
        *,
        validation: str | Path | None = None,
        progress: Progress | None = None,
        **plan: Any,
    ) -> Json:
        """Send a file (and one that is held out) and make a data set of it.

        `plan` is the rest of the body of `POST uploads/{id}/commit`: `mapping`, `split`, `drop_repeats`, `id`, ...
        """
        upload = self.send(file, progress)
        held = None if validation is None else self.send(validation, progress)
        return self.commit(upload, {"task": task, "validation_upload_id": held, **plan})

    def send(self, file: str | Path, progress: Progress | None = None) -> str:
        """Send a file; return its upload's id. After a break it goes on where the server stopped hearing it."""
        path = Path(file)
        size = path.stat().st_size
        upload = self._connection.json("POST", "/uploads", json={"name": path.name, "bytes": size or None})
        breaks = 0
        with path.open("rb") as source:
            while not upload["complete"]:
                try:
                    upload = self._put(upload, source, size, progress)
                    breaks = 0
                except (ServerUnreachable, ApiError) as error:
                    if breaks == BREAKS or (isinstance(error, ApiError) and error.status not in (408, 409, 503)):
                        raise
                    time.sleep(0.25 * 2**breaks)
                    breaks += 1
                    upload = self._received(upload)
        return str(upload["id"])

    def rendered(self, dataset_id: str, **asked: Any) -> Json:
        """What a model reads of a data set's rows: `model`, and `limit`, `max_length`, `template`, ... of a study."""
        return self._connection.json("GET", f"/datasets/{dataset_id}/rendered", params=asked, timeout=180)

    def preview(self, upload_id: str, **plan: Any) -> Json:
        """What a sent file would become."""
        return self._connection.json("POST", f"/uploads/{upload_id}/preview", json=plan, timeout=120)

    def commit(self, upload_id: str, plan: Json) -> Json:
        """Make a data set of a sent file; asks again while the server reads it, or where an answer was lost."""
        end = time.monotonic() + READING_S
        while True:
            try:
                return self._connection.json("POST", f"/uploads/{upload_id}/commit", json=plan, timeout=300)
            except (ServerUnreachable, ApiError) as error:
                if time.monotonic() > end or (isinstance(error, ApiError) and error.status != 503):
                    raise
            time.sleep(1)

    def _put(self, upload: Json, source: BinaryIO, size: int, progress: Progress | None) -> Json:
        start = int(upload["received"])
        source.seek(start)
        end = min(start + PIECE_BYTES, size)

        def pieces() -> Iterator[bytes]:
            at = start
            while at < end and (data := source.read(min(CHUNK_BYTES, end - at))):
                at += len(data)
                yield data
                if progress is not None:
                    progress(at, size)

        path, headers = f"/uploads/{upload['id']}/content", {"Content-Length": str(end - start)}
        try:
            answer = self._connection.http.put(path, params={"offset": start}, content=pieces(), headers=headers)
        except (httpx.TransportError, httpx.StreamError) as error:
            raise ServerUnreachable(f"the connection to {self._connection.url} broke ({error})") from error
        if answer.is_error:
            raise refusal(answer)
        found: Json = answer.json()
        return found

    def _received(self, upload: Json) -> Json:
        try:
            return self._connection.json("GET", f"/uploads/{upload['id']}")
        except ServerUnreachable:
            return upload  # the next try will tell
