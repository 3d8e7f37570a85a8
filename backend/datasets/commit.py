"""An upload into a data set: once, however often it is asked for, also when the first answer was lost."""

import json
import threading
from pathlib import Path

from pydantic import Field

from backend.accounts.principal import Principal
from backend.catalogue import register as registry
from backend.shared.catalogue import require_dataset
from backend.shared.database import Database, Write
from backend.shared.errors import Conflict, Unavailable
from backend.shared.facts import DatasetFacts
from backend.shared.settings import Settings
from backend.shared.upload_tables import Upload
from backend.uploads import service as uploads

from . import add
from .files.plan import ImportPlan

MOST_SECONDS = 900.0  # for reading a file


class CommitPlan(ImportPlan):
    """How an upload becomes a data set, and how that is called."""

    id: str | None = Field(None, min_length=1, max_length=100, description="By default made from the file's name.")
    title: str | None = Field(None, min_length=1, max_length=200)
    licence: str = Field(registry.UNKNOWN_LICENCE, min_length=1, max_length=200)
    validation_upload_id: str | None = Field(
        None, max_length=100, description="Another upload, of the rows held out; the split is then not used."
    )


class Commits:
    """Makes data sets of uploads; remembers which are being made in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: set[str] = set()

    def commit(
        self, database: Database, settings: Settings, who: Principal, upload_id: str, plan: CommitPlan
    ) -> DatasetFacts:
        """The data set made of an upload, or the one that was made of it before with the same plan.

        Raises:
            InvalidInput, TooLarge, Conflict, Unavailable: as `add_dataset` does.
            Conflict: not all has come yet, or it was made into a data set in another way.
            Unavailable: it is being made just now.
        """
        with self._lock:
            if upload_id in self._busy:
                raise Unavailable("this file is being read just now; ask again in a moment")
            self._busy.add(upload_id)
        try:
            return _commit(database, settings, who, upload_id, plan)
        finally:
            with self._lock:
                self._busy.discard(upload_id)


def _commit(database: Database, settings: Settings, who: Principal, upload_id: str, plan: CommitPlan) -> DatasetFacts:
    asked = json.loads(plan.model_dump_json())
    with database.write() as session:
        uploads.touch(session, upload_id)
        upload = uploads.get(session, upload_id)
        held = None if plan.validation_upload_id is None else uploads.get(session, plan.validation_upload_id)
        if held is not None:
            uploads.touch(session, held.id)
    if upload.dataset_id is not None:
        if upload.plan != asked:
            raise Conflict(
                f"this upload was made into the data set {upload.dataset_id}; send the file anew for another"
            )
        return require_dataset(settings.shared, upload.dataset_id)
    train = uploads.require_complete(upload, settings)
    validation = None if held is None else uploads.require_complete(held, settings)

    def remember(session: Write, facts: DatasetFacts) -> None:
        row = uploads.get(session, upload_id)
        row.dataset_id, row.plan = facts.id, asked

    with uploads.reading(uploads.imports):
        facts = add.add_dataset(
            database,
            settings,
            who,
            train,
            ImportPlan(**plan.model_dump(include=set(ImportPlan.model_fields))),
            validation=validation,
            validation_name=None if held is None else held.name,
            title=plan.title,
            dataset_id=plan.id,
            licence=plan.licence,
            name=upload.name,
            seconds=MOST_SECONDS,
            wanted=lambda: train.exists() and (validation is None or validation.exists()),
            also=remember,
        )
    _used(database, settings, train, held)
    return facts


def _used(database: Database, settings: Settings, train: Path, held: Upload | None) -> None:
    """The bytes are not needed any more; the upload itself is kept for a while, for who asks again."""
    train.unlink(missing_ok=True)
    if held is not None:
        with database.write() as session:
            uploads.delete(session, settings, held.id)
