"""Taking in models and data sets: a row, a record on disk, and nothing left behind by what fails."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.accounts.principal import Principal
from backend.catalogue import register as registry
from backend.datasets import add
from backend.datasets.files.plan import ImportPlan
from backend.shared.catalogue import dataset_folder, find_dataset, find_model, list_datasets, list_models
from backend.shared.database import Database
from backend.shared.errors import Conflict, InvalidInput, TooLarge, Unavailable
from backend.shared.settings import Settings
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE, Dataset, RegisteredModel
from tests.backend.catalogue.test_models import CONFIG, folder_of
from tests.databases import bare_sqlite
from tests.worker.models.tiny import save_tiny

WHO = Principal(LOCAL_OWNER, LOCAL_WORKSPACE, "admin")
PLAN = ImportPlan(task="classification")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", disk_floor_bytes=0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with bare_sqlite(tmp_path / "test.db") as opened:
        yield opened


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    file = tmp_path / "My Reviews (2).csv"
    file.write_text("text,label\n" + "".join(f"film {i},{i % 2}\n" for i in range(20)))
    return file


def stored(database: Database) -> tuple[list[str], list[str]]:
    with database.read() as session:
        return list(session.scalars(select(Dataset.id))), list(session.scalars(select(RegisteredModel.id)))


def test_a_file_becomes_a_data_set_with_an_id_of_its_own(database: Database, settings: Settings, reviews: Path) -> None:
    facts = add.add_dataset(database, settings, WHO, reviews, PLAN)
    assert (facts.id, facts.title, facts.kept) == ("my-reviews-2", "My Reviews (2).csv", 20)
    assert find_dataset(settings.home, facts.id) == facts
    assert facts in list_datasets(settings.home)
    again = add.add_dataset(database, settings, WHO, reviews, PLAN)
    assert (again.id, again.content_hash) == ("my-reviews-2-2", facts.content_hash)
    assert stored(database)[0] == [facts.id, again.id]
    assert str(settings.home) not in facts.model_dump_json()
    files = sorted(path.name for path in dataset_folder(settings.home, facts.id).iterdir())
    assert files == ["facts.json", "refused.jsonl", "train.jsonl", "validation.jsonl"]


def test_validation_file_is_kept_apart(database: Database, settings: Settings, reviews: Path, tmp_path: Path) -> None:
    held = tmp_path / "held.jsonl"
    held.write_text("".join(json.dumps({"text": f"held {i}", "label": i % 2}) + "\n" for i in range(4)))
    facts = add.add_dataset(database, settings, WHO, reviews, PLAN, validation=held)
    assert facts.rows == {"train": 20, "validation": 4}


def test_taken_and_impossible_ids(database: Database, settings: Settings, reviews: Path) -> None:
    add.add_dataset(database, settings, WHO, reviews, PLAN, dataset_id="mine")
    for taken in ("mine", "rotten-tomatoes"):
        with pytest.raises(Conflict, match="is taken"):
            add.add_dataset(database, settings, WHO, reviews, PLAN, dataset_id=taken)
    for odd in ("../mine", "Mine", ".mine", "a/b", ""):
        with pytest.raises(InvalidInput, match="cannot be an id"):
            add.add_dataset(database, settings, WHO, reviews, PLAN, dataset_id=odd)
    assert stored(database)[0] == ["mine"]


def test_a_refused_file_leaves_nothing(database: Database, settings: Settings, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text('text,label\nfilm,1\n"film,0\n')
    with pytest.raises(InvalidInput, match="Line 3"):
        add.add_dataset(database, settings, WHO, bad, PLAN)
    assert stored(database) == ([], [])
    assert list((settings.home / "datasets").iterdir()) == []


def test_a_row_that_cannot_be_written_takes_its_folder_along(
    database: Database, settings: Settings, reviews: Path
) -> None:
    with database.write() as session:
        row = {"name": "x", "storage_key": "x", "content_hash": "x", "facts": {}}
        session.add(Dataset(id="mine", workspace_id=LOCAL_WORKSPACE, created_by=LOCAL_OWNER, **row))
    with pytest.raises(Conflict):
        add.add_dataset(database, settings, WHO, reviews, PLAN, dataset_id="mine")
    assert find_dataset(settings.home, "mine") is None


def test_caps_and_floor(database: Database, settings: Settings, reviews: Path, tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match="the most that are taken"):
        add.add_dataset(database, settings.model_copy(update={"max_upload_bytes": 10}), WHO, reviews, PLAN)
    with pytest.raises(Unavailable, match="free space"):
        add.add_dataset(database, settings.model_copy(update={"disk_floor_bytes": 1 << 60}), WHO, reviews, PLAN)
    with pytest.raises(InvalidInput, match="no file"):
        add.add_dataset(database, settings, WHO, tmp_path / "gone.csv", PLAN)


def test_a_folder_becomes_a_model(database: Database, settings: Settings, tmp_path: Path) -> None:
    facts = registry.add_model(database, settings, WHO, save_tiny(tmp_path / "model", "bert"))
    assert (facts.id, facts.source) == ("model", "local folder")
    assert find_model(settings.home, "model") == facts
    assert facts in list_models(settings.home)
    assert registry.add_model(database, settings, WHO, tmp_path / "model").id == "model-2"
    with pytest.raises(Conflict):
        registry.add_model(database, settings, WHO, tmp_path / "model", "minilm-l6")
    assert stored(database)[1] == ["model", "model-2"]


def test_a_refused_folder_leaves_nothing(database: Database, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="deberta-v2"):
        registry.add_model(database, settings, WHO, folder_of(tmp_path, CONFIG | {"model_type": "deberta-v2"}))
    with pytest.raises(InvalidInput, match="no such folder"):
        registry.add_model(database, settings, WHO, tmp_path / "gone")
    assert stored(database) == ([], [])
    assert not (settings.home / "models").exists()
