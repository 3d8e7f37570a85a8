"""Labels as people write them: one value is one class in any spelling, or it is told; a missing one is counted."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.datasets.files.importing import import_rows
from backend.datasets.files.plan import ImportPlan
from backend.datasets.files.table import source_of
from backend.datasets.preview import preview
from backend.datasets.schemas import PreviewPlan
from backend.shared.errors import InvalidInput
from backend.shared.facts import DatasetFacts
from backend.shared.rows.labels import MISSING_WORDS, lookalikes, one_spelling
from tests.backend.datasets.test_files import NAMING


def rows(labels: Iterable[str], start: str = "film") -> str:
    return "".join(f"{start} number {i} is long enough,{label}\n" for i, label in enumerate(labels))


def take(folder: Path, labels: Iterable[str], held: Iterable[str] | None = None, **plan: Any) -> DatasetFacts:
    """Import rows of these labels; a preview of the same files must say the same of them."""
    folder.mkdir(parents=True, exist_ok=True)
    train, validation = folder / "train.csv", None if held is None else folder / "held.csv"
    train.write_text("text,label\n" + rows(labels), "utf-8")
    if validation is not None:
        validation.write_text("text,label\n" + rows(held or (), "held"), "utf-8")
    (folder / "out").mkdir()
    asked = {"task": "classification"} | plan
    facts = import_rows(folder / "out", train, validation, ImportPlan(**asked), NAMING)
    seen = preview(folder, source_of(train), PreviewPlan(**asked), validation and source_of(validation))
    assert seen.warnings == facts.warnings
    assert (seen.kept, seen.refused, seen.rows) == (facts.kept, facts.refused, facts.rows)
    assert {one.name for one in seen.labels} <= set(facts.label_names)
    assert seen.label_count == len(facts.label_names)
    return facts


def told(facts: DatasetFacts, part: str) -> bool:
    return any(part in sentence for sentence in facts.warnings)


ONE = {  # labels of the training file, of the file held out → the classes
    "numbers across files": (["1.0", "0.0"], ["1", "0"], ("0", "1")),
    "numbers in one file": (["1", "0", "1.0", "0.00", " 1 "], None, ("0", "1")),
    "as pandas writes them beside an empty cell": (["1.0", "0.0", ""], None, ("0", "1")),
    "numbers below nought": (["-1.0", "1"], ["-1", "1.0"], ("-1", "1")),
    "truth values": (["True", "False"], ["true", "FALSE"], ("false", "true")),
    "truth values as they stand": (["True", "False"], None, ("False", "True")),
    "blanks around": (["pos", " neg"], ["pos ", "neg\u00a0"], ("neg", "pos")),
    "halves": (["0.5", "1.0", "1.5"], None, ("0.5", "1.0", "1.5")),
    "codes with leading noughts": (["01", "02"], None, ("01", "02")),
}


@pytest.mark.parametrize("case", ONE)
def test_one_value_is_one_class(case: str, tmp_path: Path) -> None:
    train, held, names = ONE[case]
    facts = take(tmp_path, train * 20, None if held is None else held * 20)
    assert set(facts.label_names) == set(names)
    assert told(facts, "differ in their spelling") is False


def test_several_spellings_are_told_and_the_rows_are_trained_as_one_class(tmp_path: Path) -> None:
    facts = take(tmp_path, ["1.0", "0"] * 20, ["1", "0"] * 20)
    assert told(facts, "Several spellings are taken as one label: '1.0', '1'")
    assert facts.label_counts == {"train": (20, 20), "validation": (20, 20)}
    stored = [json.loads(line)["label"] for line in (tmp_path / "out" / "train.jsonl").read_text().splitlines()]
    assert stored == [1, 0] * 20


ALIKE = [
    ("Positive", "positive"),
    ("Positive", "POSITIVE", "positive"),
    ("new york", "new  york", "new\u00a0york", "new_york"),
    ("pos", "'pos'"),
    ("pos", "p\u200bos"),
    ("1", "01"),
    ("1", "１"),
    ("straße", "STRASSE"),
]


@pytest.mark.parametrize("names", ALIKE, ids=str)
def test_labels_that_differ_in_writing_only_are_told(names: tuple[str, ...], tmp_path: Path) -> None:
    facts = take(tmp_path, (*names, "other") * 20)
    assert len(facts.label_names) == len(names) + 1  # none is folded: it might be meant
    assert told(facts, "differ in their spelling only")
    assert not told(take(tmp_path / "2", ("pos", "neg", "1", "10") * 10), "differ in their spelling")


NONE = sorted(MISSING_WORDS)


@pytest.mark.parametrize("word", [*NONE, "", "  ", " nan "])
def test_a_word_for_no_value_is_missing_and_counted(word: str, tmp_path: Path) -> None:
    facts = take(tmp_path, ["pos", "neg", "pos", "neg", word] * 12)
    assert (facts.label_names, facts.kept, facts.refused) == (("neg", "pos"), 48, 12)
    assert told(facts, "12 rows (20.0%) cannot be used")
    assert told(facts, "12 × column 'label' is missing")


@pytest.mark.parametrize("word", ["none", "NONE", "Nan", "Na", "Missing"])
def test_what_only_reads_like_a_missing_value_is_never_a_class_without_a_word(word: str, tmp_path: Path) -> None:
    facts = take(tmp_path, ["pos", "neg", word] * 12)
    assert word in facts.label_names
    assert told(facts, f"reads like a missing value is a class here: {word!r}")


MINUS = {  # training labels, held out, whether −1 is missing
    "a split without labels is refused": (["0", "1"], ["-1", "-1"], None),
    "beside words": (["pos", "neg", "-1"], None, True),
    "beside the numbers of three classes": (["0", "1", "2", "-1"], ["0", "1", "2"], True),
    "as a float": (["0.0", "1.0", "2.0", "-1.0"], None, True),
    "beside 1": (["1", "-1"], None, False),
    "beside 0 and 1": (["0", "1", "-1"], ["0", "1"], False),
    "in both splits, alone in one": (["1", "-1"], ["-1", "-1"], False),
}


@pytest.mark.parametrize("case", MINUS)
def test_minus_one_is_no_label_where_nothing_else_makes_sense(case: str, tmp_path: Path) -> None:
    train, held, missing = MINUS[case]
    wanted = (train * 15, None if held is None else held * 15)
    if missing is None:
        with pytest.raises(InvalidInput, match="No row is left for validation; each of its labels is -1"):
            take(tmp_path, *wanted)
        return
    facts = take(tmp_path, *wanted)
    assert ("-1" in facts.label_names) is not missing
    assert facts.refused == (15 if missing else 0)
    assert told(facts, "15 × is -1, the sign for 'no label'" if missing else "'-1' is a class here")
    lines = (tmp_path / "out" / "refused.jsonl").read_text().splitlines()
    assert len(lines) == facts.refused
    assert all("no label" in json.loads(line)["reason"] for line in lines)


def test_the_shape_of_the_labels_is_told(tmp_path: Path) -> None:
    sided = take(tmp_path / "sides", ["a", "b", "c"] * 20, ["a", "b", "d"] * 20)
    assert told(sided, "On one side of the split only: 'c', 'd'")
    own = take(tmp_path / "own", [f"id {max(i, 3)}" for i in range(63)])
    assert told(own, "Nearly every row has a label of its own (60 labels in 63 rows)")
    many = take(tmp_path / "many", [f"class {i}" for i in range(150)] * 4)
    assert told(many, "There are 150 different labels, about 4 rows of each")
    late = take(tmp_path / "late", [*(f"class {i}" for i in range(80) for _ in range(8)), "alone"])
    assert told(late, "On one side of the split only: 'alone'")  # beyond the labels that a preview shows
    plain = take(tmp_path / "plain", ["a", "b"] * 80)
    assert plain.warnings == ()


def test_a_preview_tells_what_the_import_will_refuse(tmp_path: Path) -> None:
    cases = {
        "nothing to tell apart": ["pos", "pos"] * 10,
        "each label has one row only; is this the label column": [f"id {i}" for i in range(20)],
        "same label '-1'; there is nothing to tell apart. It is -1, the sign for 'no label'": ["-1"] * 20,
        "No usable row was found": ["nan"] * 20,
    }
    for number, (sentence, labels) in enumerate(cases.items()):
        with pytest.raises(InvalidInput, match=sentence) as refused:
            take(tmp_path / str(number), labels)
        file = tmp_path / str(number) / "train.csv"
        seen = preview(tmp_path, source_of(file), PreviewPlan())
        assert [one.detail for one in seen.problems] == [str(refused.value)]


LABELS = st.sampled_from(["1", "1.0", "01", "0", "0.0", "-0", "-1", "1.5", "true", "True", "a", "A", "a b", "a_b"])


@given(st.lists(LABELS | st.text(min_size=1, max_size=5), min_size=1, max_size=12, unique=True))
def test_folding_loses_nothing_that_is_not_told(names: list[str]) -> None:
    one = one_spelling(names)
    assert list(one) == names
    assert one_spelling(list(one.values())) == {name: name for name in one.values()}  # once is enough
    for name, folded in one.items():
        assert name == folded or float(name) == float(folded) if name[-1:].isdigit() else True
        assert name.casefold() == folded.casefold() or name[-1:] in ".0123456789"
    by_case = {frozenset(some) for some in lookalikes(list(one.values()))}
    for name in one.values():
        for other in one.values():
            if name != other and name.lower() == other.lower():
                assert any({name, other} <= some for some in by_case)


@given(st.lists(st.integers(-3, 3), min_size=20, max_size=40))
def test_numbers_are_the_same_classes_however_they_are_written(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("numbers")
    wanted = [1, 2, *numbers, 1, 2]
    plain = take(folder / "1", [str(i) for i in wanted])
    mixed = take(folder / "2", [str(i) if place % 2 else f"{i}.0" for place, i in enumerate(wanted)])
    assert mixed.content_hash == plain.content_hash
