"""Rows of the store and plans of the services as what the API answers."""

from collections.abc import Mapping, Sequence

from transformer_dropout.spec import CONSISTENCY, DropoutSpec, describe

from backend.edge.answers import ErrorItem, RunCounts
from backend.shared.errors import Problem
from backend.shared.specs import ArmKeySpec, StudySpec
from backend.shared.store.tallies import Tally
from backend.shared.tables import Arm, Study

from .preview import Preview
from .schemas import ArmOut, PreviewArm, StudyDetail, StudyPreview, StudySummary


def counts(by_status: Mapping[str, int]) -> RunCounts:
    """Runs by status with their sum."""
    return RunCounts(**by_status, total=sum(by_status.values()))


def study_summary(study: Study, tally: Tally, queue_position: int | None, person: str | None) -> StudySummary:
    """A line of the list of studies; person: the name of who made it."""
    return StudySummary.model_validate(_study(study, tally, queue_position, person))


def study_detail(
    study: Study,
    arms: Sequence[Arm],
    tally: Tally,
    by_arm: Mapping[str, Mapping[str, int]],
    queue_position: int | None,
    waits_for: str | None,
    person: str | None,
) -> StudyDetail:
    """A study with its arms."""
    shown = [_arm(arm, by_arm.get(arm.id, {}), arm.id == study.baseline_arm_id) for arm in arms]
    return StudyDetail.model_validate(
        {
            **_study(study, tally, queue_position, person),
            "spec": StudySpec.model_validate(study.spec),
            "arms": shown,
            "baseline_arm_id": study.baseline_arm_id,
            "waits_for": waits_for,
        }
    )


def _study(study: Study, tally: Tally, queue_position: int | None, person: str | None) -> dict[str, object]:
    told = None
    if study.headline is not None:
        current = study.headline_seq == study.event_seq
        told = {"text": study.headline, "state": study.headline_state, "current": current}
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
        "tags": study.tags,
        "headline": told,
        "created_by": study.created_by,
        "created_by_name": person,
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
    plan, took = found.expansion, found.estimate.seconds
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
        problems=_items(plan.problems),
        warnings=_items(plan.warnings),
        estimated_seconds=None if took is None else took.middle,
        estimated_seconds_low=None if took is None else took.low,
        estimated_seconds_high=None if took is None else took.high,
        estimated_memory_bytes=found.estimate.memory_bytes,
        estimate_basis=found.estimate.basis,
        yaml=found.yaml,
        plan=found.plan,
    )


def _items(found: list[Problem]) -> list[ErrorItem]:
    return [ErrorItem(pointer=one.pointer, detail=one.message) for one in found]
