"""Rows of the store and plans of the services as what the API answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

from transformer_dropout.spec import CONSISTENCY, PRESETS, DropoutSpec, catalogue, describe, formula

from backend.api.schemas.catalogue import CellOut, ConsistencyOut, MethodCatalogue, MethodOut, WorkerOut
from backend.api.schemas.common import ErrorItem, RunCounts
from backend.api.schemas.runs import AttemptOut, RunDetail, RunSummary
from backend.api.schemas.studies import ArmOut, PreviewArm, StudyDetail, StudyPreview, StudySummary
from backend.services.preview import Preview
from backend.shared.run_status import FailureCode, RunStatus
from backend.shared.specs import ArmKeySpec, RunSpec, StudySpec
from backend.shared.store.tallies import Tally
from backend.shared.store.workers import is_alive
from backend.shared.tables import Arm, Attempt, Run, Study, Worker, now


def counts(by_status: Mapping[str, int]) -> RunCounts:
    """Runs by status with their sum."""
    return RunCounts(**by_status, total=sum(by_status.values()))


def study_summary(study: Study, tally: Tally, queue_position: int | None) -> StudySummary:
    """A line of the list of studies."""
    return StudySummary.model_validate(_study(study, tally, queue_position))


def study_detail(
    study: Study,
    arms: Sequence[Arm],
    tally: Tally,
    by_arm: Mapping[str, Mapping[str, int]],
    queue_position: int | None,
    waits_for: str | None,
) -> StudyDetail:
    """A study with its arms."""
    shown = [_arm(arm, by_arm.get(arm.id, {}), arm.id == study.baseline_arm_id) for arm in arms]
    return StudyDetail.model_validate(
        {
            **_study(study, tally, queue_position),
            "spec": StudySpec.model_validate(study.spec),
            "arms": shown,
            "baseline_arm_id": study.baseline_arm_id,
            "waits_for": waits_for,
        }
    )


def _study(study: Study, tally: Tally, queue_position: int | None) -> dict[str, object]:
    return {
        "id": study.id,
        "name": study.name,
        "model": study.spec["model"],
        "dataset": study.spec["dataset"],
        "task": study.spec.get("task", "classification"),
        "arm_count": tally.arms,
        "seeds": tally.seeds,
        "counts": counts(tally.counts),
        "progress": tally.progress,
        "eta_seconds": tally.eta_seconds,
        "paused": study.paused,
        "priority": study.priority,
        "created_by": study.created_by,
        "created_at": study.created_at,
        "last_activity_at": study.updated_at,
        "archived_at": study.archived_at,
        "event_seq": study.event_seq,
        "queue_position": queue_position,
    }


def _arm(arm: Arm, by_status: Mapping[str, int], is_baseline: bool) -> ArmOut:
    spec = ArmKeySpec.model_validate(arm.spec)
    return ArmOut(
        id=arm.id,
        position=arm.position,
        key=arm.key,
        label=arm.label,
        method=arm.method,
        description=describe(DropoutSpec.from_dict(spec.method)),
        spec=spec,
        counts=counts(by_status),
        is_baseline=is_baseline,
    )


def preview(found: Preview) -> StudyPreview:
    """What posting a study would do."""
    plan = found.expansion
    return StudyPreview(
        study=plan.study,
        arms=[
            PreviewArm(
                label=arm.label,
                key=arm.key,
                method=arm.method,
                description=describe(arm.dropout),
                is_baseline=i == plan.baseline,
                cost_factor=CONSISTENCY[arm.dropout.consistency.kind].cost_factor,
                spec=arm.spec,
            )
            for i, arm in enumerate(plan.arms)
        ],
        seeds=plan.study.seeds,
        runs=plan.runs,
        steps_per_run=plan.steps_per_run,
        problems=[ErrorItem(pointer=problem.pointer, detail=problem.message) for problem in plan.problems],
        estimated_seconds=found.estimate.seconds,
        estimated_memory_bytes=found.estimate.memory_bytes,
        estimate_basis=found.estimate.basis,
        yaml=found.yaml,
    )


def _run(run: Run, arm: Arm, at: datetime) -> dict[str, object]:
    lapsed = _lapsed(run, at)
    return {
        "id": run.id,
        "study_id": run.study_id,
        "arm_id": run.arm_id,
        "arm_label": arm.label,
        "method": arm.method,
        "seed": run.seed,
        "position": run.position,
        "status": RunStatus.QUEUED if lapsed else RunStatus(run.status),
        "failure_code": FailureCode(run.failure_code) if run.failure_code else None,
        "message": lapsed or run.message,
        "step": run.step,
        "total_steps": run.total_steps,
        "progress": min(1.0, run.step / run.total_steps) if run.total_steps else 0.0,
        "attempt": run.attempt,
        "cancel_requested": run.cancel_requested_at is not None,
        "worker_id": run.worker_id,
        "seconds": run.seconds,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }


def _lapsed(run: Run, at: datetime) -> str | None:
    """A sentence where the run's lease has run out: it is not running then, whatever its row still says."""
    if run.status != RunStatus.RUNNING or run.lease_until is None or run.lease_until >= at:
        return None
    return f"Its worker's lease ran out at {run.lease_until:%H:%M:%S} UTC; the run waits for another worker."


def run_summary(run: Run, arm: Arm, at: datetime) -> RunSummary:
    """A line of a list of runs; `at` is the moment by the clock of leases."""
    return RunSummary.model_validate(_run(run, arm, at))


def run_detail(run: Run, arm: Arm, attempts: Sequence[Attempt], at: datetime, started_by: str | None) -> RunDetail:
    """A run with its attempts; started_by: the name of who asked for it."""
    return RunDetail.model_validate(
        {
            **_run(run, arm, at),
            "started_by": started_by,
            "spec": RunSpec(arm=ArmKeySpec.model_validate(arm.spec), seed=run.seed),
            "checkpoint_step": run.checkpoint_step,
            "trainable_parameters": run.trainable_parameters,
            "record": run.record,
            "final": run.final,
            "attempts": [AttemptOut.model_validate(attempt) for attempt in attempts],
        }
    )


def worker(row: Worker, run_ids: list[str], lease_s: float) -> WorkerOut:
    """A worker, without its process id."""
    return WorkerOut(
        id=row.id,
        host=row.host,
        device=row.device,
        version=row.version,
        alive=is_alive(row, lease_s, now()),
        busy=row.claim_id is not None and row.stopped_at is None,
        draining=row.draining,
        runs=run_ids,
        tokens_per_second=row.tokens_per_second,
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
    )


@cache
def methods() -> MethodCatalogue:
    """The framework as the library has it."""
    presets = []
    for preset in PRESETS.values():
        spec = preset.spec()
        presets.append(
            MethodOut(
                name=preset.name,
                title=preset.title,
                sentence=preset.sentence,
                description=describe(spec),
                formula=formula(spec),
                source=preset.source,
                default_rate=preset.default_rate,
                native=preset.native,
                consistency=preset.consistency,
                cost_factor=CONSISTENCY[preset.consistency].cost_factor,
                spec=spec.to_dict(),
            )
        )
    return MethodCatalogue(
        presets=presets,
        cells=[CellOut.model_validate(cell) for cell in catalogue()],
        consistencies=[ConsistencyOut.model_validate(kind) for kind in CONSISTENCY.values()],
    )
