"""`dropscope data`: data sets of this machine, or of the server of DROPSCOPE_URL where that is set."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from backend.cli.console import harmless, out
from backend.cli.which_server import remote
from backend.shared.errors import InvalidInput
from backend.shared.settings import Settings

data = typer.Typer()
File = Annotated[Path, typer.Argument(help="A CSV, TSV, JSONL, JSON or Parquet file.")]
Text = Annotated[str | None, typer.Option(help="Column of the text.")]
Label = Annotated[str | None, typer.Option(help="Column of the label, or of the number for regression.")]
TextPair = Annotated[str | None, typer.Option(help="Column of a second text.")]
Prompt = Annotated[str | None, typer.Option(help="Column of the prompt, for causal_lm.")]
Completion = Annotated[str | None, typer.Option(help="Column of the completion, for causal_lm.")]
References = Annotated[str | None, typer.Option(help="Column of a list of good completions, for causal_lm.")]
Context = Annotated[str | None, typer.Option(help="Column that is put under the prompt where it is not empty.")]
Messages = Annotated[str | None, typer.Option(help="Column of whole conversations, for causal_lm.")]
DatasetId = Annotated[str, typer.Argument(metavar="DATA_SET")]


@data.command()
def add(
    file: File,
    text: Text = None,
    label: Label = None,
    text_pair: TextPair = None,
    prompt: Prompt = None,
    completion: Completion = None,
    references: References = None,
    context: Context = None,
    messages: Messages = None,
    task: Annotated[
        str | None, typer.Option(help="classification, regression or causal_lm; by default what the columns are of.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Id of the data set; by default the file's name.")] = None,
    title: Annotated[str | None, typer.Option(help="What it is called in lists; by default the file's name.")] = None,
    format: Annotated[
        str | None, typer.Option(help="csv, tsv, jsonl or parquet; by default as the file is named.")
    ] = None,
    quotes: Annotated[
        str, typer.Option(help="In CSV and TSV: quoted (around cells), plain (characters), or auto.")
    ] = "auto",
    validation: Annotated[Path | None, typer.Option(help="A second file, which is held out.")] = None,
    held_out: Annotated[float, typer.Option(help="Share held out where there is no second file.")] = 0.2,
    group: Annotated[str | None, typer.Option(help="Column of a group that stays on one side of the split.")] = None,
    split: Annotated[str | None, typer.Option(help="Column that says train or validation.")] = None,
    validation_name: Annotated[
        list[str] | None, typer.Option(help="With --split: a name that is held out, others are trained on; repeatable.")
    ] = None,
    split_seed: Annotated[int, typer.Option(min=0, help="Another seed holds out other rows.")] = 0,
    drop_repeats: Annotated[bool, typer.Option(help="Leave out rows that say what another row says.")] = False,
    licence: Annotated[str | None, typer.Option(help="Shown beside the data set.")] = None,
) -> None:
    """Add a data set from a file; columns that are not named are guessed from the file's header."""
    from backend.catalogue.register import UNKNOWN_LICENCE
    from backend.cli import datasets
    from backend.cli.own_database import OWNER, opened
    from backend.datasets.add import add_dataset

    columns = {"text": text, "text_pair": text_pair, "label": label, "prompt": prompt, "completion": completion}
    columns |= {"references": references, "context": context, "messages": messages}
    rows = datasets.split_by(held_out, group, split, split_seed, validation_name)
    settings, known = Settings(), licence or UNKNOWN_LICENCE
    files = [one for one in (file, validation) if one is not None]
    for one in files:
        if not one.is_file():
            raise InvalidInput(f"There is no file {one}.")
    plan = datasets.plan(file, task, columns, split=rows, format=format, quotes=quotes, drop_repeats=drop_repeats)
    if settings.url is None:
        with opened(settings) as database:
            facts = add_dataset(
                database,
                settings,
                OWNER,
                file,
                plan,
                validation=validation,
                title=title,
                dataset_id=name,
                licence=known,
            )
    else:
        facts = datasets.send(settings, files, plan, {"id": name, "title": title, "licence": known})
    datasets.say(facts)


