"""Names of files: in any script they make an id of their own, and the hub's shards are found by theirs."""

import unicodedata
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.datasets.add import telling
from backend.datasets.files.table import format_of, is_packed
from backend.datasets.hub import _files
from backend.shared.catalogue.names import check_id, slug


def test_files_in_one_script_are_told_from_each_other() -> None:
    names = ["レビュー", "感想", "отзывы", "обзоры", "отзывы-2024", "обзоры-2024", "影评", "مراجعات", "리뷰"]
    ids = [slug(telling(name)) for name in names]
    assert len(set(ids)) == len(names)
    assert all(one.startswith(("data-", "2024-")) for one in ids), ids
    for name, plain in {"reviews": "reviews", "Café Crème": "cafe-creme", "My Reviews (2)": "my-reviews-2"}.items():
        assert slug(telling(name)) == plain


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_name_makes_an_id_and_letters_that_are_lost_tell_it_apart(one: str, other: str) -> None:
    found = check_id(slug(telling(one)))
    plain, another = (unicodedata.normalize("NFC", name) for name in (one, other))
    if telling(one) != one and telling(other) != other and plain != another:
        assert found != slug(telling(other))


def test_a_packed_file_has_the_format_under_its_pack() -> None:
    assert (format_of("a.csv.gz"), format_of("A.TSV.GZ"), format_of("レビュー.json")) == ("csv", "tsv", "jsonl")
    assert is_packed("a.csv.gz")
    assert not is_packed("a.gz.csv")


SHARDS: dict[str, tuple[str, str] | None] = {  # path → configuration and split
    "data/train-00000-of-00001-b42a775f407cee45.parquet": ("default", "train"),
    "train-00000-of-00002.parquet": ("default", "train"),
    "plain/validation-00000-of-00001-f0a1b2c3d4e5f607.parquet": ("plain", "validation"),
    "train_0.jsonl.gz": ("default", "train"),
    "dev.csv.gz": ("default", "dev"),
    "data/test.parquet": ("default", "test"),
    "validation_matched-00000-of-00001.parquet": ("default", "validation_matched"),
    "en/train/0000.parquet": ("en", "train"),
    "train-deadbeef.parquet": None,  # a word: no digit says that it is a hash
    "README.md": None,
}


@pytest.mark.parametrize("path", SHARDS)
def test_shards_of_the_hub_are_found_by_their_names(path: str) -> None:
    info: Any = SimpleNamespace(siblings=[SimpleNamespace(rfilename=path, size=7)])
    expected = SHARDS[path]
    assert _files(info) == ({} if expected is None else {expected[0]: {expected[1]: {path: 7}}})
