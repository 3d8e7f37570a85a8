"""Studies for tests of the queue, written straight into the tables; their arms carry the toy trainer's plan."""

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import select

from backend.shared.database import Database, Write
from backend.shared.ids import new_id
from backend.shared.metrics import recorded
from backend.shared.specs import ArmKeySpec, DatasetRef, ModelRef, TrainingSpec
from backend.shared.tables import (
    LOCAL_OWNER,
    LOCAL_WORKSPACE,
    Arm,
    Artifact,
    EvaluationRow,
    Run,
    Study,
    TrainLossBlock,
    Workspace,
)


def arm_spec(toy: dict[str, Any]) -> ArmKeySpec:
    return ArmKeySpec(
        model=ModelRef(id="toy", revision="0"),
        dataset=DatasetRef(id="toy", content_hash="0"),
        task="classification",
        train_rows=16,
        validation_rows=16,
        probe_rows=16,
        method={"toy": toy},
        rank=8,
        alpha=16,
        target_modules=("query",),
        training=TrainingSpec(epochs=4),
    )


def plant(session: Write, toys: list[dict[str, Any]], seeds: int = 1, **study: Any) -> tuple[str, list[str]]:
    """A study with one arm for each toy plan; returns its id and its runs' ids in the order of the queue."""
    specs = [arm_spec({**toy, "arm": position}) for position, toy in enumerate(toys)]
    return plant_arms(session, specs, seeds, **study)


def plant_arms(session: Write, specs: list[ArmKeySpec], seeds: int = 1, **study: Any) -> tuple[str, list[str]]:
    """A study of these arms; returns its id and its runs' ids in the order of the queue."""
    if session.get(Workspace, LOCAL_WORKSPACE) is None:
        session.add(Workspace(id=LOCAL_WORKSPACE, name="local"))
        session.flush()
    study_id = new_id("study")
    owner = {"workspace_id": LOCAL_WORKSPACE, "created_by": LOCAL_OWNER}
    spec = {"name": "toys", "model": specs[0].model.id, "dataset": specs[0].dataset.id, "arms": [{"method": "none"}]}
    session.add(Study(id=study_id, name="toys", spec=spec, **owner, **study))
    session.flush()
    arm_ids = []
    for position, spec in enumerate(specs):
        arm_ids.append(new_id("arm"))
        session.add(
            Arm(
                id=arm_ids[-1],
                study_id=study_id,
                position=position,
                key=spec.key(),
                label=f"arm {position}",
                method=spec.method_name or "toy",
                spec=spec.model_dump(mode="json"),
            )
        )
    session.flush()
    run_ids = []
    for seed in range(seeds):
        for position, arm_id in enumerate(arm_ids):
            run_ids.append(new_id("run"))
            place = seed * len(arm_ids) + position
            priority = study.get("priority", 0)
            session.add(
                Run(
                    id=run_ids[-1],
                    study_id=study_id,
                    arm_id=arm_id,
                    seed=seed,
                    position=place,
                    priority=priority,
                    **owner,
                )
            )
    return study_id, run_ids


def digest(database: Database, home: Path, study_ids: list[str] | None = None) -> str:
    """SHA-256 over all of what must not depend on faults, by (seed, arm): losses, evaluations, what is kept.

    That is every deterministic metric of every evaluation, the training loss of every step, and each file of what each
    run left; times are left out. All studies, or those given.
    """
    sha = hashlib.sha256()
    columns = [getattr(EvaluationRow, metric.column) for metric in recorded() if metric.deterministic]
    with database.read() as session:
        runs = (
            select(Run.id, Run.seed, Arm.position, Run.status)
            .join(Arm, Arm.id == Run.arm_id)
            .order_by(Run.study_id, Run.position)
        )
        if study_ids is not None:
            runs = runs.where(Run.study_id.in_(study_ids))
        for run_id, seed, position, status in session.execute(runs).all():
            blocks = session.execute(
                select(TrainLossBlock.first_step, TrainLossBlock.losses)
                .where(TrainLossBlock.run_id == run_id)
                .order_by(TrainLossBlock.first_step)
            ).all()
            steps = [first + i for first, block in blocks for i in range(len(block) // 8)]
            evaluations = session.execute(
                select(EvaluationRow.step, EvaluationRow.epoch, *columns)
                .where(EvaluationRow.run_id == run_id)
                .order_by(EvaluationRow.step)
            )
            sha.update(f"{seed} {position} {status} {steps}".encode() + b"".join(block for _, block in blocks))
            sha.update(repr([tuple(row) for row in evaluations]).encode())
            left = select(Artifact.storage_key).where(Artifact.run_id == run_id).order_by(Artifact.kind)
            for (key,) in session.execute(left):
                for file in sorted((home / "artifacts" / key).iterdir()):
                    sha.update(file.name.encode() + file.read_bytes())
    return sha.hexdigest()
