"""Adds a data set from files of this machine."""

import hashlib
import shutil
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

from backend.accounts.principal import Principal
from backend.catalogue.register import UNKNOWN_LICENCE, _disk, _free_id, _insert, _taken
from backend.shared.catalogue import DatasetFacts, find_dataset
from backend.shared.catalogue.builtin_data import BUILTIN as BUILTIN_DATASETS
from backend.shared.catalogue.datasets import datasets_root
from backend.shared.catalogue.names import slug
from backend.shared.database import Database, Write
from backend.shared.errors import InvalidInput, TooLarge, Unavailable
from backend.shared.files import new_folder
from backend.shared.rows.budget import Budget
from backend.shared.settings import Settings
from backend.shared.tables import Dataset

from .files.importing import import_rows
from .files.plan import ImportPlan
from .files.table import bare, source_of


def add_dataset(
    database: Database,
    settings: Settings,
    who: Principal,
    train: Path,
    plan: ImportPlan,
    *,
    validation: Path | None = None,
    title: str | None = None,
    dataset_id: str | None = None,
    licence: str = UNKNOWN_LICENCE,
    name: str | None = None,
    validation_name: str | None = None,
    seconds: float | None = None,
    wanted: Callable[[], bool] = lambda: True,
    told: Mapping[str, str | None] | None = None,
    also: Callable[[Write, DatasetFacts], None] | None = None,
) -> DatasetFacts:
    """Read files into a stored data set.

    `name` and `validation_name`: what the files are called, where not as they lie there. They say the formats where the
    plan does not, and of the first the id is made unless given. `told` says more of where the data set comes from:
    `source`, `hub_id`, `metric`; `also` is done in the transaction that stores it. Reading ends after so many
    `seconds`, or when it is not `wanted` any more.

    Raises:
        InvalidInput: the file cannot be trusted or used; the sentence names line and column.
        TooLarge: a file over the cap, or one that unfolds to much more than its size; or the time is over.
        Conflict: the id is taken, or it is not wanted any more.
        Unavailable: too little free space.
    """
    for file in (train, validation):
        _check_size(file, settings)
    called = Path(name or train.name)
    size = sum(file.stat().st_size for file in (train, validation) if file is not None)
    limits = (settings.max_upload_bytes, settings.disk_floor_bytes, seconds, wanted)
    budget = Budget(settings.shared, size, *limits)
    files = [
        None if file is None else source_of(file, known, plan.format, plan.quotes, budget.read)
        for file, known in ((train, name), (validation, validation_name))
    ]
    chosen = _free_id(
        dataset_id,
        telling(Path(bare(called.name)).stem),
        lambda one: one in BUILTIN_DATASETS or _dataset(settings, one),
    )
    folder = datasets_root(settings.shared) / chosen
    naming = {
        "id": chosen,
        "title": title or called.name,
        "builtin": False,
        "source": "added file",
        "licence": licence,
        **(told or {}),
    }
    try:
        with new_folder(folder, first_stands=False) as building:
            facts = import_rows(building, files[0] or train, files[1], plan, naming, budget)
    except FileExistsError as error:
        raise _taken(chosen) from error
    except OSError as error:
        raise _disk(error) from error
    row = Dataset(
        id=chosen,
        workspace_id=who.workspace_id,
        created_by=who.user_id,
        name=str(naming["title"])[:200],
        storage_key=f"datasets/{chosen}",
        content_hash=facts.content_hash,
        facts=facts.model_dump(mode="json"),
    )
    try:
        _insert(database, row, chosen, lambda session: also(session, facts) if also else None)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return facts


def telling(name: str) -> str:
    """A name for an id, with a few digits of its hash where letters of it cannot be in one.

    So files called in one script are told from each other: of レビュー and 感想 nothing would be left.
    """
    whole = unicodedata.normalize("NFC", name)
    if all(c.isascii() or not c.isalnum() for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)):
        return name
    left = slug(name)
    return f"{'data' if left == 'unnamed' else left}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def _dataset(settings: Settings, dataset_id: str) -> bool:
    return find_dataset(settings.shared, dataset_id) is not None


def _check_size(file: Path | None, settings: Settings) -> None:
    if file is None:
        return
    if not file.is_file():
        raise InvalidInput(f"There is no file {file.name!r}.")
    size = file.stat().st_size
    if size > settings.max_upload_bytes:
        raise TooLarge(f"{file.name} has {size:,} bytes; {settings.max_upload_bytes:,} are the most that are taken.")
    settings.shared.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(settings.shared).free - 3 * size < settings.disk_floor_bytes:
        raise Unavailable("There is too little free space in the data folder; free some and try again.")
