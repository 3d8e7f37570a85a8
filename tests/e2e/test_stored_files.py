"""One bit of every kind of file that a home stores is flipped: it is made anew, refused in a sentence, or harmless.

The list of kinds is complete: a file of another kind fails the test, and has to be given its place here.
"""

import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend.main import create_app
from backend.operations import backup
from backend.shared.catalogue import find_dataset, require_model
from backend.shared.catalogue.adapters import adapter_weights, content_hash, require_adapter
from backend.shared.catalogue.revision import revision_of
from backend.shared.errors import InvalidInput, TrainingError
from backend.shared.rows.writer import FACTS_FILE
from backend.shared.settings import Settings
from tests.e2e.stack import Stack, start
from tests.files import flip_a_bit
from tests.worker.models.tiny import save_tiny
from worker import data
from worker.engine.checkpoint import UnreadableCheckpoint, read_checkpoint
from worker.engine.precision import resolve_precision
from worker.models.base import load_tokenizer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stored files")]
API = "/api/v1"
ROWS = "text,label\n" + "".join(f"{'good' if i % 2 else 'bad'} film {'very ' * (i % 5)}a,{i % 2}\n" for i in range(60))
STUDY: dict[str, Any] = {
    "name": "tiny",
    "model": "tiny",
    "dataset": "reviews",
    "train_rows": 24,
    "validation_rows": 10,
    "lora": {"rank": 2, "alpha": 4, "target_modules": ["query", "value"]},
    "training": {"epochs": 2, "batch_size": 8, "max_length": 16, "evaluations": 2},
    "seeds": 1,
    "arms": [{"method": "none"}],
}


@dataclass(frozen=True)
class Home:
    """What a stack left behind: its folder, one finished study, and one that was stopped in the middle."""

    path: Path
    study_id: str
    tiny: Path

    @property
    def settings(self) -> Settings:
        return Settings(home=self.path)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    root = tmp_path_factory.mktemp("stored")
    tiny = save_tiny(root / "tiny", "bert")
    stack = start(root / "home")
    try:
        study_id = _used(stack, tiny)
    finally:
        stack.process.terminate()
        stack.process.wait(60)
    backup.back_up(Settings(home=stack.home), stack.home / "backups" / "by hand")
    yield Home(stack.home, study_id, tiny)
    shutil.rmtree(root, ignore_errors=True)


def _used(stack: Stack, tiny: Path) -> str:
    """Everything that leaves files: data, a model, a study, an adapter to start from, a run that is interrupted."""
    program = Path(sys.executable).parent / "dropscope"
    environment = {**stack.environment, "DROPSCOPE_URL": ""}
    subprocess.run([program, "model", "add", str(tiny), "--name", "tiny"], env=environment, check=True)
    with stack.http as http:
        upload = http.post(f"{API}/uploads", json={"name": "reviews.csv"}).json()["id"]
        http.put(f"{API}/uploads/{upload}/content", content=ROWS + "a row without a label,\n").raise_for_status()
        http.post(f"{API}/uploads/{upload}/commit", json={"task": "classification"}).raise_for_status()
        http.get(f"{API}/datasets").raise_for_status()  # makes the built-in ones
        study_id = stack.queue({**STUDY, "seeds": 2})
        assert stack.wait(study_id, 120)["counts"]["succeeded"] == 2
        run = http.get(f"{API}/studies/{study_id}/runs").json()["items"][0]["id"]
        artifact = http.get(f"{API}/runs/{run}/artifacts").json()["items"][0]["id"]
        http.post(f"{API}/adapters", json={"artifact_id": artifact, "id": "start", "model": "tiny"}).raise_for_status()
        long = {**STUDY["training"], "epochs": 500, "evaluations": 400}
        long_id = stack.queue({**STUDY, "name": "interrupted", "start_from": "start", "training": long})
        until = time.monotonic() + 60
        while time.monotonic() < until and not list(stack.home.glob("artifacts/*/*/step-*/state.json")):
            time.sleep(0.1)
        http.get(f"{API}/studies/{long_id}").raise_for_status()
    return study_id


# --- what is read of each kind, after a bit of it was flipped


def _api(home: Home, path: str) -> Any:
    app = create_app(home.settings)
    try:
        return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False).get(f"{API}{path}")
    finally:
        app.state.doorbell.close()
        app.state.context.database.close()


def an_artifact(home: Home, file: Path) -> None:
    run, kind = file.relative_to(home.path / "artifacts").parts[0], file.parent.name.replace("-", "_")
    items = _api(home, f"/runs/{run}/artifacts").json()["items"]
    (artifact,) = (one["id"] for one in items if one["kind"] == kind)
    answer = _api(home, f"/artifacts/{artifact}/download?file={file.name}")
    assert (answer.status_code, "is damaged" in answer.json()["detail"]) == (409, True)


def a_checkpoint(home: Home, file: Path) -> None:
    with closing(sqlite3.connect(home.path / "dropscope.db")) as database:
        query = "SELECT arms.key, runs.seed FROM runs JOIN arms ON arms.id = runs.arm_id WHERE runs.id = ?"
        key, seed = database.execute(query, (file.relative_to(home.path / "artifacts").parts[0],)).fetchone()
    with pytest.raises(UnreadableCheckpoint):
        read_checkpoint(file.parent, key, seed)


def a_built_in_data_set(home: Home, file: Path) -> None:
    dataset_id = file.parent.name.partition("-")[0] if "chatterbot" in file.parent.name else "rotten-tomatoes"
    if file.name == "refused.jsonl":
        answer = _api(home, f"/datasets/{dataset_id}/refused.csv")
        assert (answer.status_code, "is damaged" in answer.json()["detail"]) == (409, True)
        return
    facts = find_dataset(home.path, dataset_id)
    assert facts is not None
    assert data.load(facts.ref, facts.task, home.path).folder == file.parent, "made anew"


