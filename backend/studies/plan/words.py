"""A plan in plain words, as the preview and the comparison say it."""

from backend.shared.metrics import METRICS
from backend.shared.specs import PlanSpec

CLOCKS = {"last": "at each run's last evaluation", "stopped": "with each run stopped in time"}


def sentence(plan: PlanSpec, arms: int, baseline: str) -> str:
    """Say a whole plan: against what, by what, when, what does not matter, and what it keeps to."""
    assert plan.metric is not None
    assert plan.smallest is not None
    judged = "One arm is" if arms == 1 else f"{arms:,} arms are"
    against = baseline
    if plan.baselines is not None:
        against = f"the baseline of {'its' if arms == 1 else 'their'} rank ({', '.join(plan.baselines)})"
    race = ""
    if plan.race:
        race = " It is a race: seeds are added by themselves, and an arm that has its verdict gets no more."
    return (
        f"{judged} judged against {against} by {METRICS[plan.metric].words} {CLOCKS[plan.clock]}, "
        f"{looks(plan.looks or ())}. A difference under {size(plan.smallest, plan.metric)} does not matter. However "
        f"often one looks, an arm that is no better is called better in at most 1 study of 40.{race}"
    )


def looks(at: tuple[int, ...]) -> str:
    """Say when: "after 5 and 12 seeds"."""
    *first, last = map(str, at)
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"after {listed} seeds"


def size(value: float, metric: str) -> str:
    """Write a size of a difference with its unit: shares in percentage points."""
    known = METRICS[metric]
    if known.shown == "share":
        points = f"{100 * value:.3g}"
        return f"{points} percentage {'point' if points == '1' else 'points'}"
    return f"{value:.3g} {known.unit}".rstrip()
