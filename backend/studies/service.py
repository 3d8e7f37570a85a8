"""What a person does with a study: make it, rename, pause, archive, cancel. Each in the caller's one transaction."""

import hashlib
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.principal import Principal
from backend.shared.database import Database, Write
from backend.shared.errors import Conflict, InvalidInput
from backend.shared.ids import new_id
from backend.shared.run_status import RunStatus
from backend.shared.settings import Settings
from backend.shared.specs import ArmKeySpec, StudySpec
from backend.shared.store import idempotency, requests, study_events, tallies
from backend.shared.store import studies as store
from backend.shared.tables import AT_ONCE, Arm, Run, Study, now

from .expand import Expansion, PlannedArm, expand, steps
from .pick import pick

MOST_QUEUED = 10_000  # runs of one person of a team


def create(database: Database, settings: Settings, asked: StudySpec, who: Principal, key: str | None = None) -> str:
    """Store a study with its arms and runs; return its id, or the earlier one for a key that was used before.

    Raises InvalidInput with every problem, and where the key was used for another body; then nothing is stored.
    """
    digest = hashlib.sha256(asked.model_dump_json(exclude_unset=True).encode()).hexdigest()
    with database.read() as session:
        earlier = _earlier(session, who, key, digest)
    if earlier is not None:
        return earlier
    plan = expand(settings, asked).or_raise()  # before the write lock: a first look at a data set takes its time
    try:
        with database.write() as session:
            return _earlier(session, who, key, digest) or _insert(session, plan, who, key, digest)
    except IntegrityError:  # the same key in two requests at once: the other one was first
        with database.read() as session:
            earlier = _earlier(session, who, key, digest)
        if earlier is None:
            raise
        return earlier


def _earlier(session: Session, who: Principal, key: str | None, digest: str) -> str | None:
    found = None if key is None else idempotency.find(session, who.user_id, key)
    if found is None:
        return None
    if found.body_hash != digest:
        raise InvalidInput("this Idempotency-Key was used for another study within 24 hours; take a new key")
    return str(found.response["study_id"])


def _insert(session: Write, plan: Expansion, who: Principal, key: str | None, digest: str) -> str:
    study_id = new_id("study")
    if key is not None:
        idempotency.remember(session, who.user_id, key, digest, 202, {"study_id": study_id})
    arms = new_arms(study_id, list(plan.arms), first=0)
    study = Study(
        id=study_id,
        workspace_id=who.workspace_id,
        created_by=who.user_id,
        name=plan.study.name,
        spec=plan.study.model_dump(mode="json", exclude_unset=True),
        baseline_arm_id=None if plan.baseline is None else arms[plan.baseline].id,
    )
    session.add(study)
    session.flush()
    store.add_arms(session, arms)
    cells = [(seed, arm) for seed in range(plan.study.seeds) for arm in arms]
    add_runs(session, study, cells, who, first=0)
    study_events.append(session, study_id, [("study", None, {"changed": ["created"], "runs": len(cells)})])
    return study_id


def new_arms(study_id: str, planned: list[PlannedArm], first: int) -> list[Arm]:
    """Rows for arms, numbered from `first`."""
    return [
        Arm(
            id=new_id("arm"),
            study_id=study_id,
            position=first + i,
            key=arm.key,
            label=arm.label,
            method=arm.method,
            spec=arm.spec.model_dump(mode="json"),
        )
        for i, arm in enumerate(planned)
    ]


def add_runs(session: Write, study: Study, cells: list[tuple[int, Arm]], who: Principal, first: int) -> None:
    """Queue a run for each (seed, arm), in this order after position `first`.

    Raises Conflict where a person of a team would have more than `MOST_QUEUED` runs waiting.
    """
    if who.how != "local":
        mine = select(func.count()).select_from(Run).where(Run.created_by == who.user_id)
        waiting = session.scalar(mine.where(Run.status == RunStatus.QUEUED)) or 0
        if waiting + len(cells) > MOST_QUEUED:
            raise Conflict(
                f"you have {waiting:,} runs waiting and this would add {len(cells):,}; {MOST_QUEUED:,} are the most "
                "that one person may queue: cancel some, or wait for them"
            )
    at = now()
    of_arm = {arm.id: arm for _, arm in cells}
    total = {arm_id: steps(ArmKeySpec.model_validate(arm.spec)) for arm_id, arm in of_arm.items()}
    rows: list[dict[str, Any]] = [
        {
            "id": new_id("run"),
            "workspace_id": study.workspace_id,
            "study_id": study.id,
            "arm_id": arm.id,
            "created_by": who.user_id,
            "seed": seed,
            "position": first + i,
            "priority": study.priority,
            "status": RunStatus.QUEUED,
            "not_before": AT_ONCE,
            "total_steps": total[arm.id],
            "created_at": at,
        }
        for i, (seed, arm) in enumerate(cells)
    ]
    store.add_runs(session, rows)


