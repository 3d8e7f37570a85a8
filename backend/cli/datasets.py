"""How a file of the command line becomes a data set: its plan, its way to a server, and what is said of it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from backend.cli.console import err, out
from backend.cli.validated import validated
from backend.cli.which_server import remote
from backend.datasets.files.plan import ImportPlan
from backend.shared.errors import InvalidInput
from backend.shared.facts import DatasetFacts
from backend.shared.settings import Settings


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


def plan(task: str, columns: dict[str, str | None], **more: Any) -> ImportPlan:
    """How the file is read. Raises InvalidInput."""
    return validated(ImportPlan, {"task": task, "mapping": columns, **more})


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
