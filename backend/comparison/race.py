"""Races: a study whose plan says so gets the seeds of its next look by itself, for the arms that have no verdict yet.

When all of its runs have ended, the plan's verdicts are drawn as anybody sees them. Arms without one get the seeds of
their next look, and so do the baselines that they are judged against; an arm that has its verdict gets no more. Nothing
but the plan's bounds decides, so its error is what the plan says. A lost or cancelled run holds its arm up: it is no
result, and more seeds cannot replace it.

All that is known of a race is in the database, so that a restart loses nothing; what is written is what a second
service would write, and only one of them finds the study as it saw it.
"""

import logging
from datetime import datetime

from sqlalchemy import String, cast, func, select

from backend.accounts.principal import Principal
from backend.shared.database import Database, Read, Write
from backend.shared.run_status import RunStatus
from backend.shared.store import runs, studies, study_events
from backend.shared.tables import Arm, Run, Study
from backend.studies.service import add_runs

from .plan.draw import Drawn, draw
from .statistics.grid import align
from .study_records import study_records

log = logging.getLogger(__name__)
_OPEN = (RunStatus.QUEUED, RunStatus.RUNNING)


class Races:
    """The races among the studies. `tick` looks at those that changed since it looked last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[str, int] = {}  # of every race its event number when it was looked at; -1: not yet
        self._newest: datetime | None = None  # study that was looked through for races

    def tick(self) -> int:
        """Queue what races need next; return how many runs that were."""
        with self._database.read() as session:
            self._discover(session)
            there = select(Study.id, Study.event_seq).where(Study.id.in_(list(self._seen)), Study.archived_at.is_(None))
            moved = {row.id: row.event_seq for row in session.execute(there) if row.event_seq != self._seen[row.id]}
        return sum(self._look(study_id, seq) for study_id, seq in moved.items())

    def _discover(self, session: Read) -> None:
        """Find races among studies made since the last time; their specs are read in the database, once."""
        query = select(Study.id).where(cast(Study.spec, String).contains('"race": true'))
        newest = session.scalar(select(func.max(Study.created_at)))
        if newest is None or newest == self._newest:
            return
        if self._newest is not None:
            query = query.where(Study.created_at >= self._newest)
        for study_id in session.scalars(query):
            self._seen.setdefault(study_id, -1)
        self._newest = newest

    def _look(self, study_id: str, seq: int) -> int:
        with self._database.read() as session:
            study = session.get(Study, study_id)
            if study is None or study.paused or _goes_on(session, study_id):
                return 0  # and looked at again: what is waited for is an event
            records = study_records(session, study)
            arms = studies.arms(session, study_id)
        grids = align(records)
        drawn = draw(records, grids, [arm.label for arm in arms], (None, "validation/loss", "last"))
        wanted = {} if drawn is None else next_seeds(drawn)
        queued = self._queue(study_id, records.event_seq, arms, wanted) if wanted else 0
        self._seen[study_id] = seq
        return queued

    def _queue(self, study_id: str, seq: int, arms: list[Arm], wanted: dict[str, int]) -> int:
        with self._database.write() as session:
            study = session.get(Study, study_id, with_for_update=True)
            if study is None or study.event_seq != seq or study.archived_at is not None or study.paused:
                return 0
            return _grow(session, study, arms, wanted)


def next_seeds(drawn: Drawn) -> dict[str, int]:
    """Return how many seeds each arm should have (by its id): those of its next look, for arms without a verdict, and
    for their baselines as many.
    """
    looks = [look.seeds for look in drawn.plan.looks]
    wanted: dict[str, int] = {}
    for arm_id, verdict in drawn.verdicts.items():
        following = next((n for n in looks if n > verdict.seeds), None)
        if verdict.kind != "not_yet" or following is None:
            continue
        wanted[arm_id] = following
        wanted[verdict.baseline_arm_id] = max(following, wanted.get(verdict.baseline_arm_id, 0))
    return wanted


def _goes_on(session: Read, study_id: str) -> bool:
    return session.scalar(select(Run.id).where(Run.study_id == study_id, Run.status.in_(_OPEN)).limit(1)) is not None


def _grow(session: Write, study: Study, arms: list[Arm], wanted: dict[str, int]) -> int:
    there = {(run.seed, run.arm_id) for run in runs.of_study(session, study.id)}
    most = max(wanted.values())
    cells = [
        (seed, arm)
        for seed in range(most)
        for arm in arms
        if seed < wanted.get(arm.id, 0) and (seed, arm.id) not in there
    ]
    if not cells:
        return 0
    owner = Principal(study.created_by, study.workspace_id, "admin")
    add_runs(session, study, cells, owner, first=runs.last_position(session, study.id) + 1)
    study.spec = {**study.spec, "seeds": max(most, int(study.spec.get("seeds", 0)))}
    session.flush()
    told = {"changed": ["extended"], "race": True, "runs": len(cells), "arms": 0, "seeds": most}
    study_events.append(session, study.id, [("study", None, told)])
    log.info("the race of study %s goes on to %d seeds with %d runs", study.id, most, len(cells))
    return len(cells)
