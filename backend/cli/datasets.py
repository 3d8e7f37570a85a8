"""How a file of the command line becomes a data set: its plan, its way to a server, and what is said of it."""

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from backend.cli.console import err, out
from backend.cli.validated import validated
from backend.cli.which_server import remote
from backend.datasets.files.importing import open_table
from backend.datasets.files.plan import ImportPlan, guess_task
from backend.datasets.files.table import source_of
from backend.shared.errors import InvalidInput
from backend.shared.facts import DatasetFacts
from backend.shared.settings import Settings
from backend.shared.specs import Task


def split_by(
    ratio: float, group: str | None, column: str | None, seed: int = 0, names: list[str] | None = None
) -> dict[str, Any]:
    """Which rows are held out. Raises InvalidInput."""
    if group is not None and column is not None:
        raise InvalidInput("Give --group or --split, not both.")
    by = "group" if group is not None else "column" if column is not None else "ratio"
    if names and by != "column":
        raise InvalidInput("--validation-name says which names of a column are held out; give --split, too.")
    chosen = {"by": by, "column": column if group is None else group, "ratio": ratio, "seed": seed}
    return {**chosen, "validation_names": names} if names else chosen


def plan(file: Path | None, task: str | None, columns: dict[str, str | None], **more: Any) -> ImportPlan:
    """How a file is read; the task is guessed from its columns, and said, where nobody names one.

    Raises:
        InvalidInput: something asked is not what it should be, or not even the columns can be read.
    """
    asked = validated(ImportPlan, {"task": task or "classification", "mapping": columns, **more})
    return asked if task is not None or file is None else asked.model_copy(update={"task": _task_of(file, asked)})


def _task_of(file: Path, asked: ImportPlan) -> Task:
    if asked.mapping.prompt or asked.mapping.completion or asked.mapping.messages:
        return "causal_lm"
    if asked.mapping.text or asked.mapping.label:
        return "classification"
    with closing((table := open_table(source_of(file, None, asked.format, asked.quotes))).rows):
        task = guess_task([*table.columns, *table.left_out])
    err().print(f"Read as {task}, by its columns; --task says otherwise.", markup=False)
    return task


def send(settings: Settings, files: list[Path], asked: ImportPlan, naming: dict[str, str | None]) -> DatasetFacts:
    """Send a file, and the one that is held out where there are two, to the server of the settings.

    `naming`: `id`, `title` and `licence`.
    """
    columns = (TextColumn("Sending {task.description}"), BarColumn(), DownloadColumn())
    with remote(settings) as client, Progress(*columns, console=err(), disable=not sys.stderr.isatty()) as shown:
        first, *held = [client.datasets.send(one, _bar(shown, one)) for one in files]
        body = {**asked.model_dump(mode="json"), **naming, "validation_upload_id": held[0] if held else None}
        return DatasetFacts.model_validate(client.datasets.commit(first, body))


def _bar(shown: Progress, file: Path) -> Callable[[int, int], None]:
    task = shown.add_task(file.name, total=file.stat().st_size)
    return lambda sent, _: shown.update(task, completed=sent)


def say(facts: DatasetFacts) -> None:
    """What was kept, how it is usually reported, and all that the preview on the page would warn of."""
    rows = ", ".join(f"{count} {split}" for split, count in facts.rows.items())
    out().print(f"Added {facts.id}: {rows} rows; {facts.kept} of {facts.read} rows kept.", markup=False)
    if facts.metric:
        out().print(f"It is usually reported by: {facts.metric}.", markup=False)
    for warning in facts.warnings:
        err().print(f"Note: {warning}", markup=False)
