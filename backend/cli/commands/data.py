"""`dropscope data`: what it does is in datasets, loaded when it is asked for."""

from pathlib import Path
from typing import Annotated

import typer

data = typer.Typer(help="Data sets, of this machine or of the server of DROPSCOPE_URL.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="A CSV, TSV, JSONL or Parquet file.")]
DatasetId = Annotated[str, typer.Argument(metavar="DATA_SET")]


@data.command("add")
def add(
    file: File,
    text: Annotated[str | None, typer.Option(help="Column of the text.")] = None,
    label: Annotated[str | None, typer.Option(help="Column of the label, or of the number for regression.")] = None,
    text_pair: Annotated[str | None, typer.Option(help="Column of a second text.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Column of the prompt, for causal_lm.")] = None,
    completion: Annotated[str | None, typer.Option(help="Column of the completion, for causal_lm.")] = None,
    task: Annotated[str, typer.Option(help="classification, regression or causal_lm.")] = "classification",
    name: Annotated[str | None, typer.Option(help="Id of the data set; by default the file's name.")] = None,
    validation: Annotated[Path | None, typer.Option(help="A second file, which is held out.")] = None,
    held_out: Annotated[float, typer.Option(help="Share held out where there is no second file.")] = 0.2,
    group: Annotated[str | None, typer.Option(help="Column of a group that stays on one side of the split.")] = None,
    split: Annotated[str | None, typer.Option(help="Column that says train or validation.")] = None,
    drop_repeats: Annotated[bool, typer.Option(help="Leave out rows that say what another row says.")] = False,
    licence: Annotated[str | None, typer.Option(help="Shown beside the data set.")] = None,
) -> None:
    """Add a data set from a file; columns that are not named are guessed from the file's header."""
    from backend.cli import datasets

    columns = {"text": text, "text_pair": text_pair, "label": label, "prompt": prompt, "completion": completion}
    plan = datasets.plan(task, columns, held_out, group, split, drop_repeats)
    datasets.add(file, validation, plan, name, licence)


@data.command("fetch")
def fetch(
    hub_id: Annotated[str, typer.Argument(help="Its name on the hub: owner/name.")],
    config: Annotated[
        str | None, typer.Option(help="Configuration, where it has several: rte of nyu-mll/glue.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Commit, branch or tag; pinned to its commit.")] = None,
    train_split: Annotated[str, typer.Option(help="The split that is trained on.")] = "train",
    validation_split: Annotated[str | None, typer.Option(help="The split that is held out; found by name.")] = None,
    text: Annotated[str | None, typer.Option(help="Column of the text.")] = None,
    label: Annotated[str | None, typer.Option(help="Column of the label, or of the number for regression.")] = None,
    text_pair: Annotated[str | None, typer.Option(help="Column of a second text.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Column of the prompt, for causal_lm.")] = None,
    completion: Annotated[str | None, typer.Option(help="Column of the completion, for causal_lm.")] = None,
    task: Annotated[str | None, typer.Option(help="classification, regression or causal_lm.")] = None,
    name: Annotated[str | None, typer.Option(help="Id of the data set; by default made from its name.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before fetching.")] = False,
) -> None:
    """Fetch a data set from the hub (plain files only, no script is run); GLUE, E2E and WebNLG need no columns."""
    from backend.cli import datasets

    columns = {"text": text, "text_pair": text_pair, "label": label, "prompt": prompt, "completion": completion}
    asked = None
    if task is not None or any(columns.values()):
        asked = datasets.plan(task or "classification", columns, 0.2, None, None, False)
    datasets.fetch((hub_id, config, revision, train_split, validation_split), asked, name, yes)


@data.command("list")
def list_all() -> None:
    """List the data sets that can be trained on."""
    from backend.cli import datasets

    datasets.list_all()


@data.command("refused")
def refused(dataset: DatasetId) -> None:
    """Print the rows that were left out, with their reasons, as CSV."""
    from backend.cli import datasets

    datasets.refused(dataset)
