"""The numbers that the table shows equal an independent computation from the study's own CSV export."""

import csv
import io
import math
from collections import defaultdict

import numpy as np
import pytest
from scipy import stats

from tests.e2e.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stack")]  # one stack for both files


def last_values(text: str) -> dict[str, dict[int, dict[str, float]]]:
    """arm → seed → the metrics of its last evaluation, read from the CSV with the standard library alone."""
    found: dict[str, dict[int, dict[str, float]]] = defaultdict(dict)
    for row in csv.DictReader(io.StringIO(text)):
        numbers = {name: float(value) for name, value in row.items() if "/" in name and value}
        seed, step = int(row["seed"]), int(row["step"])
        kept = found[row["arm"]].get(seed)
        if kept is None or step > kept["step"]:
            found[row["arm"]][seed] = {**numbers, "step": step}
    return found


def interval(values: list[float]) -> tuple[float, float]:
    """Mean and half width of the 95 % t interval."""
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    return float(np.mean(values)), float(high - low) / 2


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down adjustment, written from its definition."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def test_table_equals_scipy_on_the_export(stack: Stack, finished_study: str) -> None:
    """Means, t intervals, paired differences and Holm, from the raw rows."""
    with stack.http as http:
        comparison = http.get(f"/api/v1/studies/{finished_study}/comparison").json()
        exported = http.get(f"/api/v1/studies/{finished_study}/export.csv").text
    values = last_values(exported)
    measures = {
        "validation/loss": lambda v: v["validation/loss"],
        "gap": lambda v: v["validation/loss"] - v["probe/loss"],
        "validation/accuracy": lambda v: v["validation/accuracy"],
    }
    arms = comparison["arms"]
    baseline = next(arm for arm in arms if arm["is_baseline"])
    assert len(arms) == 4
    for name, measure in measures.items():
        raw: list[float] = []
        for arm in arms:
            seeds = values[arm["label"]]
            assert len(seeds) == 3
            mean, half = interval([measure(seeds[seed]) for seed in sorted(seeds)])
            assert arm["final"][name]["mean"] == pytest.approx(mean, rel=1e-9)
            assert arm["final"][name]["half_width"] == pytest.approx(half, rel=1e-6)
            if arm["id"] == baseline["id"]:
                continue
            mine = [measure(seeds[seed]) for seed in sorted(seeds)]
            theirs = [measure(values[baseline["label"]][seed]) for seed in sorted(seeds)]
            mean, half = interval(list(np.subtract(mine, theirs)))
            difference = arm["differences"][name]
            assert difference["mean"] == pytest.approx(mean, rel=1e-6, abs=1e-12)
            assert difference["half_width"] == pytest.approx(half, rel=1e-6)
            p = float(stats.ttest_rel(mine, theirs).pvalue)
            assert difference["p_t"] == pytest.approx(p, rel=1e-6)
            raw.append(p)
        shown = [arm["differences"][name]["p_holm"] for arm in arms if not arm["is_baseline"]]
        assert shown == pytest.approx(holm(raw), rel=1e-6)


def test_losses_are_what_training_gives(stack: Stack, finished_study: str) -> None:
    """The study trained for real: probe loss fell from about ln 2 in every run, and every evaluation is finite."""
    with stack.http as http:
        exported = http.get(f"/api/v1/studies/{finished_study}/export.csv").text
    for arm, seeds in last_values(exported).items():
        for seed, metrics in seeds.items():
            assert metrics["probe/loss"] < 0.9 * math.log(2), (arm, seed)
            assert all(math.isfinite(value) for value in metrics.values())
