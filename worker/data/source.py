"""A data set as stored on this machine, checked against what the study was made with."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from backend.shared.catalogue import SPLITS, DatasetFacts, dataset_folder, require_dataset
from backend.shared.catalogue.datasets import make_anew
from backend.shared.errors import InvalidInput, TrainingError
from backend.shared.files import sha256_of
from backend.shared.rows.row import Row
from backend.shared.rows.writer import content_hash
from backend.shared.run_status import FailureCode
from backend.shared.specs import DatasetRef, Task

_Stamp = tuple[tuple[int, int, int], ...]  # inode, size and time of writing, a split


@dataclass(frozen=True)
class Dataset:
    """Normalised rows on disk, in the splits train and validation."""

    facts: DatasetFacts
    folder: Path
    _hashed: list["_Stamp"] = field(default_factory=list, compare=False, repr=False)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the classes in the order of their codes; empty where labels are numbers or texts."""
        return self.facts.label_names

    @property
    def outputs(self) -> int:
        """Outputs of a model's head for this data set: one per class, or 1."""
        return len(self.label_names) or 1

    def rows(self, split: str) -> Iterator[Row]:
        """The rows of a split, in the stored order."""
        with (self.folder / f"{split}.jsonl").open("r", encoding="utf-8", newline="\n") as file:
            for line in file:
                yield json.loads(line)

    def rows_at(self, split: str, lines: Iterable[int]) -> list[Row]:
        """The rows on these lines of a split's file, in the order asked for."""
        wanted = list(lines)
        chosen, last = set(wanted), max(wanted, default=-1)
        with (self.folder / f"{split}.jsonl").open("r", encoding="utf-8", newline="\n") as file:
            found = {n: json.loads(line) for n, line in enumerate(islice(file, last + 1)) if n in chosen}
        return [found[line] for line in wanted]

    def verify(self) -> None:
        """Hash the stored rows, where that was not done since their files were last written.

        Raises:
            TrainingError: the files were changed since the data set was made.
        """
        files = [self.folder / f"{split}.jsonl" for split in SPLITS]
        try:
            stamp = tuple((found.st_ino, found.st_size, found.st_mtime_ns) for found in map(Path.stat, files))
            if stamp in self._hashed:
                return
            digests = [sha256_of(file) for file in files]
        except OSError:
            digests = []
        if content_hash(self.facts.task, self.facts.label_names, digests) != self.facts.content_hash:
            raise TrainingError(
                FailureCode.BAD_INPUT,
                f"The stored rows of {self.facts.id} are not those that were stored (changed or deleted by hand, or by "
                "a failing disk); add the data set again under a new id.",
            )
        self._hashed[:] = [stamp]


def load(ref: DatasetRef, task: Task, home: Path) -> Dataset:
    """The data set of a run.

    Raises:
        TrainingError: not on this machine, for another task, with other content than the study was made with, or with
            rows that were changed since.
    """
    try:
        facts = require_dataset(home, ref.id)
        folder = dataset_folder(home, ref.id)
    except InvalidInput as error:
        raise TrainingError(FailureCode.BAD_INPUT, error.message) from error
    if facts.content_hash != ref.content_hash:
        raise TrainingError(
            FailureCode.BAD_INPUT,
            f"The data set {ref.id} on this machine has other rows than the study was made with "
            f"({facts.content_hash[:12]} instead of {ref.content_hash[:12]}); make a new study.",
        )
    if facts.task != task:
        raise TrainingError(FailureCode.BAD_INPUT, f"The data set {ref.id} is for {facts.task}, not for {task}.")
    found = Dataset(facts, folder)
    try:
        found.verify()
    except TrainingError:
        if not make_anew(home, facts.id):
            raise
        found = Dataset(require_dataset(home, facts.id), dataset_folder(home, facts.id))
        found.verify()
    return found
