"""How an attempt at a run ends: each a fenced write, so that a worker that has lost its claim changes nothing.

Every function returns whether the write was accepted; False tells a worker to stop, because the run is not its own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from backend.shared.database import Write
from backend.shared.ids import new_id
from backend.shared.run_status import AttemptEnd, FailureCode, RunStatus
from backend.shared.store import study_events
from backend.shared.store.queue import NO_SYNC
from backend.shared.store.records import json_safe
from backend.shared.tables import Artifact, Attempt, Run, now

MOST_LOST = 100  # attempts that end without a word, however far they got
_RELEASED: dict[str, Any] = {"lease_until": None, "worker_id": None}


@dataclass(frozen=True)
class NewArtifact:
    """What a run leaves: where it lies below the artifacts' root, its files with their SHA-256, and its size.

    step, clocks: of an adapter, where in the run it stands.
    """

    kind: str
    storage_key: str
    files: Mapping[str, str]
    bytes: int
    step: int | None = None
    clocks: Sequence[str] = ()


def finish(
    session: Write,
    run_id: str,
    fence: int,
    step: int,
    final: dict[str, Any],
    artifacts: Sequence[NewArtifact] = (),
    examples: dict[str, Any] | None = None,
    message: str | None = None,
) -> bool:
    """The run succeeded; its artifacts become visible in the same transaction. `examples` as in events.Examples.

    `message` is a sentence about its end, such as that it was an early one. A number of `final` that is not finite is
    stored as None, its kind under "nonfinite".
    """
    kept = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in final.items()
    }
    odd = {name: json_safe(value) for name, value in final.items() if kept[name] is None}
    values = {
        "step": step,
        "final": {**kept, "nonfinite": odd} if odd else kept,
        "checkpoint_key": None,
        "examples": json_safe(examples),
    }
    if not _end(session, run_id, fence, RunStatus.SUCCEEDED, AttemptEnd.SUCCEEDED, message, values):
        return False
    for new in artifacts:
        artifact = Artifact(
            id=new_id("artifact"),
            run_id=run_id,
            kind=new.kind,
            storage_key=new.storage_key,
            files=dict(new.files),
            bytes=new.bytes,
            step=new.step,
            clocks=list(new.clocks),
        )
        session.add(artifact)
    return True


def fail(session: Write, run_id: str, fence: int, code: FailureCode, message: str) -> bool:
    """The run cannot go on; the sentence says what to change."""
    return _end(session, run_id, fence, RunStatus.FAILED, AttemptEnd.FAILED, message, {"failure_code": code})


def cancelled(session: Write, run_id: str, fence: int, message: str = "Cancelled on request.") -> bool:
    """The run was stopped because somebody asked for it."""
    return _end(session, run_id, fence, RunStatus.CANCELLED, AttemptEnd.CANCELLED, message, {})


def give_back(session: Write, run_id: str, fence: int, message: str) -> bool:
    """The worker stops in order: the run waits again and goes on from its checkpoint; no penalty.

    A run whose cancellation was asked for meanwhile is cancelled.
    """
    run = _own(session, run_id, fence)
    if run is None:
        return False
    if run.cancel_requested_at is not None:
        return cancelled(session, run_id, fence)
    return _end(session, run_id, fence, RunStatus.QUEUED, AttemptEnd.DRAINED, message, {})


def lose(
    session: Write,
    run_id: str,
    fence: int,
    end: AttemptEnd,
    message: str,
    max_attempts: int,
    heartbeat_seq: int | None = None,
) -> RunStatus | None:
    """An attempt ended without a word (`end` is LOST or CRASHED): what becomes of the run, None where it has moved on.

    The run waits again, to be claimed alone. An attempt counts against it that was alone in its pack (so that one bad
    run cannot sink its mates) and reached no new checkpoint (so that a long run outlives any number of kills between
    which it gets further); after `max_attempts` of those, or MOST_LOST of any kind, the run fails. With
    `heartbeat_seq`, only a run whose worker has not been heard since that heartbeat is taken.
    """
    run = _own(session, run_id, fence)
    if run is None or (heartbeat_seq is not None and run.heartbeat_seq != heartbeat_seq):
        return None
    in_pack = session.scalar(select(func.count()).select_from(Attempt).where(Attempt.claim_id == run.claim_id))
    ended = session.execute(select(Attempt.fence, Attempt.from_step, Attempt.end).where(Attempt.run_id == run_id)).all()
    got_further = any(one.fence == fence and (run.checkpoint_step or 0) > one.from_step for one in ended)
    lost = run.lost_attempts + (in_pack == 1 and not got_further)
    in_all = 1 + sum(one.end in (AttemptEnd.LOST, AttemptEnd.CRASHED) for one in ended)
    values: dict[str, Any] = {"alone": True, "lost_attempts": lost}
    status = RunStatus.QUEUED
    if run.cancel_requested_at is not None:
        status = RunStatus.CANCELLED
    elif lost >= max_attempts or in_all >= MOST_LOST:
        status = RunStatus.FAILED
        values["failure_code"] = FailureCode.TRAINER_CRASHED if end is AttemptEnd.CRASHED else FailureCode.WORKER_LOST
        count, further = (lost, " and got no further") if lost >= max_attempts else (in_all, "")
        attempts = "1 attempt" if count == 1 else f"{count} attempts"
        message = f"{attempts} ended without a word{further}, the last one so: {message}"
    return status if _end(session, run_id, fence, status, end, message, values) else None


def _own(session: Write, run_id: str, fence: int) -> Run | None:
    """The run, locked, if this fence still holds."""
    query = select(Run).where(Run.id == run_id, Run.fence == fence, Run.status == RunStatus.RUNNING)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).first()


def _end(
    session: Write,
    run_id: str,
    fence: int,
    status: RunStatus,
    end: AttemptEnd,
    message: str | None,
    values: dict[str, Any],
) -> bool:
    at = now()
    if status is not RunStatus.QUEUED:
        values = {**values, "finished_at": at}
    write = (
        update(Run)
        .where(Run.id == run_id, Run.fence == fence, Run.status == RunStatus.RUNNING)
        .values(**{"message": message, **_RELEASED, **values}, status=status)
        .returning(Run.study_id, Run.step, Run.total_steps, Run.failure_code)
        .execution_options(**NO_SYNC)
    )
    row = session.execute(write).one_or_none()
    if row is None:
        return False
    session.execute(
        update(Attempt)
        .where(Attempt.run_id == run_id, Attempt.fence == fence)
        .values(ended_at=at, end=end, message=message)
        .execution_options(**NO_SYNC)
    )
    data = {
        "status": status,
        "step": row.step,
        "total_steps": row.total_steps,
        "failure_code": row.failure_code,
        "message": message,
        "attempt_end": end,
    }
    study_events.append(session, row.study_id, [("run", run_id, data)])
    return True
