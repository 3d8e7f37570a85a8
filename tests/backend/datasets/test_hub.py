"""Data sets from the hub, against a stand-in on loopback: pinned, plain files only, known ones with their columns."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.accounts.principal import Principal
from backend.cli.app import answer
from backend.datasets import hub as hub_data
from backend.datasets import hub_recipes
from backend.datasets.files.plan import ImportPlan
from backend.shared.catalogue import dataset_folder, find_dataset, require_dataset
from backend.shared.database import Database, open_database
from backend.shared.errors import InvalidInput, TooLarge, Unavailable
from backend.shared.rows.row import ColumnMapping
from backend.shared.settings import Settings
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE
from tests.hub_server import COMMIT, CONVERTED_COMMIT, Hub, point_at, serving

WHO = Principal(LOCAL_OWNER, LOCAL_WORKSPACE, "admin")


def parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def glue_rows(config: str, count: int, start: int = 0) -> list[dict[str, Any]]:
    """Rows as the hub has them: numbered classes, a number for stsb, an index that is no column of ours."""
    recipe = hub_recipes.GLUE[config]
    found = []
    for i in range(start, start + count):
        label = i / 7 if recipe.task == "regression" else i % len(recipe.labels)
        texts = {c: f"{c} {i}" for key, c in recipe.mapping.items() if key != "label"}
        found.append({**texts, "label": label, "idx": i})
    return found


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    glue, lines, script = tmp_path / "glue", tmp_path / "lines", tmp_path / "script"
    for config, recipe in hub_recipes.GLUE.items():
        parquet(glue / config / "train-00000-of-00002.parquet", glue_rows(config, 12))
        parquet(glue / config / "train-00001-of-00002.parquet", glue_rows(config, 12, 12))
        parquet(glue / config / f"{recipe.validation}-00000-of-00001.parquet", glue_rows(config, 9, 24))
        parquet(glue / config / "test-00000-of-00001.parquet", glue_rows(config, 6, 33))
    (glue / "glue.py").write_text("raise SystemExit('a script ran')")
    lines.mkdir()
    for split, first in (("train", 0), ("dev", 20)):
        rows = [{"review": f"film {i}", "stars": f"{i % 2}"} for i in range(first, first + 20)]
        (lines / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    script.mkdir()
    (script / "e2e_nlg.py").write_text("raise SystemExit('a script ran')")
    meanings = [
        {"meaning_representation": f"name[n{i // 2}]", "human_reference": f"This is n{i // 2}, said {i % 2}."}
        for i in range(12)
    ]
    converted = tmp_path / "converted"
    parquet(converted / "default" / "train" / "0000.parquet", meanings)
    parquet(converted / "default" / "validation" / "0000.parquet", [dict(row) for row in meanings[:6]])
    web = tmp_path / "web"
    triples = [
        {"input": [f"a{i} | is | b", "b | has | c"], "target": f"a{i} is b.", "references": [f"a{i} is b.", "So."]}
        for i in range(10)
    ]
    parquet(web / "en" / "train" / "0000.parquet", triples[:8])
    parquet(web / "en" / "validation" / "0000.parquet", triples[8:])
    parquet(web / "ru" / "train" / "0000.parquet", triples[:8])
    folders = {
        "datasets/nyu-mll/glue": glue,
        "datasets/some/lines": lines,
        "datasets/tuetschek/e2e_nlg": script,
        "datasets/tuetschek/e2e_nlg@converted": converted,
        "datasets/GEM/web_nlg": script,
        "datasets/GEM/web_nlg@converted": web,
        "datasets/only/script": script,
    }
    with serving(folders, monkeypatch) as server:
        yield server


@pytest.fixture
def database(sqlite_settings: Settings) -> Iterator[Database]:
    opened = open_database(sqlite_settings)
    yield opened
    opened.close()


@pytest.fixture
def fetch(database: Database, sqlite_settings: Settings) -> Callable[..., Any]:
    def fetched(*where: Any, plan: ImportPlan | None = None, name: str | None = None) -> Any:
        settings = sqlite_settings.model_copy(update={"disk_floor_bytes": 0})
        return hub_data.fetch(database, settings, WHO, hub_data.look(*where), plan, name)

    return fetched


def stored(settings: Settings, dataset_id: str, split: str) -> list[dict[str, Any]]:
    file = dataset_folder(settings.shared, dataset_id) / f"{split}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("config", sorted(hub_recipes.GLUE))
def test_the_tasks_of_glue_are_known(
    config: str, served: Hub, fetch: Callable[..., Any], sqlite_settings: Settings
) -> None:
    recipe = hub_recipes.GLUE[config]
    facts = fetch("nyu-mll/glue", config)
    assert (facts.id, facts.task, facts.metric) == (config, recipe.task, recipe.metric)
    assert (facts.hub_id, facts.licence) == (f"nyu-mll/glue:{config}", "mit")
    assert COMMIT in facts.source
    assert facts.rows == {"train": 24, "validation": 9}, "all shards of train, the right held-out split, no test rows"
    assert set(facts.label_names) == set(recipe.labels)
    pair = "text_pair" in recipe.mapping
    first = stored(sqlite_settings, config, "validation")[0]
    assert first["text"] == f"{recipe.mapping['text']} 24"
    assert ("text_pair" in first) == pair
    if recipe.labels:
        assert facts.label_names[first["label"]] == recipe.labels[24 % len(recipe.labels)]
    assert not any("test-" in path or "glue.py" in path for path in served.asked if "/resolve/" in path)
    assert all(COMMIT in path for path in served.asked if "/resolve/" in path)


def test_a_data_set_that_is_a_script_comes_from_the_hubs_own_conversion(
    served: Hub, fetch: Callable[..., Any], sqlite_settings: Settings
) -> None:
    facts = fetch("tuetschek/e2e_nlg", name="e2e")
    assert (facts.id, facts.task, facts.metric, facts.rows["train"]) == ("e2e", "causal_lm", "bleu", 12)
    assert CONVERTED_COMMIT in facts.source
    held = stored(sqlite_settings, "e2e", "validation")
    assert [row["prompt"] for row in held] == ["name[n0]", "name[n1]", "name[n2]"]
    assert held[0]["references"] == ["This is n0, said 0.", "This is n0, said 1."]
    assert all(len(row["references"]) == 1 for row in stored(sqlite_settings, "e2e", "train"))
    web = fetch("GEM/web_nlg")
    assert (web.hub_id, web.metric, web.rows) == ("GEM/web_nlg:en", "bleu", {"train": 8, "validation": 2})
    assert stored(sqlite_settings, web.id, "train")[0]["prompt"] == "a0 | is | b ; b | has | c"
    assert not any(path.endswith(".py") for path in served.asked)


def test_any_other_data_set_is_taken_with_its_columns_and_split_names(
    served: Hub, fetch: Callable[..., Any], sqlite_settings: Settings
) -> None:
    plan = ImportPlan(task="classification", mapping=ColumnMapping(text="review", label="stars"))
    facts = fetch("some/lines", plan=plan)
    assert (facts.id, facts.rows, facts.metric) == ("lines", {"train": 20, "validation": 20}, None)
    swapped = fetch("some/lines", None, None, "dev", "train", plan=plan)
    assert (swapped.id, stored(sqlite_settings, swapped.id, "train")[0]["text"]) == ("lines-2", "film 20")
    with pytest.raises(InvalidInput, match="say --task and the columns"):
        fetch("some/lines")
    with pytest.raises(InvalidInput, match="is here as lines and lines-2; use the id of one"):
        require_dataset(sqlite_settings.shared, "some/lines")


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (("some/nothing",), "The hub has no data set 'some/nothing'"),
        (("closed/data",), "is gated: accept its terms"),
        (("nyu-mll/glue",), "several configurations: cola, mnli, .*name one with --config"),
        (("nyu-mll/glue", "rtee"), "has no configuration 'rtee'; it has cola, mnli"),
        (("some/lines", None, "moved"), "has no revision 'moved'"),
        (("some/lines", None, None, "trian"), "has no split 'trian' in default; it has dev, train"),
        (("nyu-mll/glue", "rte", None, "train", "held"), "has no split 'held' in rte; it has"),
        (("only/script",), "may have moved|a loading script is never run"),
    ],
)
def test_what_the_hub_does_not_have_is_a_sentence(served: Hub, where: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        hub_data.look(*where)


def test_too_much_is_refused_before_it_is_fetched(served: Hub, database: Database, sqlite_settings: Settings) -> None:
    small = sqlite_settings.model_copy(update={"max_upload_bytes": 1000, "disk_floor_bytes": 0})
    with pytest.raises(TooLarge, match="1,000 are the most"):
        hub_data.fetch(database, small, WHO, hub_data.look("nyu-mll/glue", "rte"))
    full = sqlite_settings.model_copy(update={"disk_floor_bytes": 2**60})
    with pytest.raises(Unavailable, match="There is no room"):
        hub_data.fetch(database, full, WHO, hub_data.look("nyu-mll/glue", "rte"))
    assert not any("/resolve/" in path for path in served.asked)


def test_the_command_shows_it_asks_and_says_what_it_is_reported_by(
    served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DROPSCOPE_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("DROPSCOPE_DISK_FLOOR_BYTES", "0")
    monkeypatch.delenv("DROPSCOPE_URL", raising=False)
    assert answer(["data", "fetch", "nyu-mll/glue", "--config", "cola", "--name", "cola", "--yes"]) == 0
    said = capfd.readouterr().out
    assert f"nyu-mll/glue:cola at commit {COMMIT}: licence mit" in said
    assert "Added cola: 24 train, 9 validation rows" in said
    assert "usually reported by: matthews" in said
    found = find_dataset(tmp_path / "own", "cola")
    assert found is not None
    assert found.metric == "matthews"
    columns = ["--text", "review", "--label", "stars", "--yes"]
    assert answer(["data", "fetch", "some/lines", *columns]) == 0
    assert answer(["data", "fetch", "some/nothing", "--yes"]) == 2


def test_without_the_hub_it_says_so_and_everything_else_works(
    monkeypatch: pytest.MonkeyPatch, sqlite_settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(
        Unavailable, match=r"The hub cannot be reached from here\. Data sets of this machine work as ever"
    ):
        hub_data.look("nyu-mll/glue", "rte")
    monkeypatch.setenv("DROPSCOPE_HOME", str(sqlite_settings.home))
    monkeypatch.delenv("DROPSCOPE_URL", raising=False)
    assert answer(["data", "fetch", "nyu-mll/glue", "--config", "rte", "--yes"]) == 1
    told = capfd.readouterr().err
    assert told.count("cannot be reached") == 1
    assert answer(["data", "list"]) == 0
    with pytest.raises(InvalidInput, match="dropscope data fetch nyu-mll/glue"):
        require_dataset(sqlite_settings.shared, "nyu-mll/glue")
