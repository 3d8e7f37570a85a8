"""What training changed elsewhere, in a sentence for each data set; a difference is claimed where one is shown."""

import math
from collections.abc import Sequence

from backend.comparison import schema
from backend.comparison.words import DECIDES_FROM, number, plus_minus, several

Told = tuple[str, schema.Change]  # an arm's name, and how it stands at the clock


def sentence(
    dataset: str,
    loss: schema.MeasuredChange | None,
    shown: Sequence[str],
    base: int | None,
    clock: schema.Clock,
) -> str:
    """Return the sentence on a data set. shown: names of the arms.  base: index of the baseline."""
    arms = [] if loss is None else [_at(arm, clock) for arm in loss.arms]
    told = [(name, change) for name, change in zip(shown, arms, strict=False) if change is not None]
    if loss is None or base is None or not any(change.value.n or change.worst for _, change in told):
        return f"What training changes on {dataset} is known once runs have finished."
    where = "" if clock == "last" else " stopped in time"
    unit = " nats" if loss.unit.startswith("nats") else ""
    reference = arms[base]
    diverged = _diverged(told)
    if reference is None or reference.change.mean is None:
        return f"On {dataset} nothing can be compared yet: no run of {shown[base]} has a number there.{diverged}"
    others = [(name, change) for name, change in told if change is not reference]
    better = _decided(others, "lower")
    worse = _decided(others, "higher")
    plain = f"loss on {dataset} {_moved(reference.change, unit)} with {shown[base]}{where}"
    if not better and not worse:
        seeds = max((change.difference.n for _, change in others if change.difference), default=0)
        if not others:
            return f"{plain[0].upper()}{plain[1:]}.{diverged}"
        if seeds < DECIDES_FROM:
            return f"{plain[0].upper()}{plain[1:]}; {several(seeds, 'seed')} cannot tell the arms apart.{diverged}"
        moved = _moved(reference.change, unit)
        return f"No difference shown on {dataset}: its loss {moved} with {shown[base]}{where}.{diverged}"
    parts = [
        _claim(
            found,
            reference.change.mean,
            dataset,
            f"{shown[base]}{where and ', both' + where}",
            unit,
            is_better=is_better,
        )
        for found, is_better in ((better, True), (worse, False))
        if found
    ]
    return " ".join(parts) + diverged


def _at(arm: schema.ArmChange, clock: schema.Clock) -> schema.Change | None:
    return arm.last if clock == "last" else arm.stopped


def _decided(told: Sequence[Told], way: schema.Decision) -> list[Told]:
    """The arms that differ this way, the largest difference first."""
    found = [(name, change) for name, change in told if change.difference and change.difference.decided == way]
    return sorted(found, key=lambda one: -abs(_mean(one[1])))


def _mean(change: schema.Change) -> float:
    return 0.0 if change.difference is None or change.difference.mean is None else change.difference.mean


def _claim(found: Sequence[Told], reference: float, dataset: str, base: str, unit: str, *, is_better: bool) -> str:
    name, change = found[0]
    mine = 0.0 if change.change.mean is None else change.change.mean
    forgot = max(mine, reference) > 0
    verb = (
        ("forgot less" if is_better else "forgot more") if forgot else ("gained more" if is_better else "gained less")
    )
    digits = _digits(_mean(change))
    same_way = (mine > 0) == (reference > 0)
    instead = (
        number(abs(reference), digits)
        if same_way
        else ("rising" if reference > 0 else "falling") + " by " + number(abs(reference), digits)
    )
    size = change.difference.half_width if change.difference else None
    apart = plus_minus(_mean(change), size, sign=True)
    words = (
        f"{name} {verb} than {base}: loss on {dataset} {'rose' if mine > 0 else 'fell'} by {number(abs(mine), digits)} "
        f"instead of {instead}{unit} (difference {apart})."
    )
    more = [other for other, _ in found[1:]]
    return words if not more else f"{words} So did {_listed(more)}."


def _digits(difference: float) -> int:
    """Decimals with which two sizes that differ by this much do not read as the same: two at least, six at most."""
    return min(6, max(2, -math.floor(math.log10(abs(difference))))) if difference else 2


def _moved(change: schema.Estimate, unit: str) -> str:
    mean = 0.0 if change.mean is None else change.mean
    if mean == 0:
        return "did not change"
    size = plus_minus(abs(mean), change.half_width)
    return f"{'rose' if mean > 0 else 'fell'} by {size}{unit}"


def _diverged(told: Sequence[Told]) -> str:
    gone = [f"{several(change.worst, 'seed')} of {name}" for name, change in told if change.worst]
    return f" Diverged, the worst there is: {_listed(gone)}." if gone else ""


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
