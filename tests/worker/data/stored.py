"""Small data sets written as the registry writes them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

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
