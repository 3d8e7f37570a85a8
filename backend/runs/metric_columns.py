"""A run's measurements as the columns that the API answers."""

import difflib
from collections.abc import Sequence
from typing import cast

from backend.shared.errors import InvalidInput
from backend.shared.metrics import METRICS, Metric, also, recorded
from backend.shared.series import keep, kind_of
from backend.shared.tables import EvaluationRow

from .schemas import MetricSeries, NonFinite, RunMetrics, TrainLoss

TRAIN_LOSS = "train/loss_by_step"


def columns(
    run_id: str,
    evaluations: list[EvaluationRow],
    steps: Sequence[int],
    losses: Sequence[float],
    names: list[str] | None,
    points: int | None,
) -> RunMetrics:
    """Evaluations and step losses of a run; `points` None means every point. Raises InvalidInput for unknown names."""
    known = [*recorded(), *_further(evaluations)]
    wanted = known if names is None else _wanted(known, names)
    rows = _thinned(evaluations, wanted, points)
    show_losses = names is None or TRAIN_LOSS in names
    kept = keep(losses, points or len(losses)) if show_losses else []
    shown = [losses[i] for i in kept]
    return RunMetrics(
        run_id=run_id,
        steps=[row.step for row in rows],
        epochs=[row.epoch for row in rows],
        series=[_series(metric, rows) for metric in wanted],
        total_points=len(evaluations),
        thinned=len(rows) < len(evaluations),
        train_loss=TrainLoss(
            steps=[steps[i] for i in kept],
            values=[value if kind_of(value) is None else None for value in shown],
            nonfinite=_kinds([kind_of(value) for value in shown]),
            total_points=len(losses),
            thinned=show_losses and len(kept) < len(losses),
        ),
    )


def _further(evaluations: list[EvaluationRow]) -> list[Metric]:
    names = sorted({name for row in evaluations for name in row.extra})
    return [also(name) or Metric(name, name.replace("_", " ").replace("/", " "), "", None) for name in names]


def _wanted(known: list[Metric], names: list[str]) -> list[Metric]:
    by_name = {metric.name: metric for metric in known}
    for i, name in enumerate(names):
        if name not in by_name and name != TRAIN_LOSS:
            close = difflib.get_close_matches(name, [*by_name, TRAIN_LOSS], n=3) or sorted(by_name)
            raise InvalidInput(f"no metric is called '{name[:100]}'; there is {', '.join(close)}", f"/names/{i}")
    return [by_name[name] for name in dict.fromkeys(names) if name in by_name]


def _thinned(rows: list[EvaluationRow], wanted: list[Metric], points: int | None) -> list[EvaluationRow]:
    if points is None or len(rows) <= points:
        return rows
    kept: set[int] = set()
    for metric in wanted or recorded()[:1]:
        values = [value if (value := _value(row, metric)) is not None else float("nan") for row in rows]
        kept.update(keep(values, points))
    return [rows[i] for i in sorted(kept)]


def _value(row: EvaluationRow, metric: Metric) -> float | None:
    value = getattr(row, metric.column, None) if _has_column(metric) else row.extra.get(metric.name)
    return cast(float | None, value)


def _has_column(metric: Metric) -> bool:
    return METRICS.get(metric.name) is metric


def _series(metric: Metric, rows: list[EvaluationRow]) -> MetricSeries:
    key = metric.column if _has_column(metric) else metric.name
    return MetricSeries(
        name=metric.name,
        title=metric.title,
        unit=metric.unit,
        lower_is_better=metric.lower_is_better,
        deterministic=metric.deterministic,
        values=[_value(row, metric) for row in rows],
        nonfinite=_kinds([row.nonfinite.get(key) for row in rows]),
    )


def _kinds(kinds: list[str | None]) -> dict[int, NonFinite]:
    return {i: cast(NonFinite, kind) for i, kind in enumerate(kinds) if kind is not None}
