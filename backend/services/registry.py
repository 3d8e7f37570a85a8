"""Takes models and data sets in: a folder of this host registered under an id, files read into a stored data set."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from backend.services.principal import Principal
from backend.shared.catalogue import DatasetFacts, ModelFacts, find_dataset, find_model
from backend.shared.catalogue.builtin_data import BUILTIN as BUILTIN_DATASETS
from backend.shared.catalogue.datasets import datasets_root
from backend.shared.catalogue.inspect_model import Naming, inspect_folder
from backend.shared.catalogue.models import BUILTIN as BUILTIN_MODELS
from backend.shared.catalogue.models import manifest_path, write_manifest
from backend.shared.catalogue.names import check_id, slug
from backend.shared.database import Database, Write
from backend.shared.errors import Conflict, InvalidInput, TooLarge, Unavailable
from backend.shared.files import new_folder
from backend.shared.rows.importing import import_rows
from backend.shared.rows.plan import ImportPlan
from backend.shared.settings import Settings
from backend.shared.tables import Dataset, RegisteredModel

UNKNOWN_LICENCE = "not stated"


def add_model(
    database: Database,
    settings: Settings,
    who: Principal,
    folder: Path,
    model_id: str | None = None,
    licence: str = UNKNOWN_LICENCE,
    hub_id: str | None = None,
    commit: str | None = None,
) -> ModelFacts:
    """Register a folder of this host; its files stay where they are. The id is made from its name unless given.

    hub_id, commit: where on the model hub it was fetched from.

    Raises:
        InvalidInput: the folder cannot or must not be used; the sentence says why.
        Conflict: the id is taken.
    """
    chosen = _free_id(model_id, folder.resolve().name, lambda one: one in BUILTIN_MODELS or _model(settings, one))
    source = f"model hub, commit {commit}" if hub_id else "local folder"
    naming = Naming(chosen, hub_id or folder.resolve().name, False, source, licence, hub_id)
    facts = inspect_folder(folder, naming, settings.cache)
    row = RegisteredModel(
        id=chosen,
        workspace_id=who.workspace_id,
        created_by=who.user_id,
        folder=str(folder.resolve()),
        revision=facts.revision,
        facts=facts.model_dump(mode="json"),
    )
    _insert(database, row, chosen)
    try:
        write_manifest(settings.shared, facts, folder)
    except OSError as error:
        _remove(database, row)
        raise _disk(error) from error
    return facts


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
    told: Mapping[str, str | None] | None = None,
    also: Callable[[Write, DatasetFacts], None] | None = None,
) -> DatasetFacts:
    """Read files into a stored data set. The id is made from the file's name (`name`, where it has another) unless
    given; `told` says more of where it comes from: `source`, `hub_id`, `metric`; `also` is done in the transaction that
    stores it.

    Raises:
        InvalidInput: the file cannot be trusted or used; the sentence names line and column.
        TooLarge: a file over the cap.
        Conflict: the id is taken.
        Unavailable: too little free space.
    """
    for file in (train, validation):
        _check_size(file, settings)
    called = Path(name or train.name)
    chosen = _free_id(dataset_id, called.stem, lambda one: one in BUILTIN_DATASETS or _dataset(settings, one))
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
            facts = import_rows(building, train, validation, plan, naming)
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


def _model(settings: Settings, model_id: str) -> bool:
    return find_model(settings.shared, model_id) is not None or manifest_path(settings.shared, model_id).exists()


def _dataset(settings: Settings, dataset_id: str) -> bool:
    return find_dataset(settings.shared, dataset_id) is not None


def _free_id(asked: str | None, name: str, taken: Callable[[str], bool]) -> str:
    """The id asked for, or one made from the name, with a number where that is taken."""
    if asked is not None:
        if taken(check_id(asked, "/id")):
            raise _taken(asked)
        return asked
    plain = slug(name)
    return next(one for number in range(1, 10_000) if not taken(one := plain if number == 1 else f"{plain}-{number}"))


def _insert(
    database: Database, row: Dataset | RegisteredModel, chosen: str, also: Callable[[Write], None] = lambda _: None
) -> None:
    try:
        with database.write() as session:
            session.add(row)
            session.flush()
            also(session)
    except IntegrityError as error:
        raise _taken(chosen) from error


def _taken(chosen: str) -> Conflict:
    return Conflict(f"The id {chosen} is taken; choose another.")


def _remove(database: Database, row: Dataset | RegisteredModel) -> None:
    with database.write() as session:
        session.delete(row)


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


def _disk(error: OSError) -> Unavailable:
    return Unavailable(f"The data folder cannot be written to ({error.strerror}); make room and try again.")
