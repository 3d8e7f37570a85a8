"""Text tables whose cells are separated by something else than their name says, and columns as people call them."""

import contextlib
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.datasets.files.importing import open_table
from backend.datasets.files.separator import LOOKED_AT, SEPARATORS
from backend.datasets.files.table import source_of
from backend.datasets.preview import preview
from backend.datasets.schemas import DatasetPreview, PreviewPlan
from backend.shared.errors import InvalidInput

ROWS = [(f"film {i}, or so", "good" if i % 2 else "bad") for i in range(40)]


def written(folder: Path, name: str, rows: Sequence[tuple[str, ...]], separator: str, above: str = "") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows(rows)
    (folder / name).write_text(above + text.getvalue(), encoding="utf-8", newline="")
    return folder / name


def seen(folder: Path, file: Path, **plan: Any) -> DatasetPreview:
    return preview(folder, source_of(file), PreviewPlan(**plan))


@pytest.mark.parametrize("name", ["films.csv", "films.tsv"])
@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("above", ["", "told"])
def test_files_are_read_whatever_separates_their_cells(tmp_path: Path, name: str, separator: str, above: str) -> None:
    """As spreadsheets write them where the comma is the decimal sign; some say so in a line above the header."""
    line = f"sep={separator}\r\n" if above else ""
    found = seen(tmp_path, written(tmp_path, name, [("text", "label"), *ROWS], separator, line))
    assert (found.kept, found.refused, found.problems) == (40, 0, ())
    assert found.sample[0]["text"] == "film 0, or so"
    other = separator != {"films.csv": ",", "films.tsv": "\t"}[name]
    assert any("separated by" in warning for warning in found.warnings) is other


def test_line_numbers_count_the_line_above(tmp_path: Path) -> None:
    file = written(tmp_path, "films.csv", [("text", "label"), *ROWS[:5], ("alone",)], ";", "sep=;\r\n")
    (problem,) = seen(tmp_path, file).problems
    assert problem.detail.startswith("Line 8 has 1 cells where the header has 2")


@pytest.mark.parametrize("header", ["text;label", "text", "a;b|c"])
def test_what_cannot_be_told_is_not_guessed(tmp_path: Path, header: str) -> None:
    (tmp_path / "films.csv").write_text(f"{header}\n" + "x;y\n" * 3 + "no separator at all\n")
    refused = (
        contextlib.nullcontext() if header == "text" else pytest.raises(InvalidInput, match="is the separator ','")
    )
    with refused:
        table = open_table(source_of(tmp_path / "films.csv"))
        assert table.notes == []
        table.rows.close()


CELLS = st.text("ab,;\t|\"' \n", max_size=6)


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=LOOKED_AT + 5),
    separator=st.sampled_from(SEPARATORS),
)
def test_a_table_is_read_as_it_was_written_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], separator: str
) -> None:
    """Cells may hold any separator, quotes and line breaks; no cell is ever cut in two or glued to the next."""
    folder = tmp_path_factory.mktemp("table")
    names = ("text", "label", "more")
    file = written(folder, "table.csv", [names, *rows], separator)
    try:
        table = open_table(source_of(file))
        found = [tuple(values.values()) for _, values in table.rows]
    except InvalidInput:
        return
    assert tuple(table.columns) == names
    assert found == rows


@pytest.mark.parametrize(
    ("columns", "task", "mapping"),
    [
        (("sentence", "sentiment"), "classification", {"text": "sentence", "label": "sentiment"}),
        (("Stars", "Review "), "classification", {"text": "Review ", "label": "Stars"}),
        (("headline in full", "label"), "classification", {"text": "headline in full", "label": "label"}),
        (("id", "headline", "label"), "classification", {"label": "label"}),
        (
            ("instruction", "context", "response", "category"),
            "causal_lm",
            {"prompt": "instruction", "context": "context", "completion": "response"},
        ),
        (("question", "answer", "category"), "causal_lm", {"prompt": "question", "completion": "answer"}),
        (("text", "label", "question", "answer"), "classification", {"text": "text", "label": "label"}),
    ],
)
def test_columns_are_known_by_what_people_call_them(
    tmp_path: Path, columns: tuple[str, ...], task: str, mapping: dict[str, str]
) -> None:
    file = written(tmp_path, "table.csv", [columns, *[tuple(f"{c}{i}" for c in columns) for i in range(40)]], ",")
    found = seen(tmp_path, file)
    assert (found.task, found.mapping.named()) == (task, mapping)


@pytest.mark.parametrize("task", [None, "classification", "causal_lm"])
def test_preferences_are_told_apart_from_answers(tmp_path: Path, task: str | None) -> None:
    rows = [("prompt", "chosen", "rejected"), *[(f"p{i}", f"good{i}", f"bad{i}") for i in range(40)]]
    file = written(tmp_path, "pairs.csv", rows, ",")
    (problem,) = seen(tmp_path, file, task=task).problems
    assert problem.detail.startswith("The rows are preferences")
    chosen = seen(tmp_path, file, task="causal_lm", mapping={"completion": "chosen"})
    assert (chosen.kept, chosen.problems) == (40, ())


def test_a_file_without_a_header_says_so(tmp_path: Path) -> None:
    (problem,) = seen(
        tmp_path, written(tmp_path, "films.csv", [("a long film about the sea", "4"), *ROWS], ",")
    ).problems
    assert "put a line with the columns' names above it" in problem.detail
    (problem,) = seen(tmp_path, written(tmp_path, "named.csv", [("words", "mark"), *ROWS], ",")).problems
    assert "above it" not in problem.detail


def test_truth_in_words_beside_numbers_is_told(tmp_path: Path) -> None:
    def warned(*labels: str) -> bool:
        rows = [(f"film {i}", labels[i % len(labels)]) for i in range(60)]
        found = seen(tmp_path, written(tmp_path, "films.csv", [("text", "label"), *rows], ","))
        return any("two kinds" in warning for warning in found.warnings)

    assert warned("0", "1", "true", "false")
    assert warned("Yes", "no", "1")
    assert not warned("yes", "no")
    assert not warned("0", "1")
    assert not warned("0", "1", "2", "no")
