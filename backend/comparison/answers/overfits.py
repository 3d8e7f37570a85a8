"""Does it overfit: where the baseline's validation loss turns up for good, and what the end costs."""

from backend.comparison import schema
from backend.comparison.words import amount, several

from .card import WAITING, card, pending, spoken
from .contest import Contest


def overfits(contest: Contest) -> schema.Answer:
    """Return the answer for the baseline."""
    baseline = contest.baseline
    onset, gap = baseline.onset, baseline.final["gap"]
    name = spoken(baseline)
    if onset.n == 0 and not pending([baseline]):
        text = f"No run of {name} finished: its runs say why. Choose another baseline, or retry them."
        return card("overfits", WAITING, text, "waiting", baseline)
    if onset.n == 0 or gap.mean is None:
        return card("overfits", WAITING, f"Waiting for the first finished run of {name}.", "waiting", baseline)
    size = amount(gap.mean, gap.half_width, "gap")
    fits = f"at the end the model fits its training rows {size} {'better' if gap.mean >= 0 else 'worse'} than new ones"
    if onset.step is None:
        text = f"With {name}, validation loss does not turn up for good in {several(onset.n, 'seed')}; {fits}."
        return card("overfits", "The loss does not climb back", text, "plain", baseline)
    share = f"all {onset.n} seeds" if onset.k == onset.n > 1 else f"{onset.k} of {several(onset.n, 'seed')}"
    where = lowest_between(baseline)
    headline = f"Yes, {where}" if 2 * onset.k > onset.n else f"In {share}"
    text = f"With {name}, validation loss is lowest {where} and turns up for good in {share}{_rise(baseline)}; {fits}."
    return card("overfits", headline, text, "plain", baseline)


def lowest_between(arm: schema.ArmComparison) -> str:
    """Name the evaluations around the onset: nobody looked between them."""
    step = arm.onset.step
    assert step is not None
    steps = [] if arm.curve is None else arm.curve.step
    before = max((one for one in steps if one < step), default=None)
    after = min((one for one in steps if one > step), default=None)
    if before is None:
        return f"before step {after:,}" if after is not None else f"near step {step:g}"
    return f"after step {before:,}" if after is None else f"between steps {before:,} and {after:,}"


def _rise(arm: schema.ArmComparison) -> str:
    best, last = arm.best_validation.mean, arm.final["validation/loss"].mean
    return (
        ""
        if best is None or last is None
        else f", {amount(last - best, None, 'validation/loss')} above its minimum at the end"
    )