def update(session: Write, who: Principal, study_id: str, changes: dict[str, Any]) -> None:
    """Change what is named in `changes` (name, paused, priority, baseline, tags); null leaves a field as it is."""
    study = store.get(session, who.workspace_id, study_id)
    changes = {field: value for field, value in changes.items() if value is not None}
    told: dict[str, Any] = {}
    if "name" in changes and changes["name"] != study.name:
        study.name = told["name"] = changes["name"]
    if "paused" in changes and changes["paused"] != study.paused:
        study.paused = told["paused"] = changes["paused"]
    if "baseline" in changes:
        arms = store.arms(session, study_id)
        chosen = arms[_picked(arms, changes["baseline"])].id
        if chosen != study.baseline_arm_id:
            study.baseline_arm_id = told["baseline_arm_id"] = chosen
    if "tags" in changes:
        tags = list({tag.casefold(): tag for tag in reversed(changes["tags"])}.values())[::-1]
        if tags != study.tags:
            study.tags = told["tags"] = tags
    session.flush()
    if told:
        study_events.append(session, study_id, [("study", None, {"changed": sorted(told), **told})])
    if "priority" in changes and changes["priority"] != study.priority:
        requests.set_priority(session, study_id, changes["priority"])


def _picked(arms: list[Arm], wanted: str) -> int:
    ids = [arm.id for arm in arms]
    if wanted in ids:
        return ids.index(wanted)
    return pick(wanted, [(arm.key, arm.label, arm.method) for arm in arms])


def archive(session: Write, who: Principal, study_id: str) -> None:
    """Take a study off the list; Conflict while runs of it wait or run."""
    study = store.get(session, who.workspace_id, study_id)
    if study.archived_at is not None:
        return
    counts = tallies.tallies(session, [study_id])[study_id].counts
    open_runs = counts.get(RunStatus.QUEUED, 0) + counts.get(RunStatus.RUNNING, 0)
    if open_runs:
        raise Conflict(f"{open_runs} runs of this study are queued or running; cancel them, or wait, then archive it")
    study.archived_at = now()
    session.flush()
    study_events.append(session, study_id, [("study", None, {"changed": ["archived"], "archived": True})])


def restore(session: Write, who: Principal, study_id: str) -> None:
    """Put an archived study back on the list."""
    study = store.get(session, who.workspace_id, study_id)
    if study.archived_at is None:
        return
    study.archived_at = None
    session.flush()
    study_events.append(session, study_id, [("study", None, {"changed": ["archived"], "archived": False})])


def cancel(session: Write, who: Principal, study_id: str) -> tuple[int, int]:
    """Cancel all runs that have not ended; return how many ended at once and how many stop at their next step."""
    store.get(session, who.workspace_id, study_id)
    asked = requests.cancel_study(session, study_id)
    session.flush()
    running = select(func.count()).where(Run.study_id == study_id, Run.status == RunStatus.RUNNING)
    stopping = session.scalar(running) or 0
    return asked - stopping, stopping


def move_to_front(session: Write, who: Principal, study_id: str) -> None:
    """Give a study a higher priority than all others that wait."""
    store.get(session, who.workspace_id, study_id)
    requests.move_to_front(session, study_id)


def retry_failed(session: Write, who: Principal, study_id: str) -> int:
    """Queue all failed runs of a study again; Conflict where it is archived. Returns how many."""
    study = store.get(session, who.workspace_id, study_id)
    if study.archived_at is not None:
        raise Conflict("this study is archived; restore it, then retry")
    return requests.retry_failed(session, study_id)
