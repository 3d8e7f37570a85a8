"""Tokenised data sets, cached on disk by all that decides their content."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.shared.catalogue import SPLITS, require_model
from backend.shared.catalogue.datasets import TOKENS_FILE, tokens_root
from backend.shared.files import new_folder, sha256_of
from backend.shared.specs import ModelRef, Task
from worker.data.encode import encode
from worker.data.rows import FlatRows
from worker.data.source import Dataset

FORMAT = 4  # counts the changes of encode.py that alter any token, and of what is written here


@dataclass(frozen=True)
class Tokenised:
    """Both splits of a data set in tokens of one model; the arrays are read from disk as they are needed."""

    key: str
    task: Task
    label_names: tuple[str, ...]
    splits: dict[str, FlatRows]
    dropped: dict[str, int]
    truncated: dict[str, int]

    @property
    def notes(self) -> list[str]:
        """Sentences for the run's log about rows that did not fit as they are."""
        found = []
        for split in SPLITS:
            rows = len(self.splits[split])
            if self.dropped[split]:
                found.append(
                    f"{self.dropped[split]} of {rows + self.dropped[split]} {split} rows were left out: "
                    "cut to the largest length, nothing was left to learn from."
                )
            if self.truncated[split]:
                found.append(f"{self.truncated[split]} of {rows} {split} rows were cut to the largest length.")
        return found


def tokenise(dataset: Dataset, model: ModelRef, tokenizer: Any, max_length: int, home: Path) -> Tokenised:
    """The data set in tokens; made once per content, model revision and length, then read from the cache.

    What lies in the cache is hashed before it is trusted, and made anew where it was cut or altered, from rows that
    were hashed since they were last written.

    Raises:
        TrainingError: the stored rows are not those that were stored.
    """
    decides = {
        "format": FORMAT,
        "content": dataset.facts.content_hash,
        "model": model.id,
        "revision": model.revision,
        "max_length": max_length,
    }
    key = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]
    folder = tokens_root(home) / key
    if not _is_sound(folder):
        dataset.verify()
        shutil.rmtree(folder, ignore_errors=True)
        context = require_model(home, model.id).context_length
        with new_folder(folder) as building:
            _make(building, dataset, tokenizer, max_length, context)
    return _read(folder, key, dataset)


def _make(folder: Path, dataset: Dataset, tokenizer: Any, max_length: int, context_length: int) -> None:
    about: dict[str, dict[str, Any]] = {"dropped": {}, "truncated": {}, "files": {}}
    for split in SPLITS:
        rows, dropped, truncated = encode(
            dataset.rows(split), dataset.facts.task, tokenizer, max_length, context_length
        )
        about["dropped"][split], about["truncated"][split] = dropped, truncated
        for name, values in vars(rows).items():
            if values is not None:
                file = folder / f"{split}.{name}.npy"
                np.save(file, values, allow_pickle=False)
                about["files"][file.name] = sha256_of(file)
    told = {**about, "content": dataset.facts.content_hash}  # whoever deletes these rows finds them by it
    (folder / TOKENS_FILE).write_text(json.dumps({**told, "seal": _seal(told)}), encoding="utf-8")


def _seal(about: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def _is_sound(folder: Path) -> bool:
    """Whether the folder holds what was written into it, all of it."""
    try:
        about = json.loads((folder / TOKENS_FILE).read_text(encoding="utf-8"))
        seal = about.pop("seal")
        return bool(seal == _seal(about)) and all(
            sha256_of(folder / name) == sha for name, sha in about["files"].items()
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False


def _read(folder: Path, key: str, dataset: Dataset) -> Tokenised:
    about = json.loads((folder / TOKENS_FILE).read_text(encoding="utf-8"))

    def array(split: str, name: str) -> Any:
        file = folder / f"{split}.{name}.npy"
        return np.load(file, mmap_mode="r", allow_pickle=False) if file.is_file() else None

    names = ("ids", "offsets", "labels", "types", "completion_start", "lines")
    splits = {split: FlatRows(**{name: array(split, name) for name in names}) for split in SPLITS}
    return Tokenised(key, dataset.facts.task, dataset.label_names, splits, about["dropped"], about["truncated"])
