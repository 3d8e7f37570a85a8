"""Confidence apart from answers: how true an arm's probabilities are, and what one temperature makes of its loss."""

from backend.comparison import schema
from backend.comparison.confidence import Confidence, apart, mean
from backend.comparison.words import plain, plus_minus

from .card import listed, spoken
from .contest import Contest
from .found import Found


def line(contest: Contest, confidence: Confidence, found: Found) -> str:
    """Say how far confidence is off with the baseline and with what is advised; "" where no ledger was read."""
    baseline = contest.baseline
    if mean(confidence, baseline, "last", "error") is None:
        return ""
    told = [(f"{spoken(baseline)} at its last step", mean(confidence, baseline, "last", "error"))]
    if found.clock == "stopped":
        told.append((f"{spoken(baseline)} stopped in time", mean(confidence, baseline, "stopped", "error")))
    shown = [arm for arm in _methods(contest, found) if arm is not baseline]
    told += [(f"{spoken(arm)} there", mean(confidence, arm, "last", "error")) for arm in shown[:1]]
    errors = [f"{plain(value, 0.05)} with {name}" for name, value in told if value is not None]
    first = f"Confidence is off by {', '.join(errors)} (expected calibration error; 0 is true)."
    return f"{first}{_scaled(contest, confidence, shown)}"


def _methods(contest: Contest, found: Found) -> list[schema.ArmComparison]:
    if found.to_the_end:
        return found.to_the_end
    if found.arm is not None and found.arm is not contest.baseline:
        return [found.arm]
    best = contest.leader([arm for arm in contest.others if not arm.counts.diverged], contest.loss)
    return [] if best is None else [best]


def _scaled(contest: Contest, confidence: Confidence, shown: list[schema.ArmComparison]) -> str:
    """Say what is left of the loss's difference at the last step once one temperature has set each run's confidence."""
    if not shown:
        return ""
    arm, baseline = shown[0], contest.baseline
    left = apart(confidence, arm, baseline, "last", "scaled")
    before = apart(confidence, arm, baseline, "last", "loss")
    if left.mean is None or left.half_width is None or before.mean is None:
        return ""
    spans = left.lo is not None and left.hi is not None and left.lo <= 0 <= left.hi
    size = plus_minus(left.mean, left.half_width, sign=True)
    rest = (
        ": what it lowers is overconfidence, which one number undoes as well"
        if spans and before.mean < 0
        else ": not all of it is confidence"
        if not spans
        else ""
    )
    return (
        f" After one temperature, fitted on other rows, {listed([arm])} differs from {spoken(baseline)} at the last "
        f"step by {size} in loss instead of {plus_minus(before.mean, None, sign=True)}{rest}."
    )
