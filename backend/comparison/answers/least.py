"""Which method overfits least, which has the lowest loss: only an arm that predicts no worse may win, with its ties."""

from collections.abc import Sequence

from backend.comparison import schema
from backend.comparison.only_guesses import nothing_learned
from backend.comparison.words import DECIDES_FROM, amount, capital, several
from backend.shared.metrics import METRICS

from .card import EARLY, WAITING, Key, State, card, listed, pending, spoken
from .contest import Contest
from .diverged import diverged_sentence


def least(contest: Contest, metric: schema.SeriesName) -> schema.Answer:
    """Return the answer about the gap, or about the loss."""
    key: Key = "gap" if metric == "gap" else "loss"
    arms, baseline = contest.arms, contest.baseline
    quantity = "gap" if metric == "gap" else METRICS[metric].words
    quantity += ", each stopped in time," if contest.judged == "stopped" else ""
    if len(arms) < 2:
        return card(key, WAITING, "There is one arm only: add a method to compare it with.", "waiting", None)
    if contest.leader(arms, metric) is None:
        both = f"finished both with {spoken(baseline)} and another arm"
        text = f"Waiting for a seed that has {both}." if pending(arms) else f"No seed {both}."
        return card(key, WAITING, text + diverged_sentence(arms), "waiting", None)
    if key == "loss" and nothing_learned(arms):
        text = "Every arm says one and the same label for all validation rows; losses only tell how sure it is of it."
        return card(key, "None of them", text, "plain", None)
    steady = [arm for arm in contest.others if not arm.counts.diverged]
    able = [arm for arm in steady if key == "loss" or not contest.learns_less(arm)]
    best = contest.leader(able, metric)
    if best is None:
        why = "predicts worse than it" if steady else "diverged in some seed"
        text = f"Every other arm {why}.{diverged_sentence(arms)}"
        return card(key, capital(spoken(baseline)), text, "plain", baseline)
    difference = contest.differences(best)[metric]
    assert difference.mean is not None
    against = f"against {spoken(baseline)}"
    size = amount(difference.mean, difference.half_width, metric)
    name = capital(spoken(best))
    left_out = _left_out(contest, steady, metric, best) if key == "gap" else ""
    rest = left_out + diverged_sentence(arms)
    if difference.mean >= 0:
        text = f"No method lowers the {quantity} {against}; the closest, {spoken(best)}, is {size} higher.{rest}"
        state: State = "plain" if difference.n >= DECIDES_FROM else "waiting"
        return card(key, capital(spoken(baseline)), text, state, baseline)
    if difference.n < DECIDES_FROM:
        seeds = several(difference.n, "seed")
        text = f"{name} has the lowest {quantity}, {size} less {against}, in {seeds}: too early to tell.{rest}"
        return card(key, EARLY, text, "waiting", best)
    rest = contest.of_score(best) + rest
    ties = contest.ties(best, metric, able)
    if contest.better(best, metric):
        lowers = f"{name} lowers the {quantity} by {size} {against}, clear of seed noise after correction."
        text = lowers + _ties(ties) + rest
        headline = name if not ties else f"{name} or {several(len(ties), 'other')}"
        return card(key, headline, text, "holds", best)
    why = (
        "the interval spans zero" if difference.interval_spans_zero else "it is not clear of seed noise once corrected"
    )
    text = f"{name} leads with a {quantity} {size} lower {against}, but {why}: undecided.{rest}"
    return card(key, f"{name} leads", text, "undecided", best)


def _ties(ties: Sequence[schema.ArmComparison]) -> str:
    return f" Not told apart from it: {listed(ties)}." if ties else " It is told apart from every other arm."


def _left_out(
    contest: Contest, steady: Sequence[schema.ArmComparison], metric: schema.SeriesName, best: schema.ArmComparison
) -> str:
    """Name the arms whose gap is smaller still because they learned less."""
    smallest = contest.differences(best)[metric].mean
    less = [
        arm
        for arm in steady
        if contest.learns_less(arm)
        and (mean := contest.differences(arm)[metric].mean) is not None
        and smallest is not None
        and mean < smallest
    ]
    if not less:
        return ""
    verb = "has a smaller gap but predicts" if len(less) == 1 else "have smaller gaps but predict"
    return f" {capital(listed(less))} {verb} worse: less was learned."
