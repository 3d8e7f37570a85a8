"""What is held out: the asked share of each class, the same every time, repeats on one side."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.shared.facts import DatasetFacts
from backend.shared.rows.split import held_out, row_key
from backend.shared.rows.writer import DatasetWriter

NAMING = {"id": "mine", "title": "mine", "builtin": False, "source": "test", "licence": "none"}


@given(
    rows=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=80),
    ratio=st.floats(0.05, 0.95),
)
def test_each_class_is_split_and_equal_keys_stay_together(rows: list[tuple[int, int]], ratio: float) -> None:
    keys, classes = np.array(rows, dtype=np.int64).T
    held = held_out(keys, classes, ratio)
    for label in np.unique(classes):
        mine = classes == label
        distinct = np.unique(keys[mine])
        out = set(keys[mine & held].tolist())
        assert not out & set(keys[mine & ~held].tolist())
        if len(distinct) > 1:
            assert 1 <= len(out) <= len(distinct) - 1
            assert abs(len(out) - ratio * len(distinct)) <= 1


def test_case_spacing_and_label_do_not_part_a_repeat() -> None:
    assert row_key({"text": "A  good film", "label": 1}, 0) == row_key({"text": "a good film ", "label": 0}, 0)
    assert row_key({"prompt": "a", "completion": "b"}, 0) == row_key({"prompt": "a", "completion": "c"}, 0)
    assert row_key({"text": "a"}, 0) != row_key({"text": "a"}, 1)
    assert row_key({"text": "a", "text_pair": "b"}, 0) != row_key({"text": "b", "text_pair": "a"}, 0)


def by_definition(row: dict[str, str], seed: int) -> int:
    """The key as first written down, one step at a time: a stored data set's split depends on it."""
    said = json.dumps({name: " ".join(row[name].split()).casefold() for name in sorted(row)})
    digest = hashlib.blake2b(said.encode(), digest_size=8, key=str(seed).encode()).digest()
    return int.from_bytes(digest, "little") >> 1


SPACES = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
WORDS = st.lists(st.text(max_size=4) | st.sampled_from([*SPACES, "  ", "İ", "ß", '"', "\\"]), max_size=8).map("".join)


@given(text=WORDS, pair=WORDS, seed=st.integers(0, 2**31 - 1))
def test_a_key_is_what_it_always_was(text: str, pair: str, seed: int) -> None:
    assert row_key({"text": text, "text_pair": pair}, seed) == by_definition({"text": text, "text_pair": pair}, seed)


@pytest.mark.parametrize("space", SPACES)
def test_every_white_space_is_a_blank(space: str) -> None:
    assert row_key({"text": f"a{space}b{space}"}, 0) == row_key({"text": "a b"}, 0)


def write(folder: Path, order: int, seed: int = 0) -> DatasetFacts:
    folder.mkdir()
    with DatasetWriter(folder, "classification", seed) as writer:
        for i in range(40)[::order]:
            writer.add({"text": f"film {i}", "label": "10" if i % 4 else "9"})
        return writer.finish(NAMING, 0.25)


def test_same_file_same_hash_and_the_seed_decides(tmp_path: Path) -> None:
    one, two, other = write(tmp_path / "1", 1), write(tmp_path / "2", 1), write(tmp_path / "3", 1, seed=5)
    assert one == two
    assert one.content_hash != other.content_hash
    assert one.label_names == ("9", "10")  # by value, not by alphabet
    assert one.rows == {"train": 30, "validation": 10}
    assert one.label_counts == {"train": (8, 22), "validation": (2, 8)}


def test_membership_does_not_depend_on_the_order_of_the_file(tmp_path: Path) -> None:
    write(tmp_path / "1", 1)
    write(tmp_path / "2", -1)

    def texts(folder: str) -> set[str]:
        lines = (tmp_path / folder / "validation.jsonl").read_text().splitlines()
        return {json.loads(line)["text"] for line in lines}

    assert texts("1") == texts("2")