def a_measured_precision(home: Home, file: Path) -> None:
    assert resolve_precision("auto", home.path) in ("bf16", "fp32")


def a_revision(home: Home, file: Path) -> None:
    assert revision_of(home.tiny, home.path / "cache") == require_model(home.path, "tiny").revision


def tokens(home: Home, file: Path) -> None:
    facts, model = find_dataset(home.path, "reviews"), require_model(home.path, "tiny")
    assert facts is not None
    again = data.tokenise(
        data.load(facts.ref, facts.task, home.path), model.ref, load_tokenizer(home.tiny), 16, home.path
    )
    assert (home.path / "cache" / "tokens" / again.key) == file.parent
    if file.suffix == ".npy":
        split, name, _ = file.name.split(".")
        assert np.array_equal(np.load(file), getattr(again.splits[split], name))
    assert len(again.splits["train"].labels) == facts.rows["train"]


def an_added_data_set(home: Home, file: Path) -> None:
    if file.name == FACTS_FILE:
        answer = _api(home, "/datasets/reviews")
        assert (answer.status_code, "is damaged" in answer.json()["detail"]) == (422, True), answer.text
        return
    if file.name == "refused.jsonl":
        answer = _api(home, "/datasets/reviews/refused.csv")
        assert (answer.status_code, "is damaged" in answer.json()["detail"]) == (409, True), answer.text
        return
    facts = find_dataset(home.path, "reviews")
    assert facts is not None
    with pytest.raises(TrainingError, match="not those that were stored"):
        data.load(facts.ref, facts.task, home.path)


def a_model_record(home: Home, file: Path) -> None:
    with pytest.raises(InvalidInput, match="is damaged"):
        require_model(home.path, "tiny")


def an_adapter_to_start_from(home: Home, file: Path) -> None:
    if file.name == FACTS_FILE:
        with pytest.raises(InvalidInput, match="is damaged"):
            require_adapter(home.path, "start")
        return
    facts = require_adapter(home.path, "start")
    same = content_hash(facts.rank, facts.alpha, adapter_weights(home.path, "start")) == facts.content_hash
    assert same is (file.name == "adapter_config.json"), "its config is read once, when it is added"


def a_backup(home: Home, file: Path) -> None:
    with pytest.raises(InvalidInput, match=r"damaged|is not a backup"):
        backup.check(home.path / "backups" / "by hand")


def nothing(home: Home, file: Path) -> None:
    """No number, row or adapter comes from it; `test_a_stack_starts_...` starts with all of these harmed."""


KINDS: dict[str, Callable[[Home, Path], None]] = {
    r"artifacts/run_\w+/attempt-\d+/(adapter|adapter-stopped|ledger)/[\w.]+": an_artifact,
    r"artifacts/run_\w+/attempt-\d+/step-\d+/state\.(json|safetensors)": a_checkpoint,
    r"cache/datasets/[\w.-]+/[\w.]+": a_built_in_data_set,
    r"cache/precision\.json": a_measured_precision,
    r"cache/revisions/\w+": a_revision,
    r"cache/tokens/\w+/[\w.]+": tokens,
    r"datasets/reviews/[\w.]+": an_added_data_set,
    r"models/tiny\.json": a_model_record,
    r"adapters/start/[\w.]+": an_adapter_to_start_from,
    r"backups/by hand/.+": a_backup,
    r"(logs|valkey)/.+|[\w.]+\.lock|stack\.json": nothing,
}
# SQLite keeps no sums of its pages: `doctor` finds what breaks their structure, a backup is what brings them back.
NOT_PROMISED = r"dropscope\.db(-wal|-shm)?|backups/before-migration-.+\.db"


def _kind(home: Home, file: Path) -> str:
    found = [kind for kind in (*KINDS, NOT_PROMISED) if re.fullmatch(kind, str(file.relative_to(home.path)))]
    assert len(found) == 1, f"{file.relative_to(home.path)}: say here what becomes of a flipped bit in it"
    return found[0]


def _files(home: Home) -> list[Path]:
    return [file for file in sorted(home.path.rglob("*")) if file.is_file()]


def test_every_file_of_a_home_has_its_kind_and_every_kind_a_file(home: Home) -> None:
    found = {_kind(home, file) for file in _files(home)}
    assert found == {*KINDS, NOT_PROMISED}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind] is not nothing])
def test_a_flipped_bit_never_passes(home: Home, kind: str) -> None:
    """In each file of each kind, but for repeated runs and shards: one of each name."""
    seen: set[str] = set()
    for file in [file for file in _files(home) if _kind(home, file) == kind and file.stat().st_size]:
        if file.name in seen:
            continue
        seen.add(file.name)
        before = file.read_bytes()
        flip_a_bit(file)
        KINDS[kind](home, file)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(before)
    assert seen


def test_a_stack_starts_with_all_that_is_harmless_harmed_and_shows_the_same_numbers(home: Home) -> None:
    before = _api(home, f"/studies/{home.study_id}/export.csv").text
    for file in _files(home):
        if KINDS.get(_kind(home, file)) is nothing and file.stat().st_size:
            flip_a_bit(file)
    stack = start(home.path)
    try:
        with stack.http as http:
            assert http.get(f"{API}/studies/{home.study_id}/export.csv").text == before
    finally:
        stack.process.terminate()
        stack.process.wait(60)
