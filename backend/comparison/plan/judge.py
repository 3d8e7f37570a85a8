"""Verdicts of all arms at the looks of a plan: group-sequential tests, Holm-type over the arms (Maurer & Bretz 2013).

Three families of one-sided tests, each at 2.5 %: an arm is better than the baseline, is better by more than matters, is
worse. In a family of m arms each is tested at a look with the bounds of level 2.5 % / m; each arm that passes leaves
its share to the others, at that look and all later ones. The chance that any arm is told better that is not stays at
2.5 %, over all looks; with "worse" 5 %, the level of a two-sided test. A look uses the first seeds only, so it says the
same whenever it is read, and an arm waits for nobody but its baseline: who is judged later can only add. Each arm may
have a baseline of its own.

The ends of an arm's interval are those of its tests at the look, so that it holds 0 where there is no verdict and does
not reach beyond what one says. No arm whose difference is as large as matters has an interval within it but in 5 % of
studies (2.5 % an end), whatever else is told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from backend.comparison.schema import VerdictKind
from backend.comparison.statistics.records import Floats
from backend.studies.plan.bounds import nominal_levels

from .evidence import Pairs

LEVEL = 0.025  # of each family, one-sided
FINAL = ("better_by_more", "better", "no_difference", "worse")  # an arm of a race with one of these gets no more seeds
_Family = Literal["better", "more", "worse"]


@dataclass(frozen=True)
class Judged:
    """An arm's verdict at the look of `seeds` seeds (0: at none yet), and its interval there, turned to lower = better.

    mean: over the pairs of the look whose difference is a number. lo, hi: None where there is no such end.
    """

    kind: VerdictKind
    seeds: int
    mean: float | None
    lo: float | None
    hi: float | None


def judge(arms: Floats, baseline: Floats, looks: Sequence[int], smallest: float, level: float = LEVEL) -> list[Judged]:
    """Return each arm's verdict. arms: [arms, seeds], turned so that lower is better; baseline: [seeds], or one for
    each arm, [arms, seeds].

    NaN: not trained yet, or lost; +inf: diverged. An arm is judged at a look when no value of its first seeds is NaN,
    and none of the baseline's. looks: rising, the last one at the plan's most seeds. smallest: what matters, above 0.
    """
    against = np.broadcast_to(baseline, arms.shape)
    found = [Judged("not_yet", 0, None, None, None) for _ in arms]
    passed: dict[_Family, set[int]] = {"better": set(), "more": set(), "worse": set()}
    for place, n in enumerate(looks):
        pairs = {
            i: Pairs.of(row[:n], base[:n])
            for i, (row, base) in enumerate(zip(arms, against, strict=True))
            if len(row) >= n and not np.isnan([row[:n], base[:n]]).any()
        }
        if not pairs:
            break  # and no later look either: it needs the same seeds and more

        def bound(share: int, at: int = place) -> float:
            return nominal_levels(tuple(looks), level / share)[at]

        tests: tuple[tuple[_Family, Callable[[Pairs], float]], ...] = (
            ("better", lambda one: one.p_below(0.0)),
            ("more", lambda one: one.p_below(-smallest)),
            ("worse", lambda one: one.p_above(0.0)),
        )
        for family, test in tests:
            _pass_on(passed[family], {i: test(one) for i, one in pairs.items()}, bound, len(arms))
        left = {family: bound(max(1, len(arms) - len(who))) for family, who in passed.items()}
        last = place == len(looks) - 1
        for i, one in pairs.items():
            found[i] = _at_look(i, one, found[i], passed, left, smallest, n, last=last)
    return found


def _pass_on(passed: set[int], p: dict[int, float], bound: Callable[[int], float], arms: int) -> None:
    """Add to `passed` who passes at this look: each one that does lowers what the others have to pass."""
    while len(passed) < arms:
        limit = bound(arms - len(passed))
        fresh = {i for i, value in p.items() if value <= limit} - passed
        if not fresh:
            return
        passed |= fresh


def _at_look(
    i: int,
    pairs: Pairs,
    before: Judged,
    passed: dict[_Family, set[int]],
    left: dict[_Family, float],
    smallest: float,
    n: int,
    *,
    last: bool,
) -> Judged:
    """One arm at one look. What was told stays; a later look may say how much better, or that a seed diverged since."""
    hi, lo = pairs.below(left["better"]), pairs.above(left["worse"])
    more = i in passed["more"]
    if hi is not None and hi < -smallest and not more:
        hi = -smallest  # the test of more than matters is the stricter one
    kind: VerdictKind = "cannot_tell" if last else "not_yet"
    if hi is not None and lo is not None and -smallest < lo and hi < smallest:
        kind = "no_difference"
    elif more:
        kind = "better_by_more"
    elif i in passed["better"]:
        kind = "better"
    elif i in passed["worse"]:
        kind = "worse"
    if before.kind == "worse" or not pairs.arm_fails:
        settled = before.kind in ("better_by_more", "no_difference")
        told = before.kind in ("better", "worse") and kind not in ("better_by_more", "no_difference")
        if settled or told:
            return before
    elif kind in ("better_by_more", "better"):
        kind = "cannot_tell" if last else "not_yet"
    return Judged(kind, n, pairs.mean, lo, hi)
