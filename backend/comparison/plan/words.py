"""Verdicts in words: what is told, from where to where, after how many seeds, and who diverged."""

from backend.comparison.schema import VerdictKind
from backend.comparison.words import plain, several
from backend.shared.metrics import METRICS
from backend.studies.plan.words import size

from .judge import Judged

NOT_JUDGED = "Not judged by the plan: the arm came later, or was left out of it."
TITLES: dict[VerdictKind, str] = {
    "better_by_more": "better by more than it matters",
    "better": "better",
    "no_difference": "no difference that matters",
    "worse": "worse",
    "not_yet": "not yet",
    "cannot_tell": "cannot tell with this plan",
}


def sentence(
    found: Judged,
    metric: str,
    smallest: float,
    *,
    next_look: int | None,
    diverged: int,
    runs: int,
    lost: str,
    against: str = "",
) -> str:
    """Say a verdict. found: in units of the metric. next_look: the arm's next, None after the last.

    diverged: how many of its `runs` runs did. lost: the sentence of a run that keeps it waiting, "" where none does.
    against: the baseline it is judged against, "" where there is one for all.
    """
    matters = size(smallest, metric)
    measured = _measured(found, metric)
    after = f"after {several(found.seeds, 'seed')}"
    told = {
        "better_by_more": f"Better by more than it matters ({matters}): {measured} {after}.",
        "better": f"Better: {measured} {after}; whether by more than {matters} is open.",
        "no_difference": f"No difference that matters: {measured} {after}, within {matters} either way.",
        "worse": f"Worse: {measured} {after}.",
        "not_yet": "Not yet" + (f": {measured} {after}." if found.seeds else "."),
        "cannot_tell": f"Cannot tell with this plan: {measured} {after}, its last look.",
    }[found.kind]
    if found.kind == "not_yet" and next_look is not None:
        told += f" The next look is at {next_look} seeds."
    if diverged:
        told += f" {diverged} of {several(runs, 'seed')} diverged, the worst outcome there is: no verdict of better."
    told += f" Judged against {against}." if against else ""
    return told + (f" {lost}" if lost else "")


def beyond(found: Judged, metric: str, first_look: int) -> str:
    """Say what the plan's looks let one say of a quantity that it does not judge by."""
    if not found.seeds:
        return f"Not looked at yet: the first look is after {first_look} seeds."
    clear = found.kind in ("better", "better_by_more", "worse")
    noise = (
        "clear of seed noise, though it is not what the plan judges by" if clear else "not told apart from seed noise"
    )
    told = _measured(found, metric)
    return f"{told[:1].upper()}{told[1:]} after {several(found.seeds, 'seed')}: {noise}."


def _measured(found: Judged, metric: str) -> str:
    known, name = METRICS[metric], METRICS[metric].words
    if found.mean is None:
        return f"no {name} to compare"
    share = 100.0 if known.shown == "share" else 1.0
    scale = None if found.lo is None or found.hi is None else share * (found.hi - found.lo) / 2
    unit = " percentage points" if share > 1 else ""
    way = "the same" if found.mean == 0 else "lower" if found.mean < 0 else "higher"
    by = "" if found.mean == 0 else f" by {plain(share * abs(found.mean), scale)}{unit}"
    if found.lo is None or found.hi is None:
        return f"{name} {way}{by}"
    ends = f"{_signed(share * found.lo, scale)} to {_signed(share * found.hi, scale)}"
    return f"{name} {way}{by} (interval {ends})"


def _signed(value: float, scale: float | None) -> str:
    text = plain(value, scale)
    return f"+{text}" if value > 0 and any(digit in text for digit in "123456789") else text
