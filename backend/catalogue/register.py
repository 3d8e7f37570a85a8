"""Takes models and data sets in: a folder of this host registered under an id, files read into a stored data set."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from backend.accounts.principal import Principal
from backend.shared.catalogue import ModelFacts, find_model
from backend.shared.catalogue.inspect_model import Naming, inspect_folder
from backend.shared.catalogue.models import BUILTIN as BUILTIN_MODELS
from backend.shared.catalogue.models import manifest_path, write_manifest
from backend.shared.catalogue.names import check_id, slug
from backend.shared.database import Database, Write
from backend.shared.errors import Conflict, Unavailable
from backend.shared.settings import Settings
from backend.shared.tables import Dataset, RegisteredModel

from . import trial

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

    The model is read once as a run would read it, by a process of its own. hub_id, commit: where on the model hub it
    was fetched from.

    Raises:
        InvalidInput: the folder cannot or must not be used; the sentence says why.
        Conflict: the id is taken.
    """
    chosen = _free_id(model_id, folder.resolve().name, lambda one: one in BUILTIN_MODELS or _model(settings, one))
    source = f"model hub, commit {commit}" if hub_id else "local folder"
    naming = Naming(chosen, hub_id or folder.resolve().name, False, source, licence, hub_id)
    facts = trial.tried(folder, inspect_folder(folder, naming, settings.cache))
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


def _model(settings: Settings, model_id: str) -> bool:
    return find_model(settings.shared, model_id) is not None or manifest_path(settings.shared, model_id).exists()


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


def _disk(error: OSError) -> Unavailable:
    return Unavailable(f"The data folder cannot be written to ({error.strerror}); make room and try again.")
