"""Writes a data set as normalised JSON lines, one file a split, with its facts and content hash beside them."""

import hashlib
import json
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from backend.shared.facts import SPLITS, DatasetFacts
from backend.shared.files import sealed, sha256_of
from backend.shared.rows.advice import REPEATS, advice, count, refuse_useless
from backend.shared.rows.budget import Budget
from backend.shared.rows.chat import written as readable
from backend.shared.rows.labels import NO_LABEL_REASON
from backend.shared.rows.row import Row
from backend.shared.rows.seen_rows import DROPPED, UNLABELLED, SeenRows, Verdict
from backend.shared.specs import Task

KEPT_REFUSALS = 100_000
KEPT_CHARACTERS = 1000  # of a refused cell
KEPT_BYTES = 256 << 20  # of all that refused rows say
FACTS_FILE = "facts.json"
REFUSED_FILE = "refused.jsonl"
REFUSED_SHA = "refused_sha256"  # beside the facts in their file
_UNSPLIT = "unsplit.jsonl"
MOST_NOTES = 100  # sentences of readers that are kept


class DatasetWriter:
    """Collects rows into a folder, then splits them and writes the facts. Memory: 33 bytes a row."""

    def __init__(self, folder: Path, task: Task, seed: int = 0, budget: Budget | None = None) -> None:
        self.folder = folder
        self.task = task
        self.seen = SeenRows(task, seed)
        self._rows = (folder / _UNSPLIT).open("w", encoding="utf-8", newline="\n")
        self._refusals = (folder / REFUSED_FILE).open("w", encoding="utf-8", newline="\n")
        self._lines = array("q")
        self._budget = budget
        self._listed = 0  # bytes of refused rows
        self.notes: list[str] = []  # what the readers of the files have to tell

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
            TooLarge, Unavailable, Conflict: as `Budget` says.
        """
        self.seen.add(row, split, group)
        self._lines.append(line)
        written = _line(row)
        if self._budget is not None:
            self._budget.row(_bytes(written))
        self._rows.write(written)

    def refuse(self, place: str, column: str, reason: str, values: Mapping[str, Any] | None = None) -> None:
        """Count a row that cannot be used; the first hundred thousand are listed with what they say, to 256 MiB.

        Raises:
            InvalidInput: over five million of them.
        """
        if self.seen.refused.total() < KEPT_REFUSALS and self._listed < KEPT_BYTES:
            said = {
                key: readable(value)[:KEPT_CHARACTERS] for key, value in (values or {}).items() if value is not None
            }
            written = _line({"place": place, "column": column, "reason": reason, "values": said})
            self._listed += _bytes(written)
            self._refusals.write(written)
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
        verdict = self.seen.decide(ratio, drop_repeats)
        found = count(self.seen, verdict)
        refuse_useless(found)
        names = sorted(verdict.names, key=_label_order)
        codes = {name: code for code, name in enumerate(names)}
        digests, columns, numbers = self._write(verdict, codes)
        self._refusals.close()
        order = [verdict.names.index(name) for name in names]
        facts = DatasetFacts(
            **naming,
            task=self.task,
            content_hash=content_hash(self.task, names, digests),
            columns=tuple(columns),
            rows=found.rows,
            label_names=tuple(names),
            label_counts={split: tuple(counts[i] for i in order) for split, counts in found.counts.items()},
            label_range=numbers,
            read=found.kept + found.refused,
            kept=found.kept,
            refused=found.refused,
            repeats=repeats + found.reasons[REPEATS],
            duplicates=verdict.duplicates,
            leaked=verdict.leaked,
            conflicting=verdict.conflicting,
            warnings=tuple(advice(found, self.notes[:MOST_NOTES])),
        )
        told = facts.model_dump(mode="json") | {REFUSED_SHA: sha256_of(self.folder / REFUSED_FILE)}
        (self.folder / FACTS_FILE).write_bytes(sealed(told))
        return facts

    def _write(
        self, verdict: Verdict, codes: dict[str, int]
    ) -> tuple[list[str], list[str], tuple[float, float] | None]:
        """Distribute the collected rows: digests of the files, keys of the rows, and the range of numeric labels."""
        digests = [hashlib.sha256() for _ in SPLITS]
        columns: dict[str, None] = {}
        low, high = float("inf"), float("-inf")
        code = [codes[name] for name in verdict.names]
        files = [(self.folder / f"{split}.jsonl").open("wb") for split in SPLITS]
        try:
            with (self.folder / _UNSPLIT).open("r", encoding="utf-8", newline="\n") as source:
                settled = zip(verdict.splits, verdict.classes, source, self._lines, strict=True)
                for place, which, line, number in settled:
                    row = json.loads(line)
                    if place == UNLABELLED:
                        self.refuse(f"line {number}", "label", NO_LABEL_REASON, row)
                        continue
                    if place == DROPPED:
                        said = next(key for key in ("messages", "prompt", "text") if key in row)
                        self.refuse(f"line {number}", said, REPEATS, row)
                        continue
                    columns.update(dict.fromkeys(row))
                    if self.task == "classification":
                        row["label"] = code[which]
                    elif self.task == "regression":
                        low, high = min(low, row["label"]), max(high, row["label"])
                    encoded = _line(row).encode("utf-8")
                    if self._budget is not None:
                        self._budget.again(len(encoded))
                    files[place].write(encoded)
                    digests[place].update(encoded)
        finally:
            for file in files:
                file.close()
        (self.folder / _UNSPLIT).unlink()
        return [d.hexdigest() for d in digests], list(columns), (low, high) if self.task == "regression" else None


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


def _bytes(line: str) -> int:
    return len(line) if line.isascii() else len(line.encode())


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
