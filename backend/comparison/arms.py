"""One arm's part of the comparison that needs no other arm: counts, curves, values at both clocks, and cost."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

import numpy as np

from . import schema
from .statistics.grid import ArmGrid
from .statistics.intervals import Columns, Interval, column_statistics, t_interval
from .statistics.records import Floats, RunRecord

X_METRIC = {"tokens": "train/tokens", "seconds": "train/seconds"}


@dataclass(frozen=True)
class Cost:
    """Mean cost of an arm's finished runs."""

    n: int
    seconds: float | None
    flops: float | None


def numbers(values: Floats) -> list[float | None]:
    """Return a list that JSON can carry: None where a number does not exist."""
    listed: list[float | None] = values.tolist()
    return listed if np.isfinite(values).all() else [v if v is not None and isfinite(v) else None for v in listed]


def counts(statuses: Iterable[str], excluded: int, diverged: int) -> schema.Counts:
    """Count runs by status."""
    by = Counter(statuses)
    names = ("queued", "running", "succeeded", "failed", "cancelled")
    return schema.Counts(
        total=sum(by.values()), excluded=excluded, diverged=diverged, **{name: by[name] for name in names}
    )


def arm_counts(grid: ArmGrid) -> schema.Counts:
    """Count an arm's runs; `excluded` are those that ended without entering its final values."""
    ended = [
        run.status in ("succeeded", "failed", "cancelled") and reason is not None
        for run, reason in zip(grid.runs, grid.exclusions, strict=True)
    ]
    return counts((run.status for run in grid.runs), sum(ended), len(grid.diverged))


def runs(grid: ArmGrid) -> list[schema.RunInArm]:
    """List an arm's runs with what they are counted in."""
    return [
        schema.RunInArm(
            run_id=run.id,
            seed=run.seed,
            status=run.status,
            step=run.step,
            total_steps=run.total_steps,
            counted=counted,
            finished=reason is None,
            reason=reason,
            kept_step=int(kept) if np.isfinite(kept) else None,
        )
        for run, counted, reason, kept in zip(
            grid.runs, grid.in_curves, grid.exclusions, grid.stopped_steps, strict=True
        )
    ]


def x_values(grid: ArmGrid, x: schema.XAxis) -> Floats:
    """Return the x position of every step, float64 [S]: the mean over the seeds where seeds differ."""
    if x == "step":
        return grid.step.astype(np.float64)
    values = grid.epoch if x == "epoch" else grid.quantity(X_METRIC[x])
    return column_statistics(values[list(grid.in_curves)]).mean


def curve(grid: ArmGrid, names: Iterable[schema.SeriesName], x: Floats, band: schema.Band) -> schema.Curve | None:
    """Return an arm's curves, None before its first evaluation. Means are over all runs that did not fail."""
    if len(grid.step) == 0:
        return None
    rows = list(grid.in_curves)
    made = {}
    for name in names:
        values = grid.quantity(name)
        columns = column_statistics(values[rows])
        lo, hi = _band(columns, band)
        made[name] = schema.Series(
            n=columns.n.tolist(),
            mean=numbers(columns.mean),
            lo=numbers(lo),
            hi=numbers(hi),
            sd=numbers(columns.sd),
            min=numbers(columns.min),
            max=numbers(columns.max),
            values=[numbers(row) for row in values],
        )
    return schema.Curve(step=grid.step.tolist(), x=numbers(x), series=made)


def _band(columns: Columns, band: schema.Band) -> tuple[Floats, Floats]:
    if band == "t":
        return columns.mean - columns.half_width, columns.mean + columns.half_width
    if band == "sd":
        return columns.mean - columns.sd, columns.mean + columns.sd
    nothing = np.full(columns.mean.shape, np.nan)
    if band == "minmax":
        several_runs = columns.n > 1
        return np.where(several_runs, columns.min, nothing), np.where(several_runs, columns.max, nothing)
    return nothing, nothing


def estimate(grid: ArmGrid, values: Floats) -> schema.Estimate:
    """Return mean, interval and seeds of `values`, float64 [R]; NaN where a run has none."""
    return told(grid.runs, t_interval(values), values)


def told(runs: Iterable[RunRecord], interval: Interval, values: Floats) -> schema.Estimate:
    """Return an interval together with the own values, float64 [R], of the runs [R] that it is over."""
    return schema.Estimate(
        n=interval.n,
        mean=interval.mean,
        lo=interval.lo,
        hi=interval.hi,
        half_width=interval.half_width,
        sd=interval.sd,
        seeds=[
            schema.SeedValue(seed=run.seed, run_id=run.id, value=value)
            for run, value in zip(runs, values.tolist(), strict=True)
            if isfinite(value)
        ],
    )


def final(grid: ArmGrid, names: Iterable[schema.SeriesName]) -> dict[schema.SeriesName, schema.Estimate]:
    """Return the values at the last evaluation, the primary comparison."""
    nothing = np.full(len(grid.runs), np.nan)
    step = grid.final_step
    return {name: estimate(grid, nothing if step is None else grid.column(name, step)) for name in names}


def stopped(
    grid: ArmGrid,
    names: Iterable[schema.SeriesName],
    differences: dict[schema.SeriesName, schema.Difference],
    last_against_stopped: dict[schema.SeriesName, schema.Difference],
) -> schema.Stopped | None:
    """Return the arm with every run stopped at its best evaluation; None where no finished run recorded halves."""
    steps = grid.stopped_steps[np.isfinite(grid.stopped_steps)]
    if not len(steps):
        return None
    return schema.Stopped(
        kept_by="loss" if grid.kept_by == "loss" else "score",
        step=schema.StoppedStep(
            n=len(steps), median=float(np.median(steps)), first=int(steps.min()), last=int(steps.max())
        ),
        final={name: found for name in names if (found := estimate(grid, grid.stopped(name))).n},
        differences=differences,
        last_against_stopped=last_against_stopped,
    )


def best_validation(grid: ArmGrid) -> tuple[schema.Estimate, float | None]:
    """Return every finished run's smallest validation loss (optimistic) and the median step where it lies."""
    lowest = np.full(len(grid.runs), np.nan)
    steps = []
    losses = grid.quantity("validation/loss")
    for i in grid.finished:
        at = int(np.nanargmin(losses[i]))
        lowest[i] = losses[i, at]
        steps.append(int(grid.step[at]))
    return estimate(grid, lowest), float(np.median(steps)) if steps else None


def cost(grid: ArmGrid) -> Cost:
    """Return the mean seconds and FLOPs of the finished runs."""
    members = [grid.runs[i] for i in grid.finished]
    return Cost(len(members), _mean([run.seconds for run in members]), _mean([run.flops for run in members]))


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None and np.isfinite(value)]
    return sum(known) / len(known) if known else None
