"""What a person should know of the rows that become a data set: one sentence for each thing, the gravest first.

A preview, the stored data set and the command line say the same sentences.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.shared.errors import InvalidInput
from backend.shared.facts import SPLITS
from backend.shared.rows.labels import NO_LABEL, NO_LABEL_REASON, lookalikes, missing_like, truths_beside_numbers
from backend.shared.rows.seen_rows import DROPPED, UNLABELLED, SeenRows, Verdict
from backend.shared.specs import Task

REPEATS = "says what another row says"
RARE = 0.05  # share of the rows of a label that is called rare
FEW = 30  # rows of validation under which intervals say little
MANY = 50  # labels from which on a person may have taken the wrong column
OWN = 0.5  # labels for each row from which on they look like names of rows
SHOWN_GROUPS = 5  # of spellings
ENOUGH = 8  # rows under which that says nothing


@dataclass(frozen=True)
class Kept:
    """The rows that stay: how many in each split, and of each label; and the reasons of those that do not."""

    task: Task
    rows: dict[str, int]
    names: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]
    reasons: Counter[str]
    marks: Counter[str]
    verdict: Verdict
    unanswered: int = 0  # conversations that end with another turn than the assistant's

    @property
    def kept(self) -> int:
        """Rows that stay."""
        return sum(self.rows.values())

    @property
    def refused(self) -> int:
        """Rows that do not."""
        return self.reasons.total()


def count(seen: SeenRows, verdict: Verdict) -> Kept:
    """Count what was read, as it is judged."""
    splits, names = verdict.splits, verdict.names
    counts = {
        split: tuple(np.bincount(verdict.classes[splits == place], minlength=len(names)).tolist())
        for place, split in enumerate(SPLITS)
    }
    left = {REPEATS: int((splits == DROPPED).sum()), NO_LABEL_REASON: int((splits == UNLABELLED).sum())}
    return Kept(
        task=seen.task,
        rows={split: int((splits == place).sum()) for place, split in enumerate(SPLITS)},
        names=names,
        counts=counts if names else {},
        reasons=seen.refused + Counter(left),  # what is 0 falls out
        marks=seen.marks,
        verdict=verdict,
        unanswered=seen.unanswered,
    )


def refuse_useless(found: Kept) -> None:
    """Refuse rows of which no data set can be made.

    Raises:
        InvalidInput: nothing to train on, only one label, or nothing left to train or to validate on.
    """
    if len(found.verdict.splits) == 0:
        raise InvalidInput(f"No usable row was found ({_why(found) or 'the file has none'}).")
    if found.task == "classification" and len(found.names) < 2:
        sign = f" It {NO_LABEL_REASON}." if found.names[0] == NO_LABEL else ""
        raise InvalidInput(f"All rows have the same label {found.names[0]!r}; there is nothing to tell apart.{sign}")
    for split, rows in found.rows.items():
        if rows > 0:
            continue
        why = "the data set is too small to be split"
        if found.reasons[NO_LABEL_REASON]:
            why = f"each of its labels {NO_LABEL_REASON}, as in a test split; give rows with labels"
        elif found.kept >= ENOUGH and len(found.names) == found.kept:
            why = "each label has one row only; is this the label column?"
        raise InvalidInput(f"No row is left for {split}; {why}.".replace("?.", "?"))


def advice(found: Kept, notes: Sequence[str] = ()) -> list[str]:
    """Sentences about leakage, labels, repeats, refused rows and balance; `notes` are those of the files' readers."""
    verdict, told = found.verdict, list[str]()
    if verdict.leaked:
        told.append(
            f"{_rows(verdict.leaked, 'says', 'say')} in the validation split what a training row says: that rewards "
            "learning by heart. Drop repeats, or split by a group that keeps them together."
        )
    if verdict.conflicting:
        told.append(
            f"{_rows(verdict.conflicting)} have a text that also stands under another label; look at their labels."
        )
    if verdict.duplicates:
        told.append(
            f"{_rows(verdict.duplicates, 'says', 'say')} what an earlier row says; repeats count twice unless dropped."
        )
    if found.refused:
        share = found.refused / (found.refused + found.kept)
        told.append(f"{_rows(found.refused)} ({share:.1%}) cannot be used; the list says why. ({_why(found)})")
    told += notes
    for mark, many in found.marks.items():
        told.append(
            f"{_rows(many, 'holds', 'hold')} marks of a chat ({mark!r}) as text: a model whose tokenizer does not know "
            "them reads them letter by letter. Give the turns as messages, each with a role and a content."
        )
    if found.unanswered:
        told.append(
            f"{_conversations(found.unanswered)} with no turn of the assistant: what comes after the last answer is "
            "not learned."
        )
    told += _spelling(found)
    told += _classes(found)
    if 0 < found.rows["validation"] < FEW:
        held = _rows(found.rows["validation"])
        told.append(f"Only {held} for validation: differences between methods will hardly be seen.")
    return told


def _conversations(many: int) -> str:
    return "1 conversation ends" if many == 1 else f"{many:,} conversations end"


def _why(found: Kept) -> str:
    return "; ".join(f"{many:,} × {reason[:200]}" for reason, many in found.reasons.most_common(3))


def _spelling(found: Kept) -> list[str]:
    told = [
        f"Several spellings are taken as one label: {listed(some)}." for some in found.verdict.spellings[:SHOWN_GROUPS]
    ]
    told += [
        f"Labels that differ in their spelling only are different classes here: {listed(some)}; write them alike "
        "where they mean one."
        for some in lookalikes(found.names)[:SHOWN_GROUPS]
    ]
    if kinds := truths_beside_numbers(found.names):
        told.append(f"Labels of two kinds are different classes here: {listed(kinds)}; write them alike.")
    if NO_LABEL in found.names:
        told.append("The label '-1' is a class here; take its rows out where it means that there is no label.")
    if words := missing_like(found.names):
        told.append(f"A label that reads like a missing value is a class here: {listed(words)}.")
    return told


def _classes(found: Kept) -> list[str]:
    names = found.names
    if len(names) < 2:
        return []
    told = []
    train, held = found.counts["train"], found.counts["validation"]
    absent = [name for name, one, other in zip(names, train, held, strict=True) if not one or not other]
    if absent:
        told.append(f"On one side of the split only: {listed(absent)}; such a label is not learned, or not measured.")
    sums = [one + other for one, other in zip(train, held, strict=True)]
    rare = [name for name, many in zip(names, sums, strict=True) if 0 < many < RARE * found.kept]
    if rare and len(names) <= 20:
        told.append(f"Rare labels (under {RARE:.0%} of the rows): {listed(rare)}; look at macro-F1 beside accuracy.")
    if found.kept >= ENOUGH and len(names) >= OWN * found.kept:
        told.append(
            f"Nearly every row has a label of its own ({len(names):,} labels in {_rows(found.kept)}); is this the "
            "label column?"
        )
    elif len(names) >= MANY:
        told.append(
            f"There are {len(names):,} different labels, about {_rows(max(found.kept // len(names), 1))} of each; is "
            "this the label column?"
        )
    if len(names) > 20 and all(name.lstrip("-").replace(".", "", 1).isdigit() for name in names):
        told.append("The labels are many different numbers; is the task regression?")
    return told


def listed(names: Sequence[str]) -> str:
    """The first names in quotes, and how many there are more."""
    shown = ", ".join(repr(name[:40]) for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _rows(many: int, one: str = "", several: str = "") -> str:
    noun, verb = ("row", one) if many == 1 else ("rows", several)
    return f"{many:,} {noun} {verb}".rstrip()
