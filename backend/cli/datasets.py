"""What `dropscope data` does: on the server of DROPSCOPE_URL where that is set, else in this machine's data folder."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table

from backend.catalogue import register as registry
from backend.cli.console import err, out
from backend.cli.models import OWNER, opened
from backend.cli.which_server import remote
from backend.datasets import hub as hub_data
from backend.datasets import service as datasets
from backend.datasets.add import add_dataset
from backend.datasets.files.plan import ImportPlan
from backend.edge import validation_errors
from backend.shared.catalogue import list_datasets
from backend.shared.errors import InvalidInput, Problem
from backend.shared.facts import DatasetFacts
from backend.shared.settings import Settings


def plan(
    task: str, columns: dict[str, str | None], ratio: float, group: str | None, split: str | None, drop_repeats: bool
) -> ImportPlan:
    """How the file is read. Raises InvalidInput."""
    if group is not None and split is not None:
        raise InvalidInput("Give --group or --split, not both.")
    by: dict[str, Any] = {"by": "ratio"}
    if group is not None or split is not None:
        by = {"by": "group", "column": group} if group is not None else {"by": "column", "column": split}
    asked = {"task": task, "mapping": columns, "split": {**by, "ratio": ratio}, "drop_repeats": drop_repeats}
    try:
        return ImportPlan.model_validate(asked)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise InvalidInput.of(
            [Problem(one.pointer, one.detail) for one in validation_errors.items(found, asked)]
        ) from error


def add(file: Path, validation: Path | None, asked: ImportPlan, name: str | None, licence: str | None) -> None:
    """Read a file into a stored data set, here or there, and say what was kept."""
    settings = Settings()
    for one in (file, validation):
        if one is not None and not one.is_file():
            raise InvalidInput(f"There is no file {one}.")
    known = licence or registry.UNKNOWN_LICENCE
    if settings.url is None:
        with opened(settings) as database:
            facts = add_dataset(
                database, settings, OWNER, file, asked, validation=validation, dataset_id=name, licence=known
            )
    else:
        facts = _send(settings, file, validation, asked, {"licence": known, "id": name})
    _say(facts)


def _say(facts: DatasetFacts) -> None:
    rows = ", ".join(f"{count} {split}" for split, count in facts.rows.items())
    out().print(f"Added {facts.id}: {rows} rows; {facts.kept} of {facts.read} rows kept.", markup=False)
    if facts.metric:
        out().print(f"It is usually reported by: {facts.metric}.", markup=False)
    if facts.leaked:
        err().print(f"Note: {facts.leaked} validation rows say what a training row says.", markup=False)


def fetch(
    where: tuple[str, str | None, str | None, str, str | None], asked: ImportPlan | None, name: str | None, yes: bool
) -> None:
    """Show what the hub has, ask, then fetch it into this machine's data folder.

    where: its id, configuration, revision, and the names of two splits.
    """
    settings = Settings()
    offer = hub_data.look(*where)
    out().print(
        f"{offer.name} at commit {offer.commit}: licence {offer.licence}, {offer.bytes / 1e6:,.1f} MB in "
        f"{len(offer.train) + len(offer.validation)} files.",
        markup=False,
    )
    if not yes:
        typer.confirm("Fetch it?", abort=True)

    def tell(file: str, done: int, total: int) -> None:
        out().print(f"{done / max(total, 1):4.0%} {file}", markup=False)

    with opened(settings) as database:
        _say(hub_data.fetch(database, settings, OWNER, offer, asked, name, tell))


def list_all() -> None:
    """One line a data set."""
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


def refused(dataset_id: str) -> None:
    """The refused rows on standard output."""
    settings = Settings()
    if settings.url is None:
        sys.stdout.writelines(datasets.refused_csv(settings, dataset_id))
        return
    with remote(settings) as client:
        sys.stdout.write(client.datasets.refused_csv(dataset_id))


def _bar(shown: Progress, file: Path) -> Callable[[int, int], None]:
    task = shown.add_task(file.name, total=file.stat().st_size)
    return lambda sent, _: shown.update(task, completed=sent)


def _send(
    settings: Settings, file: Path, validation: Path | None, asked: ImportPlan, naming: dict[str, Any]
) -> DatasetFacts:
    columns = (TextColumn("Sending {task.description}"), BarColumn(), DownloadColumn())
    with remote(settings) as client, Progress(*columns, console=err(), disable=not sys.stderr.isatty()) as shown:
        files = [one for one in (file, validation) if one is not None]
        uploads = [client.datasets.send(one, _bar(shown, one)) for one in files]
        held = uploads[1] if validation is not None else None
        body = {**asked.model_dump(mode="json"), **naming, "validation_upload_id": held}
        return DatasetFacts.model_validate(client.datasets.commit(uploads[0], body))
