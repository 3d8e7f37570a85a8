"""Small files from public reports, read to their right values; they are not part of the project (`shared_dir`)."""

from pathlib import Path
from typing import Any

import pytest

from backend.datasets.add import telling
from backend.datasets.files.importing import import_rows, open_table
from backend.datasets.files.plan import ImportPlan
from backend.datasets.files.table import source_of
from backend.datasets.preview import preview
from backend.datasets.schemas import PreviewPlan
from backend.shared.catalogue.names import slug
from backend.shared.errors import InvalidInput
from backend.shared.rows.row import ColumnMapping
from tests.backend.datasets.test_file_kinds import stored
from tests.backend.datasets.test_files import NAMING

CAUSAL = {"task": "causal_lm"}
JAPANESE = {"mapping": ColumnMapping(text="文", label="ラベル")}
# File and file held out → the plan, rows kept and refused, labels, and parts of the warnings.
READ: dict[str, tuple[str, dict[str, Any], int, int, tuple[str, ...], tuple[str, ...]]] = {
    "float_labels.csv": (
        "int_labels_val.csv",
        {},
        79,
        1,
        ("0", "1"),
        ("1 × column 'label' is missing", "as one label"),
    ),
    "alpaca.jsonl": ("", CAUSAL, 60, 0, (), ()),
    "pandas_index.csv": ("", {}, 60, 0, ("0", "1"), ()),
    "array_pretty.json": ("", {}, 60, 0, ("0", "1"), ()),
    "array_rows.json": ("", {}, 60, 0, ("0", "1"), ()),
    "messages.jsonl": ("", CAUSAL, 60, 0, (), ()),
    "conversational_prompt.jsonl": ("", CAUSAL, 60, 0, (), ()),
    "chatml.jsonl": ("", CAUSAL, 60, 0, (), ("marks of a chat",)),
    "glue_quotes.tsv": ("", {}, 60, 0, ("0", "1"), ()),
    "nan_labels.csv": ("", {}, 54, 6, ("neg", "pos"), ("6 × column 'label' is missing ('nan')",)),
    "late_key.jsonl": ("", {}, 59, 1, ("0", "1"), ("1 × column 'label' is missing",)),
    "cr_only.csv": ("", {}, 60, 0, ("0", "1"), ()),
    "case_labels.csv": ("", {}, 60, 0, ("Positive", "negative", "positive"), ("differ in their spelling only",)),
    "レビュー.csv": ("", JAPANESE, 60, 0, ("悪い", "良い"), ()),
    "think.csv": ("", {}, 40, 0, ("0", "1"), ()),
    "think.jsonl": ("", CAUSAL, 40, 0, (), ()),
}


@pytest.fixture(scope="module")
def cases(shared_dir: Path) -> Path:
    if not (shared_dir / "cases" / "data").is_dir():
        pytest.skip("the cases from public reports are not on this machine")
    return shared_dir / "cases" / "data"


@pytest.mark.parametrize("name", READ)
def test_a_reported_file_is_read_to_its_right_value(name: str, cases: Path, tmp_path: Path) -> None:
    held, plan, kept, refused, labels, parts = READ[name]
    validation = cases / held if held else None
    asked = {"task": "classification"} | plan
    (tmp_path / "out").mkdir()
    facts = import_rows(tmp_path / "out", cases / name, validation, ImportPlan(**asked), NAMING)
    assert (facts.kept, facts.refused, facts.label_names) == (kept, refused, labels)
    for part in parts:
        assert any(part in sentence for sentence in facts.warnings), facts.warnings
    seen = preview(tmp_path, source_of(cases / name), PreviewPlan(**asked), validation and source_of(validation))
    assert (seen.problems, seen.warnings) == ((), facts.warnings)


def test_what_the_reported_files_say_is_all_there(cases: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    import_rows(tmp_path / "out", cases / "alpaca.jsonl", None, ImportPlan(task="causal_lm"), NAMING)
    told = {(row["prompt"], row["completion"]) for row in stored(tmp_path)}
    for _, row in open_table(source_of(cases / "alpaca.jsonl")).rows:
        prompt = row["instruction"] + (f"\n{row['input']}" if row["input"] else "")
        assert (prompt, row["output"]) in told
    for number, name in enumerate(("messages.jsonl", "conversational_prompt.jsonl")):
        out = tmp_path / str(number) / "out"
        out.mkdir(parents=True)
        import_rows(out, cases / name, None, ImportPlan(task="causal_lm"), NAMING)
        said = [[(turn["role"], turn["content"]) for turn in row["messages"]] for row in stored(out.parent)]
        assert sorted(said) == sorted([("user", f"Hello {i}?"), ("assistant", f"Hi {i}.")] for i in range(60))
    assert open_table(source_of(cases / "pandas_index.csv")).columns == ["text", "label"]
    assert slug(telling("レビュー")) not in ("unnamed", slug(telling("感想")))


def test_reported_parquet_tells_its_types_and_classes(cases: Path) -> None:
    with pytest.raises(InvalidInput, match=r"'data' \(struct<text: string, label: int64>\)"):
        open_table(source_of(cases / "struct.parquet"))
    named = open_table(source_of(cases / "classlabel.parquet"))
    seen = preview(cases, source_of(cases / "classlabel.parquet"), PreviewPlan())
    assert {one.name for one in seen.labels} == set(named.names["label"])
