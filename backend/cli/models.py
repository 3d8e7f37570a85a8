"""`dropscope model`: models and adapters into the data folder of this machine, with or without a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from backend.accounts.principal import Principal
from backend.adapters import service as adapters
from backend.catalogue import hub
from backend.catalogue import register as registry
from backend.cli.console import out
from backend.cli.which_server import remote
from backend.embedded import home
from backend.migrations.runner import migrate
from backend.shared.catalogue.adapters import CONFIG_FILE, WEIGHTS_FILE
from backend.shared.database import Database, open_database
from backend.shared.errors import InvalidInput
from backend.shared.facts import AdapterFacts
from backend.shared.settings import Settings
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE

OWNER = Principal(user_id=LOCAL_OWNER, workspace_id=LOCAL_WORKSPACE, role="admin")


def add_model(settings: Settings, folder: Path, name: str | None) -> None:
    """Register a folder; its files stay where they are."""
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder; give one with config.json, tokenizer.json and safetensors.")
    with opened(settings) as database:
        facts = registry.add_model(database, settings, OWNER, folder, name)
    out().print(
        f"Registered {facts.id}: {facts.family}, {facts.layers} layers, {facts.parameters:,} parameters.", markup=False
    )


def fetch_model(settings: Settings, hub_id: str, revision: str | None, yes: bool) -> None:
    """Show what the hub has under an id, ask, then fetch and register it."""
    offer = hub.look(hub_id, revision)
    out().print(
        f"{hub_id} at commit {offer.commit}: licence {offer.licence}, {offer.bytes / 1e6:,.1f} MB in "
        f"{len(offer.files)} files.",
        markup=False,
    )
    if not yes:
        typer.confirm("Fetch it?", abort=True)

    def tell(name: str, done: int, total: int) -> None:
        out().print(f"{done / max(total, 1):4.0%} {name}", markup=False)

    with opened(settings) as database:
        facts = hub.fetch(database, settings, OWNER, offer, tell)
    out().print(f"Registered {facts.id}: {facts.family}, {facts.parameters:,} parameters.", markup=False)


def add_adapter(settings: Settings, folder: Path, model: str | None, name: str | None) -> None:
    """Add an adapter for runs to start from: to the server of DROPSCOPE_URL, else to this machine's data folder."""
    files = [folder / file for file in (CONFIG_FILE, WEIGHTS_FILE)]
    for file in files:
        if not file.is_file():
            raise InvalidInput(
                f"There is no {file}; give the folder that PEFT's save_pretrained wrote, in safetensors."
            )
    if settings.url is None:
        with opened(settings) as database:
            title = folder.resolve().name
            facts = adapters.add(database, settings, OWNER, *files, model_id=model, adapter_id=name, title=title)
    else:
        with remote(settings) as client:
            facts = AdapterFacts.model_validate(
                client.adapters.add(folder, model=model, id=name, title=folder.resolve().name)
            )
    out().print(
        f"Added {facts.id}: rank {facts.rank}, alpha {facts.alpha:g}, on {len(facts.modules)} modules of "
        f"{facts.model.id}. A study starts from it with `start_from: {facts.id}`.",
        markup=False,
    )


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """This home folder's database, brought up to date."""
    home.prepare(settings)
    migrate(settings)
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()
