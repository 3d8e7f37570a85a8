"""Tokenised data sets, cached on disk by all that decides their content."""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from backend.shared.catalogue import SPLITS, require_model
from backend.shared.catalogue.datasets import TOKENS_FILE, tokens_root
from backend.shared.chat import Reader, TemplateRefused, by_template, reader_for, tokenizer_folder
from backend.shared.errors import TrainingError
from backend.shared.files import new_folder, sha256_of
from backend.shared.run_status import FailureCode
from backend.shared.specs import ModelRef, Task, TrainingSpec
from worker.data.encode import encode
from worker.data.rows import FlatRows
from worker.data.source import Dataset

CHAT_FORMAT = 1  # counts the changes of backend.shared.chat that alter any token, or what is trained of it
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
    said: dict[str, dict[str, int]] = field(default_factory=dict)

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
            found += [f"{many} {split} rows were {what}" for what, many in self.said.get(split, {}).items() if many]
        return found


def reader_of(dataset: Dataset, model: ModelRef, tokenizer: Any, training: TrainingSpec, home: Path) -> Reader | None:
    """What reads the conversations of a data set; None where its rows are none, or are not read as such.

    Raises:
        TrainingError: the template that the study names is not there, or cannot be read.
    """
    columns = dataset.facts.columns
    if dataset.facts.task != "causal_lm" or not by_template(columns, training):
        return None
    limit = min(training.max_length, require_model(home, model.id).context_length)
    try:
        folder = tokenizer_folder(home, model.id, model.revision)
        return reader_for(folder, tokenizer.backend_tokenizer, columns, training, limit)
    except TemplateRefused as error:
        raise TrainingError(FailureCode.BAD_INPUT, f"{model.id}: {error}") from error


def tokenise(
    dataset: Dataset,
    model: ModelRef,
    tokenizer: Any,
    max_length: int,
    home: Path,
    reader: Reader | None = None,
) -> Tokenised:
    """The data set in tokens; made once per content, model revision and length, then read from the cache.

    With a `reader` its template, and what of a row it trains and cuts, decide, too.

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
    if reader is not None:
        shown = [reader.template.source, reader.template.specials, sorted(reader.template.marks)]
        decides |= {"chat": CHAT_FORMAT, "template": shown, "loss_on": reader.loss_on, "truncate": reader.truncate}
    key = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]
    folder = tokens_root(home) / key
    if not _is_sound(folder):
        dataset.verify()
        shutil.rmtree(folder, ignore_errors=True)
        context = require_model(home, model.id).context_length
        with new_folder(folder) as building:
            _make(building, dataset, tokenizer, max_length, context, reader)
    return _read(folder, key, dataset)


def _make(
    folder: Path, dataset: Dataset, tokenizer: Any, max_length: int, context_length: int, reader: Reader | None
) -> None:
    about: dict[str, dict[str, Any]] = {"dropped": {}, "truncated": {}, "files": {}}
    if reader is not None:
        about["said"] = {}
    for split in SPLITS:
        found = encode(dataset.rows(split), dataset.facts.task, tokenizer, max_length, context_length, reader)
        about["dropped"][split], about["truncated"][split] = found.dropped, found.truncated
        if reader is not None:
            about["said"][split] = found.said
        for name, values in vars(found.rows).items():
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

    names = ("ids", "offsets", "labels", "types", "completion_start", "lines", "trained", "answers")
    splits = {split: FlatRows(**{name: array(split, name) for name in names}) for split in SPLITS}
    counts = (about["dropped"], about["truncated"], about.get("said", {}))
    return Tokenised(key, dataset.facts.task, dataset.label_names, splits, *counts)
