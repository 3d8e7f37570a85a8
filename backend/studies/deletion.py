"""Deletes an archived study for good: its files first, then every row of it, then what the database's log kept."""

import shutil

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.accounts.principal import Principal
from backend.shared.database import Database
from backend.shared.errors import Conflict, Unavailable
from backend.shared.run_status import TERMINAL
from backend.shared.settings import Settings
from backend.shared.store import studies as store
from backend.shared.tables import IdempotencyKey, Run, Study

from . import free_files


def delete(database: Database, settings: Settings, who: Principal, study_id: str) -> None:
    """Delete a study with its runs, measurements, events, files, report and share links.

    The files go first: what is cut off in between leaves an archived study without them, which can be deleted again.

    Raises:
        NotFound: there is none in this workspace.
        Conflict: it is not archived, or runs of it have not ended.
        Unavailable: files of it could not be deleted; nothing else was.
    """
    with database.read() as session:
        _require_archived(session, who, study_id)
        folders = free_files.folders(session, settings, free_files.ended(session, study_id))
    for folder in folders:
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue  # another request is at it, too
        except OSError as error:
            raise Unavailable(
                f"the files of this study cannot be deleted ({error.strerror}), and so it stays; ask whoever runs this "
                "server to look at its artifacts"
            ) from error
    with database.write() as session:
        session.delete(_require_archived(session, who, study_id))
        answers = IdempotencyKey.response["study_id"].as_string() == study_id
        session.execute(delete_rows(IdempotencyKey).where(answers))
    database.scrub()


def _require_archived(session: Session, who: Principal, study_id: str) -> Study:
    study = store.get(session, who.workspace_id, study_id)
    if study.archived_at is None:
        raise Conflict(
            "this study is not archived; archive it first, from where it can be taken back, then delete it for good"
        )
    still_open = select(func.count()).where(Run.study_id == study_id, Run.status.not_in(TERMINAL))
    if count := session.scalar(still_open):
        raise Conflict(f"{count} runs of this study are queued or running; cancel them, or wait, then delete it")
    return study
