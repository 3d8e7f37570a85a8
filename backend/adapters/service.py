"""Adapters that runs start from: added from PEFT's two files, listed, deleted."""

import shutil
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.principal import Principal
from backend.shared.catalogue import list_models, model_location, require_model
from backend.shared.catalogue.adapters import (
    CONFIG_FILE,
    FACTS_FILE,
    WEIGHTS_FILE,
    adapters_root,
    content_hash,
    find_adapter,
    list_adapters,
)
from backend.shared.catalogue.inspect_adapter import (
    AdapterConfig,
    Inspected,
    adapter_config,
    inspect_adapter,
    shown_name,
)
from backend.shared.catalogue.names import check_id, slug
from backend.shared.database import Database
from backend.shared.errors import Conflict, InvalidInput, NotFound, TooLarge, Unavailable
from backend.shared.facts import AdapterFacts, ModelFacts
from backend.shared.files import new_folder, sealed
from backend.shared.settings import Settings
from backend.shared.tables import AddedAdapter, Study


def add(
    database: Database,
    settings: Settings,
    who: Principal,
    config: Path,
    weights: Path,
    *,
    model_id: str | None = None,
    adapter_id: str | None = None,
    title: str | None = None,
    source: str = "added files",
) -> AdapterFacts:
    """Check an adapter against its base model and keep a copy of its two files.

    The model is the one that the adapter's config names, unless `model_id` says otherwise; the id is made from the
    title, or counted, unless given.

    Raises:
        InvalidInput: a variant of LoRA that is not trained here, another base, or a file that is not sound.
        TooLarge: a weight file over the cap of uploads.
        Conflict: the id is taken.
        Unavailable: too little free space.
    """
    size = weights.stat().st_size
    if size > settings.max_upload_bytes:
        raise TooLarge(f"The adapter has {size:,} bytes; {settings.max_upload_bytes:,} are the most that are taken.")
    about = adapter_config(config)
    model = _model(settings, about, model_id)
    try:
        found = inspect_adapter(about, weights, model, model_location(settings.shared, model.id))
    except InvalidInput as error:
        if not about.base or error.problems[0].pointer != "/model":
            raise
        raise InvalidInput(f"{error.message} Its config names {shown_name(about.base)}.", "/model") from error
    if about.base and about.base.casefold() not in (model.id.casefold(), (model.hub_id or model.id).casefold()):
        source = f"{source}, whose config names {shown_name(about.base)}"
    chosen = _free_id(settings, adapter_id, title or f"{model.id} adapter")
    facts = _facts(chosen, title or chosen, source, model, found, weights)
    _keep(settings, facts, config, weights)
    row = AddedAdapter(
        id=chosen,
        workspace_id=who.workspace_id,
        created_by=who.user_id,
        content_hash=facts.content_hash,
        facts=facts.model_dump(mode="json"),
    )
    try:
        with database.write() as session:
            session.add(row)
            session.flush()
    except BaseException as error:
        shutil.rmtree(adapters_root(settings.shared) / chosen, ignore_errors=True)
        if isinstance(error, IntegrityError):
            raise _taken(chosen) from error
        raise
    return facts


def listed(session: Session, settings: Settings, workspace_id: str) -> list[AdapterFacts]:
    """All adapters of this server but those of other workspaces."""
    foreign = set(session.scalars(select(AddedAdapter.id).where(AddedAdapter.workspace_id != workspace_id)))
    return [facts for facts in list_adapters(settings.shared) if facts.id not in foreign]


def delete(database: Database, settings: Settings, workspace_id: str, adapter_id: str) -> None:
    """Delete an adapter.

    Raises:
        NotFound: there is none, or not in this workspace.
        Conflict: runs of a study start from it.
    """
    with database.write() as session:
        row = session.get(AddedAdapter, adapter_id)
        if row is None or row.workspace_id != workspace_id:
            raise NotFound(f"there is no adapter '{adapter_id[:100]}'")
        stands = select(Study.name).where(Study.archived_at.is_(None), Study.workspace_id == workspace_id)
        name = session.scalar(stands.where(Study.spec["start_from"].as_string() == adapter_id).limit(1))
        if name is not None:
            raise Conflict(f"the study '{name[:80]}' starts from this adapter; archive it first")
        session.delete(row)
    shutil.rmtree(adapters_root(settings.shared) / adapter_id, ignore_errors=True)


def _model(settings: Settings, about: AdapterConfig, model_id: str | None) -> ModelFacts:
    if model_id is not None:
        return require_model(settings.shared, model_id)
    base = about.base.casefold()
    here = [m for m in list_models(settings.shared) if base in (m.id.casefold(), (m.hub_id or "").casefold())]
    if not base or len(here) != 1:
        told = (
            f"the adapter's base model {about.base[:100]!r} is"
            if base
            else "the adapter does not say its base, which is"
        )
        raise InvalidInput(
            f"Which model is it for? {told[0].upper()}{told[1:]} not known here; name one of this server's.", "/model"
        )
    return here[0]


def _facts(chosen: str, title: str, source: str, model: ModelFacts, found: Inspected, weights: Path) -> AdapterFacts:
    return AdapterFacts(
        id=chosen,
        title=title,
        model=model.ref,
        content_hash=content_hash(found.config.rank, found.config.alpha, weights),
        source=source,
        rank=found.config.rank,
        alpha=found.config.alpha,
        target_modules=found.target_modules,
        modules=found.modules,
        head=found.head,
        bytes=weights.stat().st_size,
    )


def _keep(settings: Settings, facts: AdapterFacts, config: Path, weights: Path) -> None:
    settings.shared.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(settings.shared).free - facts.bytes < settings.disk_floor_bytes:
        raise Unavailable("There is too little free space in the data folder; free some and try again.")
    try:
        with new_folder(adapters_root(settings.shared) / facts.id, first_stands=False) as building:
            shutil.copyfile(config, building / CONFIG_FILE)
            shutil.copyfile(weights, building / WEIGHTS_FILE)
            (building / FACTS_FILE).write_bytes(sealed(facts.model_dump(mode="json")))
    except FileExistsError as error:
        raise _taken(facts.id) from error
    except OSError as error:
        words = f"The data folder cannot be written to ({error.strerror}); make room and try again."
        raise Unavailable(words) from error


def _free_id(settings: Settings, asked: str | None, title: str) -> str:
    if asked is not None:
        if find_adapter(settings.shared, check_id(asked, "/id")) is not None:
            raise _taken(asked)
        return asked
    plain = slug(title)
    names = (plain if number == 1 else f"{plain}-{number}" for number in range(1, 10_000))
    return next(name for name in names if find_adapter(settings.shared, name) is None)


def _taken(chosen: str) -> Conflict:
    return Conflict(f"The id {chosen} is taken; choose another.")
