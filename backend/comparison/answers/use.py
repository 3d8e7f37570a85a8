"""What to use: when to stop first, then which method, and the simplest where nothing is decided."""

from backend.comparison import schema
from backend.comparison.only_guesses import nothing_learned, only_guesses
from backend.comparison.words import DECIDES_FROM, amount, capital, p_value
from backend.shared.metrics import METRICS

from .card import EARLY, WAITING, State, either, listed, pending, spoken
from .contest import Contest
from .found import Found
from .stop_first import stop_first


def use(contest: Contest) -> Found:
    """Return what to do: advice never rests on a difference that seeds alone explain."""
    arms, baseline, loss = contest.arms, contest.baseline, contest.loss
    if len(arms) < 2 or contest.leader(arms, loss) is None:
        return Found(f"{WAITING}.", "Nothing to recommend before two arms have finished the same seed.", "waiting")
    if nothing_learned(arms):
        why = (
            "Every finished run says one and the same label for all validation rows. Train longer, try other learning "
            "rates, or take another model."
        )
        return Found("Nothing learned yet.", why, "undecided")
    seeds = max(arm.differences[loss].n for arm in contest.others if loss in arm.differences)
    if seeds < DECIDES_FROM:
        few = "One seed says nothing about the spread" if seeds < 2 else "Two seeds decide nothing"
        more = "more are on their way" if pending(arms) else "train a few more"
        return Found(f"{EARLY}.", f"{few}; {more}.", "waiting")
    best = contest.leader([arm for arm in contest.others if not arm.counts.diverged], loss)
    if best is None:
        text = "Every other arm diverged in some seed."
        return stop_first(contest, baseline, Found(_keep(contest), text, "undecided", baseline))
    lead = best.differences[loss].mean
    lowest = baseline if lead is None or lead >= 0 else best
    if only_guesses(lowest):
        text = (
            f"{capital(spoken(lowest))} has the lowest {METRICS[loss].words}, and says one and the same label for all "
            "validation rows: a guess that is less sure of itself. Rank by a score, or train it longer."
        )
        return Found("Nothing to advise yet: the lowest loss is a guess.", text, "undecided")
    found = _stay(contest, best) if lowest is baseline else _of_methods(contest, best)
    return stop_first(contest, lowest, found)


def _keep(contest: Contest) -> str:
    return f"Keep {spoken(contest.baseline)}."


def _of_methods(contest: Contest, best: schema.ArmComparison) -> Found:
    """Return what to do where some arm has a lower loss than the baseline."""
    loss, base = contest.loss, spoken(contest.baseline)
    lower = [arm for arm in contest.others if contest.better(arm, loss) and not only_guesses(arm)]
    winners = [arm for arm in lower if not contest.seems_worse(arm, contest.score)]
    if not lower:
        return _undecided(contest, best)
    first = contest.leader(winners or lower, loss)
    assert first is not None
    difference = first.differences[loss]
    assert difference.mean is not None
    size = amount(difference.mean, difference.half_width, loss)
    told = (
        f"At its last step {spoken(first)} has a {METRICS[loss].words} of {contest.final(first)} against "
        f"{contest.final(contest.baseline)} with {base}, {size} lower: larger than seeds alone explain on these rows "
        f"({p_value(difference.p_holm)} after correction)."
    )
    if not winners:
        headline = f"Keep {base}: {spoken(first)} lowers the loss, but its answers get worse."
        return Found(headline, told, "undecided", contest.baseline)
    tied = contest.ties(first, loss, contest.others)
    equals = [arm for arm in winners if arm in tied]
    others = [arm for arm in tied if arm not in equals and arm.id != best.id]
    if best.id != first.id and best.differences[loss].mean is not None:
        told += f" {capital(spoken(best))} is lower still so far, but not separated from seed noise yet."
    told += f" Not told apart from it: {listed([*equals, *others])}." if equals or others else ""
    headline = f"Use {either([first, *equals])}."
    return Found(headline, told, "holds", first, to_the_end=[first, *equals])


def _undecided(contest: Contest, best: schema.ArmComparison) -> Found:
    """Return what to do where no lower loss is clear of seed noise: the simplest is advised."""
    base, lead = spoken(contest.baseline), best.differences[contest.loss]
    assert lead.mean is not None
    size = amount(lead.mean, lead.half_width, contest.loss)
    noise = (
        f"not separated from seed noise yet ({p_value(lead.p_holm)} after correction)"
        if lead.p_t is not None
        else "cannot be tested"
    )
    why = (
        f"{capital(spoken(best))} has the lowest {METRICS[contest.loss].words} so far, by {size}: {noise}. "
        f"{capital(base)} is the simplest and the cheapest."
    )
    within = contest.within("last")
    shown = f"no method differs by {within} or more" if within else "no method is shown to beat it"
    state: State = "holds" if within else "undecided"
    return Found(f"Keep {base}: {shown}.", why, state, contest.baseline, decides=None if within else best)


def _stay(contest: Contest, best: schema.ArmComparison) -> Found:
    base, words = spoken(contest.baseline), METRICS[contest.loss].words
    if all(contest.worse(arm, contest.loss) for arm in contest.others):
        text = f"Every other arm has a higher {words}, larger than seeds alone explain on these rows."
        return Found(f"Keep {base}: every other arm is worse.", text, "holds", contest.baseline)
    lead = best.differences[contest.loss]
    closest = f"; the closest, {spoken(best)}, is {amount(lead.mean or 0.0, lead.half_width, contest.loss)} higher"
    text = f"No other arm has a lower {words}{closest}. Not all are shown to be worse."
    return Found(f"Keep {base}: no method has a lower loss.", text, "undecided", contest.baseline)
