"""Runs, their measurements, logs and artifacts as the API answers them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.edge.answers import JsonObject, Out
from backend.shared.run_status import AttemptEnd, FailureCode, RunStatus
from backend.shared.specs import RunSpec
from backend.shared.trainer_protocol import Example

NonFinite = Literal["nan", "inf", "-inf"]


class RunSummary(Out):
    """One line of a list of runs."""

    id: str
    study_id: str
    arm_id: str
    arm_label: str
    method: str
    seed: int
    position: int
    status: RunStatus
    failure_code: FailureCode | None
    message: str | None
    step: int
    total_steps: int
    progress: float = Field(description="step / total_steps, 0 to 1; 1 of a run that has succeeded.")
    attempt: int
    cancel_requested: bool
    worker_id: str | None
    seconds: float = Field(description="Spent training, all attempts.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class AttemptOut(Out):
    """One claim of a run by a worker, and why it ended."""

    fence: int
    worker_id: str
    from_step: int
    started_at: datetime
    ended_at: datetime | None
    end: AttemptEnd | None
    message: str | None


class RunDetail(RunSummary):
    """A run with what it was asked to do, what was recorded, and its attempts."""

    started_by: str | None = Field(description="Name of the person who asked for it; null without accounts.")
    spec: RunSpec
    checkpoint_step: int | None
    trainable_parameters: int | None
    record: JsonObject | None = Field(description="Hooks (sites × layers), precision, device, mask stream, versions.")
    final: JsonObject | None = Field(description="Recorded once at the end, such as validation/loss_fp32 and FLOPs.")
    attempts: list[AttemptOut]


class RunExamples(Out):
    """Validation examples of a run that has succeeded; empty lists before. Texts are data, never markup."""

    best: tuple[Example, ...] = Field(description="Least loss first.")
    worst: tuple[Example, ...] = Field(description="Greatest loss first.")
    generated: tuple[Example, ...] = Field(description="What a causal LM run generated, with its right answers.")


class MetricSeries(Out):
    """One metric at the steps of `RunMetrics.steps`."""

    name: str
    title: str
    unit: str
    lower_is_better: bool | None
    deterministic: bool
    values: list[float | None] = Field(description="null: not measured, or not finite (then named in `nonfinite`).")
    nonfinite: dict[int, NonFinite] = Field(description="Index into `values` → what the number was.")


class TrainLoss(Out):
    """Training loss step by step, dropout active."""

    steps: list[int]
    values: list[float | None]
    nonfinite: dict[int, NonFinite]
    total_points: int
    thinned: bool = Field(description="Fewer points than measured; each bucket keeps its smallest and largest.")


class RunMetrics(Out):
    """The measurements of a run as columns."""

    run_id: str
    steps: list[int]
    epochs: list[float]
    series: list[MetricSeries]
    total_points: int
    thinned: bool
    train_loss: TrainLoss


class LogLine(Out):
    """One line of a run's log."""

    seq: int
    at: datetime
    level: str
    text: str
