"""A stand-in for the public hub on loopback that speaks its protocol: models and data sets as folders."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

COMMIT = "c0ffee" + "0" * 34
CONVERTED_COMMIT = "c0de" + "0" * 36
CONVERTED = "refs/convert/parquet"


class Hub(ThreadingHTTPServer):
    """Folders by id, data sets under `datasets/OWNER/NAME`; `asked` holds the paths of all requests.

    A folder under `datasets/OWNER/NAME@converted` is what the hub made of a data set that has a script only.
    """

    def __init__(self, folders: dict[str, Path]) -> None:
        self.folders, self.asked = folders, list[str]()
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        path = unquote(self.path.split("?")[0]).strip("/")
        for kind, prefix in (("api/models/", ""), ("api/datasets/", "datasets/")):
            if path.startswith(kind):
                self._about(path.removeprefix(kind), prefix)
                return
        hub_id, _, rest = path.partition("/resolve/")
        commit, _, name = rest.partition("/")
        folder = self.server.folders.get(hub_id + ("@converted" if commit == CONVERTED_COMMIT else ""))
        file = None if folder is None else folder / name
        if file is None or not file.is_file():
            self._fail(404, "EntryNotFound")
            return
        self._send(file.read_bytes(), body, commit)

    def _about(self, rest: str, prefix: str) -> None:
        hub_id, _, revision = rest.partition("/revision/")
        converted = revision == CONVERTED
        folder = self.server.folders.get(prefix + hub_id + ("@converted" if converted else ""))
        if hub_id.startswith("closed/"):
            self._fail(403, "GatedRepo")
        elif prefix + hub_id not in self.server.folders:
            self._fail(404, "RepoNotFound")
        elif folder is None or revision not in ("", "main", COMMIT, CONVERTED):
            self._fail(404, "RevisionNotFound")
        else:
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            siblings = [{"rfilename": str(f.relative_to(folder)), "size": f.stat().st_size} for f in files]
            commit = CONVERTED_COMMIT if converted else COMMIT
            told = {"id": hub_id, "sha": commit, "siblings": siblings, "cardData": {"license": "mit"}}
            self._send(json.dumps(told).encode(), True, commit)

    def _send(self, content: bytes, body: bool, commit: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", commit)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def _fail(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@contextmanager
def serving(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that holds these folders, and the library pointed at it."""
    server = Hub(folders)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    point_at(monkeypatch, server.url)
    yield server
    server.shutdown()
    server.server_close()


def point_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """What HF_ENDPOINT sets; the library reads it once, at its import."""
    import huggingface_hub.constants as constants
    from huggingface_hub import hf_api

    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hf_api.api, "endpoint", url, raising=False)
