"""What is remembered of rows while a file is read: enough to split them and to find repeats, never the rows."""

from array import array
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.shared.errors import InvalidInput
from backend.shared.facts import SPLITS
from backend.shared.rows.chat import mark_of
from backend.shared.rows.labels import NO_LABEL, minus_one_is_missing, one_spelling
from backend.shared.rows.row import Row
from backend.shared.rows.split import group_key, held_out, row_key
from backend.shared.specs import Task

MAX_ROWS = 5_000_000
MAX_LABELS = 1000
DROPPED, UNLABELLED = -2, -3
_OPEN = -1  # the row's split is to be drawn
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Verdict:
    """Where each row goes, and what the rows have in common.

    `splits` has a place in SPLITS, DROPPED or UNLABELLED for each row, and `classes` a place in `names`: the labels in
    the order of their first rows, each in one spelling; `spellings` are those of which several became one. Of the rows
    that stay: `duplicates` say what an earlier one says, `leaked` are validation rows whose text (or prompt) is a
    training row's, too, and `conflicting` share their text with a row of another label.
    """

    splits: Numbers
    classes: Numbers
    names: tuple[str, ...]
    spellings: tuple[tuple[str, ...], ...]
    duplicates: int
    leaked: int
    conflicting: int


class SeenRows:
    """Keys, classes and splits of the rows of one data set, 33 bytes a row at most."""

    def __init__(self, task: Task, seed: int = 0) -> None:
        self.task, self.seed = task, seed
        self.labels: dict[str, int] = {}  # as they are written → number, in the order of their first rows
        self.refused: Counter[str] = Counter()
        self.marks: Counter[str] = Counter()  # marks of rendered chats in texts that are no conversations
        self.unanswered = 0  # conversations whose last turn is not the assistant's
        self._said, self._keys, self._classes, self._splits = array("q"), array("q"), array("q"), array("b")
        self._groups = array("q")

    @property
    def kept(self) -> int:
        """Rows added so far."""
        return len(self._keys)

    def add(self, row: Row, split: str | None = None, group: str | None = None) -> None:
        """Remember a row of a split, or one whose split is to be drawn: by its group where it has one.

        Raises:
            InvalidInput: over five million rows, or more than 1,000 different labels.
        """
        if self.kept >= MAX_ROWS:
            raise InvalidInput(f"The data set has more than {MAX_ROWS:,} rows; give a part of it.")
        label = 0
        if self.task == "classification":
            label = self.labels.setdefault(row["label"], len(self.labels))
            if len(self.labels) > MAX_LABELS:
                raise InvalidInput(
                    f"The label column has more than {MAX_LABELS:,} different values; is it the right column, "
                    "or is the task regression?"
                )
        self._keys.append(row_key(row, self.seed))
        if self.task == "causal_lm":
            self._said.append(row_key(row, self.seed, whole=True))
            self._look_at(row)
        if group is not None:
            self._groups.append(group_key(group, self.seed))
        self._classes.append(label)
        self._splits.append(_OPEN if split is None else SPLITS.index(split))

    def _look_at(self, row: Row) -> None:
        turns = row.get("messages")
        if turns is not None:
            self.unanswered += turns[-1]["role"] != "assistant"
            return
        if (mark := mark_of(row[key] for key in ("prompt", "completion", "text") if key in row)) is not None:
            self.marks[mark] += 1

    def refuse(self, column: str, reason: str) -> None:
        """Count a row that cannot be used.

        Raises:
            InvalidInput: over five million of them.
        """
        if self.refused.total() >= MAX_ROWS:
            raise InvalidInput(f"More than {MAX_ROWS:,} rows cannot be used; give a part of the file.")
        self.refused[f"column {column!r} {reason}"] += 1

    def decide(self, ratio: float, drop_repeats: bool = False) -> Verdict:
        """Draw the open splits, holding out `ratio` of the rows (of the groups), and look for repeats."""
        splits, keys = np.array(self._splits, dtype=np.int64), _numbers(self._keys)
        names, classes, spellings = self._settled(splits)
        is_open = splits == _OPEN
        if self._groups:
            drawn = held_out(_numbers(self._groups), np.zeros(len(self._groups), dtype=np.int64), ratio)
        else:
            drawn = held_out(keys[is_open], classes[is_open], ratio)
        splits[is_open] = drawn  # True is 1: validation
        splits[classes < 0] = UNLABELLED
        said = _numbers(self._said) if self._said else keys
        order = np.lexsort((np.arange(len(splits)), splits))  # the training rows first: they stay
        order = order[splits[order] >= 0]
        first = order[np.unique(said[order], return_index=True)[1]]
        if drop_repeats:
            repeats = np.ones(len(splits), dtype=bool)
            repeats[first] = False
            splits[repeats & (splits >= 0)] = DROPPED
        stays = splits >= 0
        training, validation = keys[splits == 0], keys[splits == 1]
        return Verdict(
            splits=splits,
            classes=classes,
            names=names,
            spellings=spellings,
            duplicates=int(stays.sum()) - len(first),
            leaked=int(np.isin(validation, training).sum()),
            conflicting=_conflicting(keys[stays], classes[stays]) if self.task == "classification" else 0,
        )

    def _settled(self, splits: Numbers) -> tuple[tuple[str, ...], Numbers, tuple[tuple[str, ...], ...]]:
        """Names of the classes, the class of each row (−1 for one without a label), spellings of which one was made."""
        written = np.array(self._classes, dtype=np.int64)
        if not self.labels:
            return (), written, ()
        one, spelled = one_spelling(self.labels), list(self.labels)
        of_splits = [{one[spelled[i]] for i in np.unique(written[splits == part])} for part in np.unique(splits)]
        names = dict.fromkeys(one.values())
        if minus_one_is_missing(of_splits):
            del names[NO_LABEL]
        number = {name: place for place, name in enumerate(names)}
        several = tuple(
            some for name in names if len(some := tuple(other for other in spelled if one[other] == name)) > 1
        )
        return tuple(names), np.array([number.get(one[name], -1) for name in spelled], dtype=np.int64)[written], several


def _numbers(values: "array[Any]") -> Numbers:
    return np.array(values, dtype=np.int64)


def _conflicting(keys: Numbers, classes: Numbers) -> int:
    """Rows that share their key with a row of another class."""
    if len(keys) == 0:
        return 0
    order = np.lexsort((classes, keys))
    keys, classes = keys[order], classes[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    counts = np.diff(np.r_[starts, len(keys)])
    differ = classes[starts] != classes[starts + counts - 1]  # sorted: the first and the last class of a key
    return int(counts[differ].sum())
