"""Small data sets written as the registry writes them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from backend.shared.catalogue.datasets import datasets_root
from backend.shared.facts import DatasetFacts
from backend.shared.rows.writer import DatasetWriter
from backend.shared.specs import Task


def store(home: Path, dataset_id: str, task: Task, rows: Iterable[tuple[str, dict[str, Any]]]) -> DatasetFacts:
    """Write (split, row) pairs as the data set `dataset_id` of this home folder."""
    folder = datasets_root(home) / dataset_id
    folder.mkdir(parents=True)
    naming = {"id": dataset_id, "title": dataset_id, "builtin": False, "source": "test", "licence": "none"}
    with DatasetWriter(folder, task) as writer:
        for split, row in rows:
            writer.add(row, split)
        return writer.finish(naming)


def films(train: int, validation: int) -> list[tuple[str, dict[str, Any]]]:
    """Rows of two classes, one good in three."""
    found = []
    for split, count in (("train", train), ("validation", validation)):
        for i in range(count):
            word = "good" if i % 3 == 0 else "bad"
            found.append((split, {"text": f"{word} film {'very ' * (i % 5)}a" + " b" * i, "label": word}))
    return found


def turned(train: int, validation: int) -> list[tuple[str, dict[str, Any]]]:
    """The same, but what says a class in training rows says the other one in validation rows: learning it does harm."""
    swapped = {"good": "bad", "bad": "good"}
    return [
        (split, row if split == "train" else {**row, "label": swapped[row["label"]]})
        for split, row in films(train, validation)
    ]


WORDS = ["a", "b", "c", "d", "e", "f", "g", "h"]


def similar(count: int, seed: int = 0) -> list[tuple[str, dict[str, object]]]:
    """Sentence pairs labelled with the share of words they have in common, 0 to 5."""
    draw = np.random.default_rng(seed)
    rows: list[tuple[str, dict[str, object]]] = []
    for i in range(count):
        first, second = (draw.choice(WORDS, 4, replace=False).tolist() for _ in range(2))
        label = 5 * len(set(first) & set(second)) / 4
        row = {"text": " ".join(first), "text_pair": " ".join(second), "label": label}
        rows.append(("train" if i % 3 else "validation", row))
    return rows