@data.command()
def fetch(
    hub_id: Annotated[str, typer.Argument(help="Its name on the hub: owner/name.")],
    config: Annotated[
        str | None, typer.Option(help="Configuration, where it has several: rte of nyu-mll/glue.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Commit, branch or tag; pinned to its commit.")] = None,
    train_split: Annotated[str, typer.Option(help="The split that is trained on.")] = "train",
    validation_split: Annotated[str | None, typer.Option(help="The split that is held out; found by name.")] = None,
    text: Text = None,
    label: Label = None,
    text_pair: TextPair = None,
    prompt: Prompt = None,
    completion: Completion = None,
    references: References = None,
    context: Context = None,
    messages: Messages = None,
    task: Annotated[str | None, typer.Option(help="classification, regression or causal_lm.")] = None,
    name: Annotated[str | None, typer.Option(help="Id of the data set; by default made from its name.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before fetching.")] = False,
) -> None:
    """Fetch a data set from the hub (plain files only, no script is run); GLUE, E2E and WebNLG need no columns."""
    from backend.cli import datasets, hub_offer
    from backend.cli.own_database import OWNER, opened
    from backend.datasets import hub

    columns = {"text": text, "text_pair": text_pair, "label": label, "prompt": prompt, "completion": completion}
    columns |= {"references": references, "context": context, "messages": messages}
    said = task is not None or any(columns.values())
    plan = datasets.plan(None, task, columns) if said else None
    settings, offer = Settings(), hub.look(hub_id, config, revision, train_split, validation_split)
    hub_offer.agree(offer.name, offer, len(offer.train) + len(offer.validation), asks=not yes)
    with opened(settings) as database:
        datasets.say(hub.fetch(database, settings, OWNER, offer, plan, name, hub_offer.tell))


@data.command("list")
def list_all() -> None:
    """List the data sets that can be trained on."""
    from backend.shared.catalogue import list_datasets
    from backend.shared.facts import DatasetFacts

    settings = Settings()
    if settings.url is None:
        found = list_datasets(settings.shared)
    else:
        with remote(settings) as client:
            found = [DatasetFacts.model_validate(one) for one in client.datasets.list()]
    shown = Table("id", "task", "training", "validation", "labels", "licence", box=None)
    for facts in found:
        train, held = (f"{facts.rows.get(split, 0):,}" for split in ("train", "validation"))
        shown.add_row(facts.id, facts.task, train, held, str(len(facts.label_names) or ""), facts.licence)
    out().print(shown)


@data.command()
def rendered(
    dataset: DatasetId,
    model: Annotated[str, typer.Option(help="Id of the model that reads.")],
    rows: Annotated[int, typer.Option(min=1, max=50, help="Rows that are shown.")] = 3,
    split: Annotated[str, typer.Option(help="train or validation.")] = "train",
    max_length: Annotated[int, typer.Option(help="Tokens a row is cut to.")] = 64,
    template: Annotated[str | None, typer.Option(help="model, chatml, alpaca or plain.")] = None,
    loss_on: Annotated[str | None, typer.Option(help="assistant, last_assistant, completion or all.")] = None,
    truncate: Annotated[str, typer.Option(help="end, oldest_turns or drop.")] = "end",
) -> None:
    """Show what a model reads of a data set: [learned] in brackets, ~cut~ between tildes."""
    from backend.cli import rendered as shown

    asked = {"model": model, "split": split, "limit": rows, "max_length": max_length, "truncate": truncate}
    named = {key: value for key, value in (("template", template), ("loss_on", loss_on)) if value is not None}
    shown.say(shown.of(Settings(), dataset, {**asked, **named}))


@data.command()
def refused(dataset: DatasetId) -> None:
    """Print the rows that were left out, with their reasons, as CSV."""
    from backend.datasets.service import refused_csv

    settings = Settings()
    if settings.url is None:
        _write(refused_csv(settings, dataset))
        return
    with remote(settings) as client:
        _write([client.datasets.refused_csv(dataset)])


def _write(texts: Iterable[str]) -> None:
    """Rows as they are into a file or a pipe; harmless to a terminal."""
    sys.stdout.writelines(map(harmless, texts) if sys.stdout.isatty() else texts)
