"""Packs that were trained to their end: how long each took, and its work. What the time of a study is told from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.run_status import AttemptEnd
from backend.shared.specs import ArmKeySpec
from backend.shared.tables import Arm, Attempt, Run, Worker

from .work import Lengths, work_of

RECENT = 400  # attempts that are looked at, the newest


@dataclass(frozen=True)
class Pack:
    """One claim that was trained from its first step to its end.

    seconds: from claim to last ending, of one worker.  work: of its runs together, in weighed tokens.  per_row: tokens
    of an average row.  device: its class, as "cpu" or "cuda".
    """

    model: str
    device: str
    seconds: float
    work: float
    per_row: float


def device_class(device: str) -> str:
    """Return what kind of device this is, whichever of its kind."""
    return device.partition(":")[0].partition(" ")[0]


def measured(session: Session, lengths: Lengths) -> list[Pack]:
    """Return the packs measured last, the newest first; those with a run that went on or ended otherwise are none."""
    query = (
        select(
            Attempt.claim_id,
            Attempt.started_at,
            Attempt.ended_at,
            Attempt.end,
            Attempt.from_step,
            Run.arm_id,
            Worker.device,
            Run.record,
        )
        .join(Run, Run.id == Attempt.run_id)
        .outerjoin(Worker, Worker.id == Attempt.worker_id)
        .where(Attempt.ended_at.is_not(None))
        .order_by(Attempt.id.desc())
        .limit(RECENT)
    )
    claims: dict[str, list[_Row]] = {}
    for claim, started, ended, end, from_step, arm, device, record in session.execute(query):
        where = str(device or (record or {}).get("device") or "cpu")  # a worker of long ago is forgotten
        claims.setdefault(claim, []).append(_Row(started, ended, end, from_step, arm, where))
    if len(claims) > 1 and sum(map(len, claims.values())) == RECENT:
        claims.popitem()  # of the oldest, some runs may lie beyond what was looked at
    arms = {row.arm_id for rows in claims.values() for row in rows}
    specs = {
        arm_id: ArmKeySpec.model_validate(spec)
        for arm_id, spec in session.execute(select(Arm.id, Arm.spec).where(Arm.id.in_(arms)))
    }
    return [pack for rows in claims.values() if (pack := _pack(rows, specs, lengths)) is not None]


@dataclass(frozen=True)
class _Row:
    started: datetime
    ended: datetime
    end: str | None
    from_step: int
    arm_id: str
    device: str


def _pack(rows: Sequence[_Row], specs: Mapping[str, ArmKeySpec], lengths: Lengths) -> Pack | None:
    if any(row.end != AttemptEnd.SUCCEEDED or row.from_step for row in rows):
        return None
    found = [work_of(specs[row.arm_id], lengths) for row in rows]
    works = [work for work in found if work is not None]
    if any(specs[row.arm_id].training.patience is not None for row in rows):
        return None  # how much of its work was done is not known
    seconds = (max(row.ended for row in rows) - min(row.started for row in rows)).total_seconds()
    if len(works) < len(found) or seconds <= 0:
        return None
    return Pack(
        model=specs[rows[0].arm_id].model.id,
        device=device_class(rows[0].device),
        seconds=seconds,
        work=sum(work.total for work in works),
        per_row=works[0].per_row,
    )
