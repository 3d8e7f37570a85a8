"""A study's file: what is written twice, without end or in numbers that nobody can read is refused by its line."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from backend.cli.study_file import parse_study
from backend.shared.errors import InvalidInput

KEYS = st.sampled_from(["name", "model", "seeds", "training", "lora", "rank", "true", "1", "é"])
TREES = st.recursive(
    st.integers() | st.booleans() | st.just("text"),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: x\nseeds: 2\nseeds: 5\n", r"line 3, column 1: the key 'seeds' stands here and in line 2"),
        ("name: x\ntraining:\n  epochs: 1\n  epochs: 2\n", r"line 4, column 3: the key 'epochs' .* in line 3"),
        ("arms:\n- {method: none, rate: .1, rate: .2}\n", r"line 2, column 28: the key 'rate'"),
        ('{"name": "x", "name": "y"}', r"line 1, column 15: the key 'name'"),
        ('name: x\n"name": y\n', "line 2, column 1: the key 'name'"),
        ("name: " + "1" * 5000, "a value that cannot be read"),
        ("name: 2024-99-99", "a value that cannot be read"),
        ("a: &a [*a]", "unfolds to more than 100,000 values"),
        ("".join(f"x{i}: &x{i} [{', '.join([f'*x{i - 1}' if i else '1'] * 9)}]\n" for i in range(9)), "unfolds to"),
        ("? [1, 2]\n: x\n", "is not YAML, line 1"),
        ("? {a: 1}\n: x\n", "is not YAML, line 1"),
    ],
)
def test_a_file_that_means_two_things_or_none(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        parse_study(text, "study.yaml")


def test_what_is_merged_in_may_be_said_anew() -> None:
    text = "a: &a {rank: 1, alpha: 2}\nb:\n  <<: *a\n  rank: 3\nc: *a\n"
    assert parse_study(text, "x")["b"] == {"rank": 3, "alpha": 2}


@given(st.dictionaries(KEYS, TREES, min_size=1))
def test_what_says_each_thing_once_is_read_as_yaml_reads_it(tree: dict[str, object]) -> None:
    for text in (yaml.safe_dump(tree, allow_unicode=True), json.dumps(tree)):
        assert parse_study(text, "x") == yaml.safe_load(text) == tree


@given(st.dictionaries(KEYS, TREES, min_size=1), st.data())
def test_any_key_said_twice_anywhere_is_refused(tree: dict[str, object], data: st.DataObject) -> None:
    places = list(_mappings(tree))
    chosen = data.draw(st.integers(0, len(places) - 1))
    with pytest.raises(InvalidInput, match="stands here and in line"):
        parse_study(_written(tree, places[chosen]), "x")


def _mappings(value: object) -> "list[dict[str, object]]":
    inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    own = [value] if isinstance(value, dict) and value else []
    return own + [one for item in inside for one in _mappings(item)]


def _written(value: object, twice: object) -> str:
    if isinstance(value, dict):
        pairs = [f"{json.dumps(key)}: {_written(one, twice)}" for key, one in value.items()]
        return "{" + ", ".join(pairs + pairs[:1] if value is twice else pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_written(one, twice) for one in value) + "]"
    return json.dumps(value)
