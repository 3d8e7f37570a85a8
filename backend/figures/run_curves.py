"""One run's rows made into the plain record that its charts are drawn from."""

import math
from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from backend.charts import RunCurves
from backend.shared.metrics import recorded
from backend.shared.schedule import Schedule
from backend.shared.specs import ArmKeySpec
from backend.shared.store import metrics
from backend.shared.tables import Arm, Run
from backend.studies.arm_labels import colour_key

FURTHER = ("train/gradient_norm",)  # drawn, but no column of their own


def run_curves(session: Session, run: Run, arm: Arm, event_seq: int) -> RunCurves:
    """Everything that was measured of a run, on full data. event_seq: where its study stands."""
    rows = metrics.evaluations(session, run.id)
    loss_steps, losses = metrics.train_losses(session, run.id)
    spec = ArmKeySpec.model_validate(arm.spec)
    training = spec.training
    return RunCurves(
        run_id=run.id,
        study_id=run.study_id,
        event_seq=event_seq,
        seed=run.seed,
        status=run.status,
        task=spec.task,
        colour_key=colour_key(
            arm.method,
            [(site["position"], site["structure"]) for site in spec.method.get("sites", ())],
            (spec.method.get("consistency") or {}).get("kind", "none"),
            bool(spec.method.get("native", False)),
        ),
        steps=np.array([row.step for row in rows], np.float64),
        metrics={metric.name: _column([getattr(row, metric.column) for row in rows]) for metric in recorded()}
        | {name: _column([row.extra.get(name) for row in rows]) for name in FURTHER},
        loss_steps=np.array(loss_steps, np.float64),
        losses=np.array(losses, np.float64),
        step=run.step,
        schedule=(Schedule.of(training, run.total_steps) if run.total_steps else None),
    )


def _column(values: Sequence[float | None]) -> np.ndarray:
    return np.array([math.nan if value is None else value for value in values], np.float64)
