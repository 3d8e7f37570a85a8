"""Why nothing of a study is trained although runs of it are queued: a sentence with what to do about it."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from backend.shared import disk
from backend.shared.run_status import RunStatus
from backend.shared.settings import Settings
from backend.shared.store import workers
from backend.shared.tables import Study, now

NO_WORKER = "No worker is running. Start one with `dropscope worker`, or restart `dropscope up`; the runs are kept."
DRAINING = "The workers are shutting down. The runs go on when one is started again."


def reason(session: Session, settings: Settings, study: Study, counts: Mapping[str, int]) -> str | None:
    """A sentence, or None where the study trains, is paused, has nothing queued, or waits for its turn only."""
    if study.paused or not counts.get(RunStatus.QUEUED) or counts.get(RunStatus.RUNNING):
        return None
    at = now()
    alive = [one for one in workers.recent(session) if workers.is_alive(one, settings.lease_s, at)]
    if not alive:
        return NO_WORKER
    if all(worker.draining for worker in alive):
        return DRAINING
    return disk.too_full(settings)
