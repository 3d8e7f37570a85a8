"""Each study's verdict in a sentence, kept beside it for the list of studies.

A comparison takes a tenth of a second or more, so a list of a thousand studies reads what was computed when each study
came to stand still: after its last run, and again after whatever changed it.
"""

import logging
import threading
import time
from hashlib import sha256
from pathlib import Path

from sqlalchemy import or_, select, update

from backend.shared.database import Database
from backend.shared.tables import Study

from .cache import ComparisonCache, Query

log = logging.getLogger(__name__)
EVERY_S, BREATH_S = 2.0, 0.02
MOST_S = 1.0  # of a look: then it looks anew, so that the newest never waits for a thousand old ones


def wording() -> str:
    """A mark of the code that words verdicts: headlines that other code wrote are written anew."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Headlines:
    """Looks every two seconds, in a thread of its own, for studies that have changed and now stand still."""

    def __init__(self, database: Database, comparisons: ComparisonCache) -> None:
        self._database, self._comparisons = database, comparisons
        self._wording = wording()
        self._seen: dict[str, int] = {}
        self._broken: dict[str, int] = {}  # studies that cannot be compared, and their state then: not tried again
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._loop, name="headlines", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; returns when the study that is compared now is done."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> int:
        """Write headlines, the newest study first, where one is as it was at the last look; returns how many."""
        stale = or_(
            Study.headline_seq.is_(None), Study.headline_seq != Study.event_seq, Study.headline_by != self._wording
        )
        query = select(Study.id, Study.event_seq).where(stale).order_by(Study.created_at.desc())
        with self._database.read() as session:
            found = {row.id: row.event_seq for row in session.execute(query)}
        still = [id_ for id_, seq in found.items() if self._seen.get(id_) == seq and self._broken.get(id_) != seq]
        self._seen = found
        written, end = 0, time.monotonic() + MOST_S
        for study_id in still:
            if self._stopping.wait(BREATH_S) or time.monotonic() > end:  # requests come first
                break
            written += self._write(study_id)
        return written

    def _write(self, study_id: str) -> bool:
        with self._database.read() as session:
            study = session.get(Study, study_id)
            if study is None:
                return False
            seq = study.event_seq
            try:
                verdict = self._comparisons.get(session, study, Query()).verdict
            except Exception:
                log.exception("study %s has no headline: it cannot be compared", study_id)
                self._broken[study_id] = seq
                return False
        told = {"headline": verdict.headline, "headline_state": verdict.state}
        with self._database.write() as session:
            session.execute(
                update(Study)
                .where(Study.id == study_id)
                .values(**told, headline_seq=seq, headline_by=self._wording)
                .execution_options(synchronize_session=False)
            )
        return True

    def _loop(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                self.look()
            except Exception as error:  # it must outlive a database that is away
                log.warning("headlines could not be written: %s", error)
