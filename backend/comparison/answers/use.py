"""What to use: when to stop first, then which method, and the simplest where nothing is decided."""

from backend.comparison import schema
from backend.comparison.only_guesses import nothing_learned, only_guesses
from backend.comparison.words import DECIDES_FROM, amount, capital, p_value, seeds_sentence, times
from backend.shared.metrics import METRICS

from .card import EARLY, WAITING, card, listed, pending, spoken
from .contest import Contest
from .diverged import diverged_sentence
from .stop_first import stop_first

SAME_COST = 0.05  # training times closer than this are the same: workers are never equally fast


def use(contest: Contest) -> schema.Answer:
    """Return the answer: advice never rests on a difference that seeds alone explain."""
    arms, baseline, loss = contest.arms, contest.baseline, contest.loss
    if len(arms) < 2 or contest.leader(arms, loss) is None:
        text = "Nothing to recommend before two arms have finished the same seed."
        return card("use", WAITING, text + diverged_sentence(arms), "waiting", None)
    if nothing_learned(arms):
        text = (
            "Every finished run says one and the same label for all validation rows. Train longer, try other learning "
            "rates, or take another model."
        )
        return card("use", "Nothing learned yet", text, "undecided", None)
    seeds = max(arm.differences[loss].n for arm in contest.others if loss in arm.differences)
    if seeds < DECIDES_FROM:
        few = "One seed says nothing about the spread" if seeds < 2 else "Two seeds decide nothing"
        more = "more are on their way" if pending(arms) else "train a few more"
        return card("use", EARLY, f"{few}; {more}.{diverged_sentence(arms)}", "waiting", None)
    best = contest.leader([arm for arm in contest.others if not arm.counts.diverged], loss)
    if best is None:
        text = f"Every other arm diverged in some seed.{diverged_sentence(arms)}"
        answer = card("use", f"Stay with {spoken(baseline)}", text, "undecided", baseline)
        return stop_first(contest, baseline, answer)
    lead = best.differences[loss].mean
    lowest = baseline if lead is None or lead >= 0 else best
    if only_guesses(lowest):
        text = (
            f"{capital(spoken(lowest))} has the lowest {METRICS[loss].words}, and says one and the same label for all "
            "validation rows: a guess that is less sure of itself. Rank by a score, or train it longer."
        )
        return card("use", "No clear winner", text, "undecided", None)
    answer = _stay(contest) if lowest is baseline else _of_methods(contest, best)
    answer = answer.model_copy(update={"text": answer.text + diverged_sentence(arms)})
    return stop_first(contest, lowest, answer)


def _of_methods(contest: Contest, best: schema.ArmComparison) -> schema.Answer:
    """Return the answer where some arm has a lower loss than the baseline."""
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
        f"At its last step it has a {METRICS[loss].words} of {contest.final(first)} against "
        f"{contest.final(contest.baseline)} with {base}, {size} lower: larger than seeds alone explain on these rows "
        f"({p_value(difference.p_holm)} after correction)."
    )
    if not winners:
        text = f"{capital(spoken(first))}: {told[0].lower()}{told[1:]}{contest.of_score(first)} Keep {base}."
        return card("use", "A lower loss, but worse answers", text, "undecided", contest.baseline)
    ties = [arm for arm in contest.ties(first, loss, contest.others) if arm.id != best.id]
    text = told + contest.of_score(first) + contest.of_confidence(first)
    if best.id != first.id and best.differences[loss].mean is not None:
        text += f" {capital(spoken(best))} is lower still so far, but not separated from seed noise yet."
    text += f" Not told apart from it: {listed(ties)}." if ties else ""
    return card("use", f"Use {spoken(first)}", text + _price(first.compute.seconds_factor), "holds", first)


def _undecided(contest: Contest, best: schema.ArmComparison) -> schema.Answer:
    """Return the answer where no lower loss is clear of seed noise: the simplest is advised."""
    base, lead = spoken(contest.baseline), best.differences[contest.loss]
    assert lead.mean is not None
    size = amount(lead.mean, lead.half_width, contest.loss)
    varies = lead.p_t is not None
    noise = (
        f"not separated from seed noise yet ({p_value(lead.p_holm)} after correction)" if varies else "cannot be tested"
    )
    further = seeds_sentence(lead.seeds_needed_holm, varies=varies)
    if contest.standing:  # nothing is promised from what was measured where a plan says what seeds are for
        further = f"The study's plan: {contest.standing[0].lower()}{contest.standing[1:]}"
    text = (
        f"{capital(spoken(best))} has the lowest {METRICS[contest.loss].words} so far, by {size}: {noise}."
        f"{contest.of_score(best)} {further}"
    )
    advice = f"Keep {base} for now: it is the simplest, and nothing is shown to beat it."
    return card("use", "No clear winner", text, "undecided", best, advice)


def _stay(contest: Contest) -> schema.Answer:
    headline, words = f"Stay with {spoken(contest.baseline)}", METRICS[contest.loss].words
    if all(contest.worse(arm, contest.loss) for arm in contest.others):
        text = f"Every other arm has a higher {words}, larger than seeds alone explain on these rows."
        return card("use", headline, text, "holds", contest.baseline)
    text = f"No other arm has a lower {words}, though not all are shown to be worse."
    return card("use", headline, text, "undecided", contest.baseline)


def _price(factor: float | None) -> str:
    if factor is None:
        return ""
    return " Training takes as long." if abs(factor - 1) < SAME_COST else f" Training takes {times(factor)} as long."
