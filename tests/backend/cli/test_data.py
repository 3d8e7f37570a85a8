"""`dropscope data add` takes all that the API takes, and says all that the page's preview warns of."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from pydantic import BaseModel

from backend.cli.app import answer
from backend.cli.commands.data import data
from backend.cli.datasets import plan, say
from backend.cli.own_database import OWNER, opened
from backend.datasets.add import add_dataset
from backend.datasets.commit import CommitPlan
from backend.datasets.files.table import source_of
from backend.datasets.preview import preview
from backend.datasets.schemas import PreviewPlan
from backend.shared.catalogue import dataset_folder, require_dataset
from backend.shared.settings import Settings

ROWS = "text,label\na good film,1\na bad film,0\nnice one,1.0\nawful,nan\nok,1\nmeh,0\nok,1\n"


def test_every_warning_of_the_preview_is_printed(
    sqlite_settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text(ROWS)
    wanted = preview(sqlite_settings.shared, source_of(file), PreviewPlan(task="classification")).warnings
    asked = plan(None, "classification", dict.fromkeys(("text", "text_pair", "label", "prompt", "completion")))
    with opened(sqlite_settings) as database:
        say(add_dataset(database, sqlite_settings, OWNER, file, asked))
    printed = " ".join(capsys.readouterr().err.split())
    assert len(wanted) >= 3
    assert [warning for warning in wanted if " ".join(warning.split()) not in printed] == []


# Field of the API's plan → option of the command, where they are not called alike.
CALLED = {
    "id": "name",
    "validation_upload_id": "validation",
    "split.by": "split",
    "split.column": "group",
    "split.ratio": "held_out",
    "split.seed": "split_seed",
    "split.validation_names": "validation_name",
}


def _leaves(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _leaves(inner, "" if name == "mapping" else f"{name}.")
        else:
            yield f"{above}{name}"


def test_the_command_takes_every_field_of_the_api() -> None:
    command = typer.main.get_command(data)
    options = {parameter.name for parameter in command.commands["add"].params} - {"file"}  # type: ignore[attr-defined]
    assert {CALLED.get(leaf, leaf) for leaf in _leaves(CommitPlan)} == options


def test_the_further_options_do_what_the_api_does(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DROPSCOPE_HOME", str(sqlite_settings.home))
    file = tmp_path / "talk.txt"
    rows = [f'say {i},"he said {i},note {i},{"held" if i % 4 == 0 else "used"}' for i in range(40)]
    file.write_text("\n".join(["ask,reply,more,part", *rows]) + "\n")
    columns = ["--prompt", "ask", "--completion", "reply", "--context", "more"]
    how = ["--task", "causal_lm", "--format", "csv", "--quotes", "plain", "--name", "talk", "--title", "Small talk"]
    halves = ["--split", "part", "--validation-name", "held"]
    assert answer(["data", "add", str(file), *columns, *how, *halves]) == 0
    facts = require_dataset(sqlite_settings.shared, "talk")
    assert (facts.title, facts.rows) == ("Small talk", {"train": 30, "validation": 10})
    row = json.loads((dataset_folder(sqlite_settings.shared, "talk") / "validation.jsonl").read_text().splitlines()[0])
    assert (row["prompt"], row["completion"]) == ("say 0\nnote 0", '"he said 0')


def test_names_held_out_need_their_column(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS)
    assert answer(["data", "add", str(tmp_path / "a.csv"), "--validation-name", "held"]) == 2
    assert "give --split, too" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("header", "more", "task"),
    [
        ("text,label", [], "classification"),
        ("instruction,output", [], "causal_lm"),
        ("ask,reply", ["--prompt", "ask", "--completion", "reply"], "causal_lm"),
        ("text,label", ["--task", "regression"], "regression"),
    ],
)
def test_the_task_is_that_of_the_columns(
    sqlite_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    header: str,
    more: list[str],
    task: str,
) -> None:
    """Who brings instructions need not know a word for their task; what was guessed is said."""
    monkeypatch.setenv("DROPSCOPE_HOME", str(sqlite_settings.home))
    file = tmp_path / "rows.csv"
    file.write_text("\n".join([header, *(f"text {i},{i % 2}" for i in range(40))]) + "\n")
    assert answer(["data", "add", str(file), *more]) == 0
    assert require_dataset(sqlite_settings.shared, "rows").task == task
    assert (f"Read as {task}, by its columns" in capsys.readouterr().err) is (not more)
