"""Does it overfit: by how much the baseline's validation loss ends above its low, and where that low lies."""

from backend.comparison import schema
from backend.comparison.overfitting import between
from backend.comparison.words import amount, several

from .card import WAITING, State, card, pending, spoken
from .contest import Contest

_OLDER = " Judged look by look, for want of halves of the validation rows: more evaluations find less."


def overfits(contest: Contest) -> schema.Answer:
    """Return the answer for the baseline."""
    baseline = contest.baseline
    found, gap = baseline.overfitting, baseline.final["gap"]
    name = spoken(baseline)
    if found.n == 0 and not pending([baseline]):
        text = f"No run of {name} finished: its runs say why. Choose another baseline, or retry them."
        return card("overfits", WAITING, text, "waiting", baseline)
    if found.n == 0 or gap.mean is None:
        return card("overfits", WAITING, f"Waiting for the first finished run of {name}.", "waiting", baseline)
    size = amount(gap.mean, gap.half_width, "gap")
    fits = f"at the end the model fits its training rows {size} {'better' if gap.mean >= 0 else 'worse'} than new ones"
    if found.rule == "halves":
        return _by_halves(baseline, name, fits)
    return _look_by_look(baseline, name, fits)


def _by_halves(baseline: schema.ArmComparison, name: str, fits: str) -> schema.Answer:
    found = baseline.overfitting
    heads = {
        "rises": f"Yes, {lowest_between(baseline)}",
        "not_shown": "No lasting rise is shown",
        "unstable": "It becomes unstable",
        "untold": "Too early to tell",
    }
    state: State = "waiting" if found.state == "untold" else "plain"
    sentence = found.sentence[0].lower() + found.sentence[1:].rstrip(".")
    text = f"With {name}, {sentence}; {fits}."
    return card("overfits", heads[found.state], text, state, baseline)


def _look_by_look(baseline: schema.ArmComparison, name: str, fits: str) -> schema.Answer:
    found = baseline.overfitting
    if found.step is None:
        text = f"With {name}, validation loss does not turn up for good in {several(found.n, 'seed')}; {fits}.{_OLDER}"
        return card("overfits", "The loss does not climb back", text, "plain", baseline)
    share = f"all {found.n} seeds" if found.k == found.n > 1 else f"{found.k} of {several(found.n, 'seed')}"
    where = lowest_between(baseline)
    headline = f"Yes, {where}" if 2 * found.k > found.n else f"In {share}"
    text = (
        f"With {name}, validation loss is lowest {where} and turns up for good in {share}{_rise(baseline)}; {fits}."
        f"{_OLDER}"
    )
    return card("overfits", headline, text, "plain", baseline)


def lowest_between(arm: schema.ArmComparison) -> str:
    """Name the evaluations around the lowest validation loss: nobody looked between them."""
    return between(arm.overfitting.after, arm.overfitting.before)


def _rise(arm: schema.ArmComparison) -> str:
    best, last = arm.best_validation.mean, arm.final["validation/loss"].mean
    return (
        ""
        if best is None or last is None
        else f", {amount(last - best, None, 'validation/loss')} above its minimum at the end"
    )
