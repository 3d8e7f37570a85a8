"""Writes a data set as normalised JSON lines, one file a split, with its facts and content hash beside them."""

import hashlib
import json
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from backend.shared.errors import InvalidInput
from backend.shared.facts import SPLITS, DatasetFacts
from backend.shared.rows.row import Row
from backend.shared.rows.seen_rows import DROPPED, SeenRows
from backend.shared.specs import Task

KEPT_REFUSALS = 100_000
KEPT_CHARACTERS = 1000  # of a refused cell
FACTS_FILE = "facts.json"
REFUSED_FILE = "refused.jsonl"
_UNSPLIT = "unsplit.jsonl"
REPEATS = "says what another row says"


class DatasetWriter:
    """Collects rows into a folder, then splits them and writes the facts. Memory: 33 bytes a row."""

    def __init__(self, folder: Path, task: Task, seed: int = 0) -> None:
        self.folder = folder
        self.task = task
        self.seen = SeenRows(task, seed)
        self._rows = (folder / _UNSPLIT).open("w", encoding="utf-8", newline="\n")
        self._refusals = (folder / REFUSED_FILE).open("w", encoding="utf-8", newline="\n")
        self._lines = array("q")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._rows.close()
        self._refusals.close()

    def add(self, row: Row, split: str | None = None, group: str | None = None, line: int = 0) -> None:
        """Add a row of a split, or one whose split is to be drawn; `line` says where it stands.

        Raises:
            InvalidInput: over five million rows, or more than 1,000 different labels.
        """
        self.seen.add(row, split, group)
        self._lines.append(line)
        self._rows.write(_line(row))

    def refuse(self, place: str, column: str, reason: str, values: Mapping[str, Any] | None = None) -> None:
        """Count a row that cannot be used; the first hundred thousand are listed, with what they say."""
        if self.seen.refused.total() < KEPT_REFUSALS:
            said = {key: str(value)[:KEPT_CHARACTERS] for key, value in (values or {}).items() if value is not None}
            self._refusals.write(_line({"place": place, "column": column, "reason": reason, "values": said}))
        self.seen.refuse(column, reason)

    def finish(
        self, naming: dict[str, Any], ratio: float = 0.2, repeats: int = 0, drop_repeats: bool = False
    ) -> DatasetFacts:
        """Split the rows, write `train.jsonl`, `validation.jsonl` and `facts.json`.

        `naming` gives id, title, builtin, source and licence; `ratio` is the share held out of rows without a split;
        `drop_repeats` refuses rows that say what another row says; `repeats` were refused before.

        Raises:
            InvalidInput: nothing to train on, only one label, or nothing left to validate on.
        """
        self._rows.close()
        self._check()
        names = sorted(self.seen.labels, key=_label_order)
        codes = {name: code for code, name in enumerate(names)}
        verdict = self.seen.decide(ratio, drop_repeats)
        splits, read = verdict.splits, self.seen.kept + self.seen.refused.total()
        digests, columns, numbers = self._write(splits, codes)
        self._refusals.close()
        rows = {split: int((splits == place).sum()) for place, split in enumerate(SPLITS)}
        for split, count in rows.items():
            if count == 0:
                raise InvalidInput(f"No row is left for {split}; the data set is too small to be split.")
        ordered = np.array([codes[name] for name in self.seen.labels], dtype=np.int64) if names else None
        dropped = int((splits == DROPPED).sum())
        facts = DatasetFacts(
            **naming,
            task=self.task,
            content_hash=content_hash(self.task, names, digests),
            columns=tuple(columns),
            rows=rows,
            label_names=tuple(names),
            label_counts={
                split: tuple(np.bincount(ordered[self.seen.classes][splits == place], minlength=len(names)).tolist())
                for place, split in enumerate(SPLITS)
            }
            if ordered is not None
            else {},
            label_range=numbers,
            read=read,
            kept=self.seen.kept - dropped,
            refused=read - self.seen.kept + dropped,
            repeats=repeats + dropped,
            duplicates=verdict.duplicates,
            leaked=verdict.leaked,
            conflicting=verdict.conflicting,
        )
        (self.folder / FACTS_FILE).write_text(facts.model_dump_json(indent=1), encoding="utf-8")
        return facts

    def _check(self) -> None:
        if self.seen.kept == 0:
            why = "; ".join(f"{count} × {reason}" for reason, count in self.seen.refused.most_common(3))
            raise InvalidInput(f"No usable row was found ({why or 'the file has none'}).")
        if self.task == "classification" and len(self.seen.labels) < 2:
            raise InvalidInput(
                f"All rows have the same label {next(iter(self.seen.labels))!r}; there is nothing to tell apart."
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
                for place, line, number in zip(splits, source, self._lines, strict=True):
                    row = json.loads(line)
                    if place == DROPPED:
                        self.refuse(f"line {number}", "prompt" if "prompt" in row else "text", REPEATS, row)
                        continue
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
