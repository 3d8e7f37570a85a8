"""Data sets after they are made: which a workspace sees, their rows, what was refused of them, their end."""

import json
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Text, cast, func, null, or_, select, update
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from backend.edge.csv_text import csv_line, text
from backend.shared.catalogue import dataset_folder, list_datasets, require_dataset
from backend.shared.catalogue.builtin_data import BUILTIN
from backend.shared.catalogue.datasets import datasets_root, forget_tokens, refused_rows
from backend.shared.database import Database
from backend.shared.errors import Conflict, InvalidInput, NotFound, Unavailable
from backend.shared.facts import DatasetFacts
from backend.shared.settings import Settings
from backend.shared.tables import Arm, Dataset, Run, Study
from backend.shared.upload_tables import Upload
from backend.uploads.service import file_of

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
    """The refused rows as CSV, in pieces; texts that a spreadsheet would run begin with an apostrophe.

    Raises, before the first piece, what `refused_rows` does.
    """
    return _as_csv(refused_rows(settings.shared, dataset_id))


def _as_csv(path: Path) -> Iterator[str]:
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
    """Delete a data set that somebody added, and its rows wherever else they lie.

    Those are its tokens in the cache, the uploads that it was made of, and the examples of archived studies on it. Its
    folder is moved aside in the transaction, so that no data set is ever half there; what a power cut leaves of it is
    swept.

    Raises:
        NotFound: there is none, or not in this workspace.
        Conflict: it came with the product, or a study stands on it.
        Unavailable: its files cannot be deleted; then it stays.
    """
    if dataset_id in BUILTIN:
        raise Conflict("this data set came with the product; uninstall its package to be rid of it")
    folder = datasets_root(settings.shared) / dataset_id
    aside = folder.with_name(f".{dataset_id}.{uuid4().hex}")
    with database.write() as session:
        row = session.get(Dataset, dataset_id)
        if row is None or row.workspace_id != workspace_id:
            raise NotFound(f"there is no data set '{dataset_id[:100]}'")
        on_it = select(Arm.study_id).where(Arm.spec["dataset"]["id"].as_string() == dataset_id)
        also = cast(Study.spec["also_measure"], Text).contains(f'"{dataset_id}"', autoescape=True)
        stands = select(Study.name).where(Study.archived_at.is_(None), or_(Study.id.in_(on_it), also))
        name = session.scalar(stands.limit(1))
        if name is not None:
            raise Conflict(f"the study '{name[:80]}' stands on this data set; archive it first")
        quoted = update(Run).where(Run.study_id.in_(on_it), Run.examples.is_not(None))
        session.execute(quoted.values(examples=null()).execution_options(synchronize_session=False))
        content = row.content_hash
        shared = session.scalar(select(func.count()).where(Dataset.content_hash == content, Dataset.id != dataset_id))
        uploads = list(session.scalars(delete_rows(Upload).where(Upload.dataset_id == dataset_id).returning(Upload.id)))
        session.delete(row)
        session.flush()
        try:
            folder.rename(aside)
        except FileNotFoundError:
            pass  # somebody deleted the folder by hand
        except OSError as error:
            raise Unavailable(f"the files of this data set cannot be deleted ({error.strerror}); it stays") from error
    shutil.rmtree(aside, ignore_errors=True)
    for upload_id in uploads:
        file_of(settings, upload_id).unlink(missing_ok=True)
    if not shared:
        forget_tokens(settings.shared, content)
    database.scrub()
