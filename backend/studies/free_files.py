"""Frees the room that a study's ended runs take: adapters and checkpoints go, every number stays."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from backend.accounts.principal import Principal
from backend.shared.database import Database
from backend.shared.errors import Conflict
from backend.shared.run_status import TERMINAL
from backend.shared.settings import Settings
from backend.shared.store import studies as store
from backend.shared.store import study_events
from backend.shared.store.queue import NO_SYNC
from backend.shared.tables import Artifact, Run, RunLog, now

PURGED = "The adapter and checkpoints of this run were deleted on request; its numbers stay."


@dataclass(frozen=True)
class Kept:
    """What lies on disk for a study."""

    adapters: int
    checkpoints: int
    bytes: int


def preview(session: Session, settings: Settings, who: Principal, study_id: str) -> Kept:
    """What a purge would delete; NotFound."""
    store.get(session, who.workspace_id, study_id)
    runs = ended(session, study_id)
    kept = select(func.count()).select_from(Artifact).where(Artifact.run_id.in_(runs), Artifact.kind != "ledger")
    adapters = session.scalar(kept) or 0
    checkpoints = len([key for key in runs.values() if key is not None])
    files = {file for folder in folders(session, settings, runs) for file in folder.rglob("*") if file.is_file()}
    sizes = {(about.st_dev, about.st_ino): about.st_size for about in (file.stat() for file in files)}
    return Kept(adapters, checkpoints, sum(sizes.values()))  # a run's two adapters share what is the same in both


def purge(database: Database, settings: Settings, who: Principal, study_id: str) -> Kept:
    """Delete the files of all ended runs; Conflict while runs are queued or running.

    The rows go first: a purge that is cut off leaves files that nothing names, and the next one deletes them.
    """
    with database.write() as session:
        found = preview(session, settings, who, study_id)
        runs = ended(session, study_id)
        everything = session.scalar(select(func.count()).where(Run.study_id == study_id)) or 0
        if everything > len(runs):
            raise Conflict(
                f"{everything - len(runs)} runs of this study are queued or running; cancel them, or wait, then purge"
            )
        of_runs = folders(session, settings, runs)
        session.execute(delete(Artifact).where(Artifact.run_id.in_(runs)))
        gone = update(Run).where(Run.id.in_(runs)).values(checkpoint_key=None, checkpoint_step=None)
        session.execute(gone.execution_options(**NO_SYNC))
        for run_id in runs:
            last = session.scalar(select(func.max(RunLog.seq)).where(RunLog.run_id == run_id)) or 0
            line = {"run_id": run_id, "seq": last + 1, "at": now(), "level": "info", "text": PURGED}
            session.execute(insert(RunLog), line)
        study_events.append(session, study_id, [("study", None, {"changed": ["files"]})])
    for folder in of_runs:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def ended(session: Session, study_id: str) -> dict[str, str | None]:
    """Ended runs → the checkpoint each of them still has."""
    query = select(Run.id, Run.checkpoint_key).where(Run.study_id == study_id, Run.status.in_(TERMINAL))
    return {row.id: row.checkpoint_key for row in session.execute(query.order_by(Run.id))}


def folders(session: Session, settings: Settings, runs: dict[str, str | None]) -> list[Path]:
    """The folders of these runs below the artifacts' root, whatever is in them."""
    keys = [*session.scalars(select(Artifact.storage_key).where(Artifact.run_id.in_(runs))), *runs]
    root = settings.artifacts.resolve()
    found = [(root / key).resolve() for key in keys]
    return [folder for folder in found if folder != root and folder.is_relative_to(root) and folder.is_dir()]
