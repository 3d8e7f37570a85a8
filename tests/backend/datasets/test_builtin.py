"""The built-in data sets: what is in them, that they are the same everywhere, and that nothing leaks."""

import bz2
import csv
import io
import json
from pathlib import Path

import pytest

from backend.shared.catalogue import dataset_folder, find_dataset, list_datasets, require_dataset
from backend.shared.catalogue.builtin_data import BUILTIN
from backend.shared.errors import InvalidInput


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def needs(dataset_id: str) -> Path:
    folder = BUILTIN[dataset_id].package.folder()
    if folder is None:
        pytest.skip(BUILTIN[dataset_id].package.remedy)
    return folder


def rows(home: Path, dataset_id: str, split: str) -> list[dict[str, object]]:
    with (dataset_folder(home, dataset_id) / f"{split}.jsonl").open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def test_rotten_tomatoes_splits_by_film_and_drops_repeats(home: Path) -> None:
    package = needs("rotten-tomatoes")
    facts = require_dataset(home, "rotten-tomatoes")
    assert (facts.kept, facts.repeats, facts.label_names) == (4863, 3, ("fresh", "rotten"))
    assert facts.rows == {"train": 3575, "validation": 1288}
    packed = bz2.decompress((package / "data" / "rotten_tomatoes_corpus.csv.bz2").read_bytes()).decode()
    films: dict[str, set[str]] = {}
    for entry in csv.DictReader(io.StringIO(packed)):
        films.setdefault(entry["text"].strip(), set()).add(entry["movie_name"])
    sides = [
        {f for row in rows(home, "rotten-tomatoes", split) for f in films[str(row["text"])]} for split in facts.rows
    ]
    assert len(sides[0] & sides[1]) <= 1  # one review stands under two films
    assert min(len(side) for side in sides) > 20


def test_chatterbot_keeps_all_replies_to_a_question_on_one_side(home: Path) -> None:
    needs("chatterbot")
    facts = require_dataset(home, "chatterbot")
    assert facts.task == "causal_lm"
    prompts = [{str(row["prompt"]).casefold() for row in rows(home, "chatterbot", split)} for split in facts.rows]
    assert not prompts[0] & prompts[1]
    pairs = [(row["prompt"], row["completion"]) for split in facts.rows for row in rows(home, "chatterbot", split)]
    assert len(pairs) == len(set(pairs)) == facts.kept > 1000
    assert all(prompt and completion for prompt, completion in pairs)


def test_built_twice_is_built_alike(home: Path, tmp_path: Path) -> None:
    for facts in list_datasets(home):
        assert find_dataset(tmp_path, facts.id) == facts


def test_content_of_rotten_tomatoes_is_pinned(home: Path) -> None:
    needs("rotten-tomatoes")
    # Studies are compared across machines by this hash: a change of the recipe must be a decision.
    assert require_dataset(home, "rotten-tomatoes").content_hash.startswith("82b5974cd3d688bb")


@pytest.mark.parametrize("odd", ["rotten-tomatos", "../../etc/passwd", "", "x" * 300, "a/b", "nul\0"])
def test_unknown_names_are_a_sentence_and_touch_no_file(home: Path, odd: str) -> None:
    assert find_dataset(home, odd) is None
    sentence = "The hub data set a/b is not on this machine" if odd == "a/b" else "There is no data set"
    with pytest.raises(InvalidInput, match=sentence) as caught:
        require_dataset(home, odd)
    assert caught.value.problems[0].pointer == "/dataset"
    if odd == "rotten-tomatos":
        assert "Did you mean rotten-tomatoes?" in caught.value.message
