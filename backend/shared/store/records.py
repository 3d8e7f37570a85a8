"""What a trainer reports, written in batches: progress, losses, evaluations, log lines and checkpoints, all fenced."""

import math
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.shared.database import Write
from backend.shared.metrics import recorded
from backend.shared.run_status import RunStatus
from backend.shared.series import kind_of
from backend.shared.store import study_events
from backend.shared.store.queue import NO_SYNC
from backend.shared.tables import EvaluationRow, Run, RunLog, Table, TrainLossBlock, now
from backend.shared.trainer_protocol import Checkpoint, Evaluation, Log, Started, Steps

Recorded = Started | Steps | Evaluation | Log | Checkpoint


def record(session: Write, reported: Sequence[Recorded]) -> frozenset[str]:
    """Write a batch in order; return the ids of runs whose fence no longer holds, of which nothing was written."""
    by_run: dict[tuple[str, int], list[Recorded]] = {}
    for event in reported:
        by_run.setdefault((event.run_id, event.fence), []).append(event)
    lost = set()
    news: dict[str, list[study_events.NewEvent]] = {}
    for (run_id, fence), batch in sorted(by_run.items()):  # in the order of ids: two writers never wait in a ring
        held = _progress(session, run_id, fence, batch)
        if held is None:
            lost.add(run_id)
            continue
        study_id, data = held
        _write(session, run_id, batch)
        told = news.setdefault(study_id, [])
        told.append(("run", run_id, data))
        told += [("evaluation", run_id, {"step": e.step}) for e in batch if isinstance(e, Evaluation)]
    for study_id in sorted(news):
        study_events.append(session, study_id, news[study_id])
    return frozenset(lost)


def unpack_losses(block: bytes) -> tuple[float, ...]:
    """The losses of a `TrainLossBlock`."""
    return struct.unpack(f"<{len(block) // 8}d", block)


def _progress(session: Write, run_id: str, fence: int, batch: list[Recorded]) -> tuple[str, dict[str, Any]] | None:
    """Move the run's own row, which also proves (and, on Postgres, locks) the fence; None where it does not hold."""
    values: dict[str, Any] = {"fence": fence}
    for event in batch:
        match event:
            case Started():
                values |= {
                    "step": event.step,
                    "total_steps": event.total_steps,
                    "trainable_parameters": event.trainable_parameters,
                    "record": json_safe({**event.record, "hooks": list(event.hooks)}),
                }
            case Steps():
                values["step"] = event.first_step + len(event.losses) - 1
            case Checkpoint():
                values |= {"checkpoint_step": event.step, "checkpoint_key": event.folder}
    trained = sum(len(e.losses) * e.seconds_per_step for e in batch if isinstance(e, Steps))
    write = (
        update(Run)
        .where(Run.id == run_id, Run.fence == fence, Run.status == RunStatus.RUNNING)
        .values(**values, seconds=Run.seconds + trained)
        .returning(Run.study_id, Run.step, Run.total_steps)
        .execution_options(**NO_SYNC)
    )
    row = session.execute(write).one_or_none()
    if row is None:
        return None
    return row.study_id, {"status": RunStatus.RUNNING, "step": row.step, "total_steps": row.total_steps}


def _write(session: Write, run_id: str, batch: list[Recorded]) -> None:
    losses: list[Steps] = []
    for event in batch:
        if isinstance(event, Started):
            _forget_after(session, run_id, event.step)
        elif isinstance(event, Steps):
            losses.append(event)
    blocks = [
        {"run_id": run_id, "first_step": first, "count": len(run), "losses": struct.pack(f"<{len(run)}d", *run)}
        for first, run in _joined(losses)
    ]
    _upsert(session, TrainLossBlock, blocks)
    _upsert(session, EvaluationRow, [_evaluation(e) for e in batch if isinstance(e, Evaluation)])
    lines = [e for e in batch if isinstance(e, Log)]
    if lines:
        last = session.scalar(select(func.max(RunLog.seq)).where(RunLog.run_id == run_id)) or 0
        at = now()
        rows = [
            {"run_id": run_id, "seq": last + i, "at": at, "level": e.level, "text": printable(e.text)}
            for i, e in enumerate(lines, 1)
        ]
        session.execute(insert(RunLog), rows)


def _forget_after(session: Write, run_id: str, step: int) -> None:
    """A resumed run trains the steps after its checkpoint again; what an earlier attempt said of them goes."""
    session.execute(delete(EvaluationRow).where(EvaluationRow.run_id == run_id, EvaluationRow.step > step))
    session.execute(delete(TrainLossBlock).where(TrainLossBlock.run_id == run_id, TrainLossBlock.first_step > step))
    query = select(TrainLossBlock.first_step, TrainLossBlock.losses).where(
        TrainLossBlock.run_id == run_id, TrainLossBlock.first_step + TrainLossBlock.count - 1 > step
    )
    for first, block in session.execute(query).all():
        keep = step - first + 1
        session.execute(
            update(TrainLossBlock)
            .where(TrainLossBlock.run_id == run_id, TrainLossBlock.first_step == first)
            .values(count=keep, losses=block[: keep * 8])
            .execution_options(**NO_SYNC)
        )


def _joined(batch: list[Steps]) -> Iterable[tuple[int, list[float]]]:
    """Consecutive reports as one block each: (first step, losses)."""
    first, run = 0, list[float]()
    for event in batch:
        if run and event.first_step == first + len(run):
            run.extend(event.losses)
            continue
        if run:
            yield first, run
        first, run = event.first_step, list(event.losses)
    if run:
        yield first, run


def _evaluation(event: Evaluation) -> dict[str, Any]:
    columns = {metric.name: metric.column for metric in recorded()}
    row: dict[str, Any] = dict.fromkeys(columns.values())
    row |= {"run_id": event.run_id, "step": event.step, "epoch": event.epoch}
    extra: dict[str, float | None] = {}
    nonfinite: dict[str, str] = {}
    for name, value in {**event.values, **event.extra}.items():
        target, key = (row, columns[name]) if name in columns else (extra, name)
        kind = kind_of(value)
        target[key] = value if kind is None else None
        if kind is not None:
            nonfinite[key] = kind
    return {**row, "extra": extra, "nonfinite": nonfinite}


def _upsert(session: Write, table: type[Table], rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [column.name for column in table.__table__.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def printable(text: str) -> str:
    """Text that both databases can hold: without NUL bytes and lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def json_safe(value: Any) -> Any:
    """The same JSON value with "nan", "inf" and "-inf" for numbers that are not finite: Postgres refuses them."""
    match value:
        case float() if not math.isfinite(value):
            return kind_of(value)
        case dict():
            return {key: json_safe(inner) for key, inner in value.items()}
        case list() | tuple():
            return [json_safe(inner) for inner in value]
        case str():
            return printable(value)
    return value
