"""Writes a data set as normalised JSON lines, one file a split, with its facts and content hash beside them."""

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from backend.shared.errors import InvalidInput
from backend.shared.facts import SPLITS, DatasetFacts
from backend.shared.rows.row import Row
from backend.shared.rows.split import held_out, row_key
from backend.shared.specs import Task

MAX_ROWS = 5_000_000
MAX_LABELS = 1000
KEPT_REFUSALS = 10_000
FACTS_FILE = "facts.json"
REFUSED_FILE = "refused.jsonl"
_UNSPLIT = "unsplit.jsonl"
_OPEN = -1  # the row's split is to be drawn


class DatasetWriter:
    """Collects rows into a folder, then splits them and writes the facts. Memory: 17 bytes a row."""

    def __init__(self, folder: Path, task: Task, seed: int = 0) -> None:
        self.folder = folder
        self.task = task
        self.seed = seed
        self.refused: Counter[str] = Counter()
        self._labels: dict[str, int] = {}
        self._keys, self._classes, self._splits = array("q"), array("q"), array("b")
        self._rows = (folder / _UNSPLIT).open("w", encoding="utf-8", newline="\n")
        self._refusals = (folder / REFUSED_FILE).open("w", encoding="utf-8", newline="\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._rows.close()
        self._refusals.close()

    @property
    def kept(self) -> int:
        """Rows added so far."""
        return len(self._keys)

    def add(self, row: Row, split: str | None = None) -> None:
        """Add a row to a split, or leave its split to be drawn.

        Raises:
            InvalidInput: over five million rows, or more than 1,000 different labels.
        """
        if self.kept >= MAX_ROWS:
            raise InvalidInput(f"The data set has more than {MAX_ROWS:,} rows; give a part of it.")
        label = 0
        if self.task == "classification":
            label = self._labels.setdefault(row["label"], len(self._labels))
            if len(self._labels) > MAX_LABELS:
                raise InvalidInput(
                    f"The label column has more than {MAX_LABELS:,} different values; is it the right column, "
                    "or is the task regression?"
                )
        self._keys.append(row_key(row, self.seed))
        self._classes.append(label)
        self._splits.append(_OPEN if split is None else SPLITS.index(split))
        self._rows.write(_line(row))

    def refuse(self, place: str, column: str, reason: str) -> None:
        """Count a row that cannot be used; the first ten thousand are listed in `refused.jsonl`."""
        if self.refused.total() < KEPT_REFUSALS:
            self._refusals.write(_line({"place": place, "column": column, "reason": reason}))
        self.refused[f"column {column!r} {reason}"] += 1

    def finish(self, naming: dict[str, Any], ratio: float = 0.2, repeats: int = 0) -> DatasetFacts:
        """Split the rows, write `train.jsonl`, `validation.jsonl` and `facts.json`.

        `naming` gives id, title, builtin, source and licence; `ratio` is the share held out of rows without a split.

        Raises:
            InvalidInput: nothing to train on, only one label, or nothing left to validate on.
        """
        self._rows.close()
        self._refusals.close()
        self._check()
        names = sorted(self._labels, key=_label_order)
        codes = {name: code for code, name in enumerate(names)}
        splits = np.array(self._splits, dtype=np.int64)
        is_open = splits == _OPEN
        held = held_out(np.array(self._keys)[is_open], np.array(self._classes)[is_open], ratio)
        splits[is_open] = held  # True is 1: validation
        digests, columns, numbers = self._write(splits, codes)
        rows = {split: int((splits == place).sum()) for place, split in enumerate(SPLITS)}
        for split, count in rows.items():
            if count == 0:
                raise InvalidInput(f"No row is left for {split}; the data set is too small to be split.")
        ordered = (
            np.array([codes[name] for name in self._labels], dtype=np.int64)[np.array(self._classes)] if names else None
        )
        facts = DatasetFacts(
            **naming,
            task=self.task,
            content_hash=content_hash(self.task, names, digests),
            columns=tuple(columns),
            rows=rows,
            label_names=tuple(names),
            label_counts={
                split: tuple(np.bincount(ordered[splits == place], minlength=len(names)).tolist())
                for place, split in enumerate(SPLITS)
            }
            if ordered is not None
            else {},
            label_range=numbers,
            read=self.kept + self.refused.total(),
            kept=self.kept,
            refused=self.refused.total(),
            repeats=repeats,
        )
        (self.folder / FACTS_FILE).write_text(facts.model_dump_json(indent=1), encoding="utf-8")
        return facts

    def _check(self) -> None:
        if self.kept == 0:
            why = "; ".join(f"{count} × {reason}" for reason, count in self.refused.most_common(3))
            raise InvalidInput(f"No usable row was found ({why or 'the file has none'}).")
        if self.task == "classification" and len(self._labels) < 2:
            raise InvalidInput(
                f"All rows have the same label {next(iter(self._labels))!r}; there is nothing to tell apart."
            )

    def _write(
        self, splits: np.ndarray[Any, np.dtype[np.int64]], codes: dict[str, int]
    ) -> tuple[list[str], list[str], tuple[float, float] | None]:
        """Distribute the collected rows: digests of the files, keys of the rows, and the range of numeric labels."""
        digests = [hashlib.sha256() for _ in SPLITS]
        columns: dict[str, None] = {}
        low, high = float("inf"), float("-inf")
        files = [(self.folder / f"{split}.jsonl").open("wb") for split in SPLITS]
        try:
            with (self.folder / _UNSPLIT).open("r", encoding="utf-8", newline="\n") as source:
                for place, line in zip(splits, source, strict=True):
                    row = json.loads(line)
                    columns.update(dict.fromkeys(row))
                    if self.task == "classification":
                        row["label"] = codes[row["label"]]
                    elif self.task == "regression":
                        low, high = min(low, row["label"]), max(high, row["label"])
                    encoded = _line(row).encode("utf-8")
                    files[place].write(encoded)
                    digests[place].update(encoded)
        finally:
            for file in files:
                file.close()
        (self.folder / _UNSPLIT).unlink()
        return [d.hexdigest() for d in digests], list(columns), (low, high) if self.task == "regression" else None


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


def _label_order(name: str) -> tuple[int, float, str]:
    """Whole numbers by value, before names by alphabet."""
    try:
        return (0, int(name), name)
    except ValueError:
        return (1, 0, name)


def content_hash(task: Task, label_names: Sequence[str], digests: Sequence[str]) -> str:
    """Hash of what a data set says: its task, its label names, and the SHA-256 of each split's file."""
    body = json.dumps({"task": task, "labels": list(label_names), "splits": list(digests)}, sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()
