"""A study's numbers computed anew from its CSV export, with SciPy and the definitions alone: nothing of the product."""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
import pytest
from scipy import stats

Row = dict[str, float]
MEASURES: dict[str, Callable[[Row], float]] = {
    "validation/loss": lambda row: row["validation/loss"],
    "gap": lambda row: row["validation/loss"] - row["probe/loss"],
    "validation/accuracy": lambda row: row["validation/accuracy"],
}


def histories(text: str) -> dict[str, dict[int, list[Row]]]:
    """arm → seed → its evaluations by step, of the runs that succeeded."""
    found: dict[str, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in csv.DictReader(io.StringIO(text)):
        if row["status"] == "succeeded":
            numbers = {name: float(value) for name, value in row.items() if "/" in name and value}
            found[row["arm"]][int(row["seed"])].append({**numbers, "step": int(row["step"])})
    for seeds in found.values():
        for rows in seeds.values():
            rows.sort(key=lambda row: row["step"])
    return {arm: dict(seeds) for arm, seeds in found.items()}


def interval(values: list[float]) -> tuple[float, float]:
    """Mean and half width of the 95 % t interval."""
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    return float(np.mean(values)), float(high - low) / 2


def sign_flip(differences: list[float]) -> float:
    """The exact two-sided p over all 2ⁿ sign patterns, by SciPy's permutation test of paired samples."""
    zeros = np.zeros(len(differences))
    test = stats.permutation_test(
        (np.array(differences), zeros),
        lambda left, right, axis: np.mean(left - right, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    return float(test.pvalue)


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down adjustment, written from its definition."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def onset(rows: list[Row]) -> float | None:
    """The step of the validation minimum, if two later evaluations at least, and all of them, lie above it by one
    standard error while the probe loss lies below its value there.
    """
    best = min(rows, key=lambda row: row["validation/loss"])
    later = [row for row in rows if row["step"] > best["step"]]
    bar = best["validation/loss"] + best["validation/loss_se"]
    rises = all(row["validation/loss"] > bar and row["probe/loss"] < best["probe/loss"] for row in later)
    return best["step"] if len(later) >= 2 and rises else None


_HALVES = (("validation_a/loss", "validation_b/loss"), ("validation_b/loss", "validation_a/loss"))


def stopped(rows: list[Row]) -> float:
    """A run's loss on one half of the rows where the other half has its first minimum, both ways averaged."""
    return float(np.mean([min(rows, key=lambda row: row[chooser])[told] for chooser, told in _HALVES]))


def rises(runs: list[list[Row]]) -> list[float]:
    """Each seed's last quarter of evaluations less its low, a quarter as long and before it: where the other seeds'
    mean on the other half is smallest (its own, where there are fewer than three seeds).
    """
    looks = len(runs[0])
    wide = max(1, math.floor(looks / 4 + 0.5))
    found = []
    for one, rows in enumerate(runs):
        apart = []
        for chooser, told in _HALVES:
            asked = [rows] if len(runs) < 3 else [other for at, other in enumerate(runs) if at != one]
            lows = range(looks - 2 * wide + 1)
            low = min(lows, key=lambda at: sum(other[at + i][chooser] for other in asked for i in range(wide)))
            end, least = rows[-wide:], rows[low : low + wide]
            apart.append(np.mean([row[told] for row in end]) - np.mean([row[told] for row in least]))
        found.append(float(np.mean(apart)))
    return found


def agrees(comparison: dict[str, Any], exported: str, names: Sequence[str] = tuple(MEASURES)) -> None:
    """Assert that every number of a comparison is the one that the export gives; `names` vary between seeds."""
    history = histories(exported)
    arms = comparison["arms"]
    baseline = next(arm for arm in arms if arm["is_baseline"])
    for arm in arms:
        runs = [rows for _, rows in sorted(history[arm["label"]].items())]
        if "validation_a/loss" in runs[0][0]:
            assert [one["value"] for one in arm["overfitting"]["amount"]["seeds"]] == pytest.approx(rises(runs))
            told = arm["stopped"]["final"]["validation/loss"]["seeds"]
            assert [one["value"] for one in told] == pytest.approx([stopped(rows) for rows in runs])
            continue
        steps = [step for rows in runs if (step := onset(rows)) is not None]
        assert (arm["overfitting"]["k"], arm["overfitting"]["n"]) == (len(steps), len(runs))
        assert arm["overfitting"]["step"] == (median(steps) if steps else None)
    for name in names:
        measure = MEASURES[name]
        raw: list[float] = []
        for arm in arms:
            last = {seed: measure(rows[-1]) for seed, rows in history[arm["label"]].items()}
            estimate = arm["final"][name]
            assert estimate["n"] == len(last)
            mean, half = interval(list(last.values()))
            assert estimate["mean"] == pytest.approx(mean, rel=1e-9)
            assert estimate["half_width"] == pytest.approx(half, rel=1e-6)
            if arm["id"] == baseline["id"]:
                continue
            base = {seed: measure(rows[-1]) for seed, rows in history[baseline["label"]].items()}
            both = sorted(set(last) & set(base))
            raw.append(_difference_agrees(arm["differences"][name], [last[s] for s in both], [base[s] for s in both]))
        shown = [arm["differences"][name]["p_holm"] for arm in arms if not arm["is_baseline"]]
        assert shown == pytest.approx(holm(raw), rel=1e-6)


def _difference_agrees(shown: dict[str, Any], mine: list[float], theirs: list[float]) -> float:
    differences = [float(value) for value in np.subtract(mine, theirs)]
    mean, half = interval(differences)
    assert shown["n"] == len(differences)
    assert shown["mean"] == pytest.approx(mean, rel=1e-6, abs=1e-12)
    assert shown["half_width"] == pytest.approx(half, rel=1e-6)
    p = float(stats.ttest_rel(mine, theirs).pvalue)
    assert shown["p_t"] == pytest.approx(p, rel=1e-6)
    assert shown["p_sign_flip"] == pytest.approx(sign_flip(differences), rel=1e-9)
    assert shown["smallest_p"] == pytest.approx(2 / 2 ** len(differences))
    assert shown["p_sign_flip"] >= shown["smallest_p"] - 1e-12
    correlation = float(stats.pearsonr(mine, theirs).statistic)
    assert shown["seed_correlation"] == pytest.approx(correlation, rel=1e-6, abs=1e-9)
    assert math.isfinite(p)
    return p
