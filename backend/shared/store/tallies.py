"""Runs counted: by status, by arm, and how many steps are done and to do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, case, func, literal, literal_column, select
from sqlalchemy.orm import Session

from backend.shared.run_status import TERMINAL, RunStatus
from backend.shared.store.queue import clock
from backend.shared.tables import Attempt, Run, UtcTime

_SHOWN: ColumnElement[str] = literal_column("shown")


def shown_status(session: Session) -> ColumnElement[str]:
    """The status that people are shown: a run whose lease has run out is not running, it waits for another worker."""
    lapsed = (Run.status == RunStatus.RUNNING) & (Run.lease_until < clock(session))
    return case((lapsed, RunStatus.QUEUED.value), else_=Run.status)


@dataclass(frozen=True)
class Tally:
    """Where the runs of one study stand.

    counts: runs by status.  steps_done: of all, ended runs counted as done.  steps_left: of runs queued and running.
    steps_trained, seconds: by and of the claims of its runs so far, evaluations and endings included; 0 where nothing
    is left.  workers: that train it now.
    """

    counts: dict[str, int] = field(default_factory=dict)
    arms: int = 0
    seeds: int = 0
    steps_done: int = 0
    steps_left: int = 0
    steps_trained: int = 0
    seconds: float = 0.0
    workers: int = 0

    @property
    def runs(self) -> int:
        """All runs."""
        return sum(self.counts.values())

    @property
    def progress(self) -> float:
        """Share of the steps that are done, 0 to 1; 1 only when all runs have ended."""
        total = self.steps_done + self.steps_left
        if not total:
            return self._ended / self.runs if self.runs else 0.0
        return (total - self._left) / total

    @property
    def eta_seconds(self) -> float | None:
        """Steps left at the pace so far, shared by the workers that train the study now; None without a pace."""
        if not self._left:
            return 0.0
        if not self.steps_trained or not self.seconds:
            return None
        return self._left * self.seconds / self.steps_trained / max(self.workers, 1)

    @property
    def _ended(self) -> int:
        return sum(self.counts.get(status, 0) for status in TERMINAL)

    @property
    def _left(self) -> float:
        """Steps left; a run whose last step is done is still judged and saved, which counts as half a step."""
        return self.steps_left if self._ended == self.runs else max(self.steps_left, 0.5)


def tallies(session: Session, study_ids: Sequence[str]) -> dict[str, Tally]:
    """A tally for each of these studies."""
    ended = Run.status.in_(TERMINAL)
    total = case((Run.total_steps > Run.step, Run.total_steps), else_=Run.step)
    query = (
        select(
            Run.study_id,
            shown_status(session).label("shown"),
            func.count().label("runs"),
            func.sum(case((ended, total), else_=Run.step)).label("done"),
            func.sum(case((ended, 0), else_=total - Run.step)).label("left"),
            func.count(Run.worker_id.distinct()).label("workers"),
        )
        .where(Run.study_id.in_(study_ids))
        .group_by(Run.study_id, _SHOWN)
    )
    shapes = (
        select(Run.study_id, func.count(Run.arm_id.distinct()), func.count(Run.seed.distinct()))
        .where(Run.study_id.in_(study_ids))
        .group_by(Run.study_id)
    )
    shape = {study_id: (arms, seeds) for study_id, arms, seeds in session.execute(shapes)}
    lines: dict[str, list[Row[Any]]] = {}
    for row in session.execute(query):
        lines.setdefault(row.study_id, []).append(row)
    going = [study_id for study_id, rows in lines.items() if any(row.left for row in rows)]
    claimed = _claimed(session, going)
    return {
        study_id: _tally(lines.get(study_id, []), *shape.get(study_id, (0, 0)), claimed.get(study_id, (0, 0.0)))
        for study_id in study_ids
    }


def _claimed(session: Session, study_ids: Sequence[str]) -> dict[str, tuple[int, float]]:
    """Steps that the claims of these studies took so far, and their seconds on the workers' clocks, by study.

    Of each run its last claim: what a lost one had done is in no step of it.
    """
    query = (
        select(
            Run.study_id,
            func.sum(Run.step - Attempt.from_step),
            func.min(Attempt.started_at),
            func.max(func.coalesce(Attempt.ended_at, literal(clock(session), UtcTime()))),
        )
        .join(Attempt, (Attempt.run_id == Run.id) & (Attempt.fence == Run.fence))
        .where(Run.study_id.in_(study_ids), Run.status.in_((RunStatus.RUNNING, RunStatus.SUCCEEDED)))
        .group_by(Run.study_id, Attempt.claim_id)
    )
    found: dict[str, tuple[int, float]] = {}
    for study_id, taken, begun, ended in session.execute(query) if study_ids else ():
        so_far = found.get(study_id, (0, 0.0))
        found[study_id] = (so_far[0] + int(taken), so_far[1] + (ended - begun).total_seconds())
    return found


def _tally(rows: list[Row[Any]], arms: int, seeds: int, claimed: tuple[int, float]) -> Tally:
    return Tally(
        counts={row.shown: row.runs for row in rows},
        arms=arms,
        seeds=seeds,
        steps_done=int(sum(row.done for row in rows)),
        steps_left=int(sum(row.left for row in rows)),
        steps_trained=claimed[0],
        seconds=claimed[1],
        workers=sum(row.workers for row in rows if row.shown == RunStatus.RUNNING),
    )


def counts_by_arm(session: Session, study_id: str) -> dict[str, dict[str, int]]:
    """Arm id → status → runs."""
    query = select(Run.arm_id, shown_status(session).label("shown"), func.count()).where(Run.study_id == study_id)
    found: dict[str, dict[str, int]] = {}
    for arm_id, status, count in session.execute(query.group_by(Run.arm_id, _SHOWN)):
        found.setdefault(arm_id, {})[status] = count
    return found


def all_counts(session: Session) -> dict[str, int]:
    """Status → runs, over everything this database holds."""
    rows = session.execute(select(shown_status(session).label("shown"), func.count()).group_by(_SHOWN))
    return {row[0]: row[1] for row in rows}
