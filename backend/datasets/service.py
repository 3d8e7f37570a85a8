"""Data sets after they are made: which a workspace sees, their rows, what was refused of them, their end."""

import json
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.edge.csv_text import csv_line, text
from backend.shared.catalogue import dataset_folder, list_datasets, require_dataset
from backend.shared.catalogue.builtin_data import BUILTIN
from backend.shared.database import Database
from backend.shared.errors import Conflict, InvalidInput, NotFound
from backend.shared.facts import DatasetFacts
from backend.shared.rows.writer import REFUSED_FILE
from backend.shared.settings import Settings
from backend.shared.tables import Dataset, Study

LINES_AT_ONCE = 500


def listed(session: Session, settings: Settings, workspace_id: str) -> list[DatasetFacts]:
    """All data sets of this server but those of other workspaces."""
    foreign = set(session.scalars(select(Dataset.id).where(Dataset.workspace_id != workspace_id)))
    return [facts for facts in list_datasets(settings.shared) if facts.id not in foreign]


def rows(
    settings: Settings, dataset_id: str, split: str, offset: int, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Rows of a split from a place in its file on, and the place after them, None at the end.

    Raises:
        InvalidInput: no row begins at that place.
    """
    facts = require_dataset(settings.shared, dataset_id, "")
    found: list[dict[str, Any]] = []
    with (dataset_folder(settings.shared, dataset_id) / f"{split}.jsonl").open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(offset - 1, 0))
        if offset < 0 or offset > size or (offset and file.read(1) != b"\n"):
            raise InvalidInput(
                "this cursor was not given out here; leave it out to begin with the first page", "/cursor"
            )
        while len(found) < limit and (line := file.readline()):
            row = json.loads(line)
            if facts.task == "classification":
                row["label"] = facts.label_names[row["label"]]
            found.append(row)
        after = file.tell()
    return found, after if after < size else None


def refused_csv(settings: Settings, dataset_id: str) -> Iterator[str]:
    """The refused rows as CSV, in pieces; texts that a spreadsheet would run begin with an apostrophe."""
    path = dataset_folder(settings.shared, dataset_id) / REFUSED_FILE
    columns: dict[str, None] = {}
    for line in _lines(path):
        columns.update(dict.fromkeys(line.get("values", {})))
    yield csv_line(["place", "column", "reason", *map(text, columns)])
    lines = _lines(path)
    while some := list(islice(lines, LINES_AT_ONCE)):
        yield "".join(_refusal(line, list(columns)) for line in some)


def _refusal(line: dict[str, Any], columns: list[str]) -> str:
    values = line.get("values", {})
    told = [line["place"], line["column"], line["reason"], *(values.get(column, "") for column in columns)]
    return csv_line([text(value) for value in told])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_file():
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from map(json.loads, file)


def delete(database: Database, settings: Settings, workspace_id: str, dataset_id: str) -> None:
    """Delete a data set that somebody added.

    Raises:
        NotFound: there is none, or not in this workspace.
        Conflict: it came with the product, or a study stands on it.
    """
    if dataset_id in BUILTIN:
        raise Conflict("this data set came with the product; uninstall its package to be rid of it")
    with database.write() as session:
        row = session.get(Dataset, dataset_id)
        if row is None or row.workspace_id != workspace_id:
            raise NotFound(f"there is no data set '{dataset_id[:100]}'")
        stands = select(Study.name).where(Study.archived_at.is_(None), Study.workspace_id == workspace_id)
        name = session.scalar(stands.where(Study.spec["dataset"].as_string() == dataset_id).limit(1))
        if name is not None:
            raise Conflict(f"the study '{name[:80]}' stands on this data set; archive it first")
        session.delete(row)
    shutil.rmtree(dataset_folder(settings.shared, dataset_id), ignore_errors=True)
