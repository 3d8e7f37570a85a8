"""`dropscope model`: models and adapters into the data folder of this machine, with or without a server."""

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.console import err, out
from backend.cli.which_server import remote
from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts
from backend.shared.settings import Settings

model = typer.Typer()


@model.command()
def add(
    folder: Annotated[Path, typer.Argument(help="A folder with config.json, tokenizer.json and safetensors.")],
    name: Annotated[str | None, typer.Option(help="Id of the model; by default the folder's name.")] = None,
) -> None:
    """Register a model folder of this machine."""
    from backend.catalogue import register
    from backend.cli.own_database import OWNER, opened

    settings = Settings()
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder; give one with config.json, tokenizer.json and safetensors.")
    with opened(settings) as database:
        facts = register.add_model(database, settings, OWNER, folder, name)
    _registered(facts)


@model.command()
def fetch(
    hub_id: Annotated[str, typer.Argument(help="Its name on the model hub: owner/name.")],
    revision: Annotated[str | None, typer.Option(help="Commit, branch or tag; pinned to its commit.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before fetching.")] = False,
) -> None:
    """Fetch a model from the hub (safetensors only, nothing of it is run) and register it."""
    from backend.catalogue import hub
    from backend.cli import hub_offer
    from backend.cli.own_database import OWNER, opened

    settings, offer = Settings(), hub.look(hub_id, revision)
    hub_offer.agree(hub_id, offer, len(offer.files), asks=not yes)
    with opened(settings) as database:
        facts = hub.fetch(database, settings, OWNER, offer, hub_offer.tell)
    _registered(facts)


@model.command()
def add_adapter(
    folder: Annotated[Path, typer.Argument(help="A folder that PEFT saved: adapter_config.json and safetensors.")],
    base: Annotated[str | None, typer.Option("--model", help="Its base model; by default as its config says.")] = None,
    name: Annotated[str | None, typer.Option(help="Id of the adapter; by default the folder's name.")] = None,
) -> None:
    """Add a LoRA adapter that runs start from: here, or on the server of DROPSCOPE_URL."""
    from backend.adapters import service as adapters
    from backend.cli.own_database import OWNER, opened
    from backend.shared.catalogue.adapters import CONFIG_FILE, WEIGHTS_FILE
    from backend.shared.facts import AdapterFacts

    settings, title = Settings(), folder.resolve().name
    files = [folder / file for file in (CONFIG_FILE, WEIGHTS_FILE)]
    for file in files:
        if not file.is_file():
            raise InvalidInput(
                f"There is no {file}; give the folder that PEFT's save_pretrained wrote, in safetensors."
            )
    if settings.url is None:
        with opened(settings) as database:
            facts = adapters.add(database, settings, OWNER, *files, model_id=base, adapter_id=name, title=title)
    else:
        with remote(settings) as client:
            facts = AdapterFacts.model_validate(client.adapters.add(folder, model=base, id=name, title=title))
    out().print(
        f"Added {facts.id}: rank {facts.rank}, alpha {facts.alpha:g}, on {len(facts.modules)} modules of "
        f"{facts.model.id}. A study starts from it with `start_from: {facts.id}`.",
        markup=False,
    )


def _registered(facts: ModelFacts) -> None:
    able = ", ".join(task.replace("_", " ") for task in facts.tasks)
    out().print(
        f"Registered {facts.id}: {facts.family}, {facts.layers} layers, {facts.parameters:,} parameters; for {able}.",
        markup=False,
    )
    for warning in facts.warnings:
        err().print(f"Warning: {warning}", markup=False)
