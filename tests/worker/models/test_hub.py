"""Models from the hub, against a stand-in on loopback that speaks its protocol: pinned, checked, never run."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from backend.services import hub
from backend.services.principal import Principal
from backend.shared.catalogue import find_model, require_model
from backend.shared.database import Database, sqlite_engine
from backend.shared.errors import InvalidInput, Unavailable
from backend.shared.settings import Settings
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE, Table, Workspace
from tests.worker.models.tiny import save_tiny

WHO = Principal(LOCAL_OWNER, LOCAL_WORKSPACE, "admin")
COMMIT = "c0ffee" + "0" * 34


class _Hub(ThreadingHTTPServer):
    """Folders by id; `asked` holds the paths of all requests."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self.folders, self.asked = folders, list[str]()
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(BaseHTTPRequestHandler):
    server: _Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        path = self.path.split("?")[0].strip("/")
        if path.startswith("api/models/"):
            self._about(path.removeprefix("api/models/"))
            return
        hub_id, _, rest = path.partition("/resolve/")
        folder = self.server.folders.get(hub_id)
        file = None if folder is None else folder / rest.partition("/")[2]
        if file is None or not file.is_file():
            self._fail(404, "EntryNotFound")
            return
        self._send(file.read_bytes(), body)

    def _about(self, rest: str) -> None:
        hub_id, _, revision = rest.partition("/revision/")
        if hub_id == "closed/model":
            self._fail(403, "GatedRepo")
        elif hub_id not in self.server.folders:
            self._fail(404, "RepoNotFound")
        elif revision not in ("", "main", COMMIT):
            self._fail(404, "RevisionNotFound")
        else:
            files = sorted(self.server.folders[hub_id].iterdir())
            siblings = [{"rfilename": f.name, "size": f.stat().st_size} for f in files]
            told = {"id": hub_id, "sha": COMMIT, "siblings": siblings, "cardData": {"license": "mit"}}
            self._send(json.dumps(told).encode(), True)

    def _send(self, content: bytes, body: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
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


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", disk_floor_bytes=0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(sqlite_engine(f"sqlite:///{tmp_path / 'test.db'}"))
    Table.metadata.create_all(opened.engine)
    with opened.write() as session:
        session.add(Workspace(id=LOCAL_WORKSPACE, name="local"))
    yield opened
    opened.close()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Hub]:
    sound = save_tiny(tmp_path / "sound", "roberta")
    (sound / "pytorch_model.bin").write_bytes(b"never fetched")
    smuggling = save_tiny(tmp_path / "smuggling", "bert")
    config = json.loads((smuggling / "config.json").read_text()) | {"auto_map": {"AutoModel": "evil.Model"}}
    (smuggling / "config.json").write_text(json.dumps(config))
    pickled = save_tiny(tmp_path / "pickled", "bert")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    server = _Hub({"some/roberta": sound, "some/smuggling": smuggling, "some/pickled": pickled})
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    _endpoint(monkeypatch, f"http://127.0.0.1:{server.server_address[1]}")
    yield server
    server.shutdown()
    server.server_close()


def _endpoint(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """What HF_ENDPOINT sets; the library reads it once, at its import."""
    import huggingface_hub.constants as constants
    from huggingface_hub import hf_api

    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hf_api.api, "endpoint", url, raising=False)


def test_a_model_is_looked_at_pinned_fetched_and_registered(
    served: _Hub, database: Database, settings: Settings
) -> None:
    offer = hub.look("some/roberta")
    assert (offer.commit, offer.licence) == (COMMIT, "mit")
    assert "pytorch_model.bin" not in offer.files
    assert not any("/resolve/" in path for path in served.asked), "looking must not fetch"
    told: list[tuple[str, int, int]] = []
    facts = hub.fetch(database, settings, WHO, offer, lambda *news: told.append(news))
    assert (facts.id, facts.hub_id, facts.licence, facts.family) == ("some-roberta", "some/roberta", "mit", "roberta")
    assert COMMIT in facts.source
    assert find_model(settings.home, "some-roberta") == facts
    assert told[-1][1] == told[-1][2] == offer.bytes
    assert not any("pytorch_model.bin" in path for path in served.asked)
    assert all(COMMIT in path for path in served.asked if "/resolve/" in path)
    with pytest.raises(InvalidInput, match="use that id"):
        require_model(settings.home, "some/roberta")


def test_settings_are_checked_before_weights_are_asked_for(
    served: _Hub, database: Database, settings: Settings
) -> None:
    with pytest.raises(InvalidInput, match="sets `auto_map`"):
        hub.fetch(database, settings, WHO, hub.look("some/smuggling"))
    assert not any("safetensors" in path for path in served.asked)
    assert list((settings.home / "hub").iterdir()) == []
    with pytest.raises(InvalidInput, match="no safetensors weights"):
        hub.look("some/pickled")


@pytest.mark.parametrize(
    ("hub_id", "revision", "sentence"),
    [
        ("closed/model", None, "is gated: accept its terms"),
        ("some/nothing", None, "The hub has no model"),
        ("a/b/c", None, "The hub has no model"),
        ("some/roberta", "moved", "has no revision 'moved'"),
    ],
)
def test_what_the_hub_refuses_is_a_sentence(served: _Hub, hub_id: str, revision: str | None, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        hub.look(hub_id, revision)


def test_without_the_hub_everything_else_works(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    _endpoint(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="hub cannot be reached from here"):
        hub.look("some/roberta")
    with pytest.raises(InvalidInput, match="dropscope model fetch some/roberta"):
        require_model(settings.home, "some/roberta")
