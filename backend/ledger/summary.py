"""Ledgers of a study's runs made into what is said of each arm. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backend.shared.specs import Clock

from .rows import Ledger, Rows, Split
from .schema import ArmLedger, Calibration, CrossedComponents, McNemar, Scaled, Together
from .statistics import agreement, calibration, components

_EDGES = (2.5, 97.5)


@dataclass(frozen=True)
class ArmRuns:
    """The ledgers of one arm's runs by seed; of one run alone where `run_id` names it."""

    arm_id: str
    name: str
    runs: dict[int, Ledger]
    run_id: str | None = None


def arms(found: Sequence[ArmRuns], baseline: str | None, clock: Clock, split: Split) -> list[ArmLedger]:
    """What is said of each arm; the baseline's id where there is one to compare with."""
    base = next((arm for arm in found if arm.arm_id == baseline), None)
    return [_arm(arm, base, clock, split) for arm in found]


def _arm(arm: ArmRuns, base: ArmRuns | None, clock: Clock, split: Split) -> ArmLedger:
    mine = {seed: ledger[clock, split] for seed, ledger in sorted(arm.runs.items()) if (clock, split) in ledger}
    rows = list(mine.values())
    theirs = (
        {}
        if base is None or base is arm
        else {s: led[clock, split] for s, led in base.runs.items() if (clock, split) in led}
    )
    ledgers = [arm.runs[seed] for seed in mine]
    return ArmLedger(
        arm_id=arm.arm_id,
        name=arm.name,
        is_baseline=base is arm,
        runs=len(rows),
        rows=len(rows[0].loss) if rows else 0,
        loss=_mean([_weighted_loss(one) for one in rows]),
        accuracy=_mean([share for one in rows if (share := _accuracy(one)) is not None]),
        calibration=_calibration(rows, ledgers, clock, split),
        together=_together(rows),
        against_baseline=_against(rows, list(theirs.values())),
        components=_components(mine, theirs),
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _weighted_loss(rows: Rows) -> float:
    """The mean over units: rows, or completion tokens."""
    return float(np.average(rows.loss, weights=rows.units) if rows.units is not None else rows.loss.mean())


def _accuracy(rows: Rows) -> float | None:
    if rows.accuracy is not None:
        return float(np.average(rows.accuracy, weights=rows.units))
    return None if rows.right is None else float(rows.right.mean())


def _calibration(rows: Sequence[Rows], ledgers: Sequence[Ledger], clock: Clock, split: Split) -> Calibration | None:
    if not rows or any(one.logits is None or one.classes is None for one in rows):
        return None
    pairs = [(one.logits, one.classes) for one in rows if one.logits is not None and one.classes is not None]
    weights = calibration.resamples(len(rows[0].loss))
    errors = np.mean([calibration.calibration_error(logits, label, weights) for logits, label in pairs], axis=0)
    lo, hi = np.percentile(errors, _EDGES)
    return Calibration(
        brier=float(np.mean([calibration.brier(*pair) for pair in pairs])),
        calibration_error=float(np.mean([calibration.calibration_error(*pair)[0] for pair in pairs])),
        calibration_error_lo=float(lo),
        calibration_error_hi=float(hi),
        scaled=_scaled(pairs, ledgers, clock, split),
    )


def _scaled(
    pairs: Sequence[tuple[calibration.Floats, calibration.Ints]],
    ledgers: Sequence[Ledger],
    clock: Clock,
    split: Split,
) -> Scaled | None:
    fitted: list[calibration.Fitted] = []
    for (logits, label), ledger in zip(pairs, ledgers, strict=True):
        held = ledger.get((clock, "validation"))
        if split == "test" and held is not None and held.logits is not None and held.classes is not None:
            fitted.append(calibration.scaled_elsewhere((held.logits, held.classes), (logits, label)))
        elif (crosswise := calibration.scaled_crosswise(logits, label)) is not None:
            fitted.append(crosswise)
    if len(fitted) < len(pairs):
        return None

    def mean(part: Callable[[calibration.Fitted], float]) -> float:
        return float(np.mean([part(one) for one in fitted]))

    return Scaled(
        temperature=float(np.exp(mean(lambda one: float(np.log(one.temperature))))),
        loss_before=mean(lambda one: one.loss_before),
        loss=mean(lambda one: one.loss),
        calibration_error=mean(lambda one: one.error),
        fitted_on="validation" if split == "test" else "halves",
    )


def _together(rows: Sequence[Rows]) -> Together | None:
    classes = [one.predicted for one in rows if one.right is not None and one.predicted is not None]
    if len(classes) < 2:
        return None
    whole = _ensemble(rows)
    return Together(
        seeds=len(classes),
        alike=agreement.alike(np.array(classes)),
        ensemble_loss=None if whole is None else whole.loss,
        ensemble_accuracy=None if whole is None else whole.accuracy,
    )


def _ensemble(rows: Sequence[Rows]) -> agreement.Ensemble | None:
    logits = [one.logits for one in rows if one.logits is not None]
    if not rows or len(logits) < len(rows) or rows[0].classes is None:
        return None
    return agreement.ensemble(np.array(logits), rows[0].classes)


def _against(mine: Sequence[Rows], theirs: Sequence[Rows]) -> McNemar | None:
    one, two = _ensemble(mine), _ensemble(theirs)
    if one is None or two is None or len(one.right) != len(two.right):
        return None
    found = agreement.mcnemar(one.right, two.right)
    return McNemar(only_this=found.only_first, only_baseline=found.only_second, p=found.p)


def _components(mine: dict[int, Rows], theirs: dict[int, Rows]) -> CrossedComponents | None:
    seeds = sorted(mine.keys() & theirs.keys())
    if not seeds or len({len(side[seed].loss) for side in (mine, theirs) for seed in seeds}) > 1:
        return None
    found = components.crossed(np.array([mine[seed].loss - theirs[seed].loss for seed in seeds]))
    return None if found is None else CrossedComponents.model_validate(found, from_attributes=True)
