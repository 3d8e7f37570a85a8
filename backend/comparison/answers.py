"""The four answers above the charts, in words: what to use, does it overfit, what overfits least, what predicts best.

Each has a headline that stands alone and a text that says by how much and whether to believe it.
"""

import math
import unicodedata
from collections.abc import Sequence

from backend.shared.metrics import METRICS

from . import schema
from .only_guesses import nothing_learned, only_guesses
from .words import amount, p_value, plain, seeds_sentence, several, times

LONGEST_NAME = 60
_QUESTIONS = {
    "use": ("What should I use?", "ranking"),
    "overfits": ("Does it overfit?", "losses"),
    "gap": ("Which method overfits least?", "gap"),
    "loss": ("Which method predicts best?", "ranking"),
}
WAITING = "Not known yet"
EARLY = "Too early to tell"
CLEARLY_LESS = 0.9  # share of the training time
NEARLY_ALL = 0.9  # share of the lead
SAME_COST = 0.05  # training times closer than this are the same: workers are never equally fast


def answers(
    arms: Sequence[schema.ArmComparison], baseline: schema.ArmComparison | None, ties: Sequence[str]
) -> list[schema.Answer]:
    """Return the four answers; `ties` names the arms that are not told apart from the one with the lowest
    validation loss.
    """
    if baseline is None:
        return [_answer(key, WAITING, "There is no arm in this study yet.", "waiting", None) for key in _QUESTIONS]
    return [
        _use(arms, baseline, ties),
        _overfits(baseline),
        _least(arms, baseline, "gap"),
        _least(arms, baseline, "validation/loss"),
    ]


def leader(
    arms: Sequence[schema.ArmComparison], baseline: schema.ArmComparison, metric: schema.SeriesName
) -> schema.ArmComparison | None:
    """Return the arm other than the baseline with the best mean difference, None where no pair of runs is
    finished.
    """
    sign = -1.0 if METRICS[metric].higher_is_better else 1.0
    scored = [
        (sign * difference.mean, arm.position, arm)
        for arm in arms
        if (difference := arm.differences.get(metric)) is not None and difference.mean is not None
    ]
    return min(scored, key=lambda item: item[:2])[2] if scored else None


def spoken(arm: schema.ArmComparison) -> str:
    """Write an arm's name inside a sentence: "no dropout", but "HiddenKey"."""
    name = arm.name if len(arm.name) <= LONGEST_NAME else arm.name[: LONGEST_NAME - 1] + "…"
    by_method = arm.name == arm.method_title or arm.name.startswith(f"{arm.method_title} ")
    if by_method and arm.name.split(" ", 1)[0][1:].islower():
        name = name[0].lower() + name[1:]
    if any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in name):
        return f"\u2068{name}\u2069"  # isolated, so that it does not turn the sentence around
    return name


def _answer(
    key: str, headline: str, text: str, state: str, arm: schema.ArmComparison | None, advice: str | None = None
) -> schema.Answer:
    question, figure = _QUESTIONS[key]
    return schema.Answer.model_validate(
        {
            "id": key,
            "question": question,
            "headline": headline,
            "advice": advice,
            "text": text,
            "state": state,
            "arm_id": None if arm is None else arm.id,
            "figure": figure,
        }
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _pending(arms: Sequence[schema.ArmComparison]) -> bool:
    return any(arm.counts.queued + arm.counts.running > 0 for arm in arms)


def _overfits(baseline: schema.ArmComparison) -> schema.Answer:
    onset, gap = baseline.onset, baseline.final["gap"]
    name = spoken(baseline)
    if onset.n == 0 and not _pending([baseline]):
        text = f"No run of {name} finished: its runs say why. Choose another baseline, or retry them."
        return _answer("overfits", WAITING, text, "waiting", baseline)
    if onset.n == 0 or gap.mean is None:
        return _answer("overfits", WAITING, f"Waiting for the first finished run of {name}.", "waiting", baseline)
    ends = (
        f"it ends {amount(gap.mean, gap.half_width, 'gap')} {'above' if gap.mean >= 0 else 'below'} the loss on "
        "training text"
    )
    if onset.step is None:
        text = f"With {name}, validation loss does not turn up for good in {several(onset.n, 'seed')}; {ends}."
        return _answer("overfits", "No lasting rise", text, "plain", baseline)
    share = f"all {onset.n} seeds" if onset.k == onset.n > 1 else f"{onset.k} of {several(onset.n, 'seed')}"
    headline = f"Yes, after step {onset.step:g}" if 2 * onset.k > onset.n else f"In {share}"
    text = f"With {name}, validation loss turns up after step {onset.step:g} in {share}; {ends}."
    return _answer("overfits", headline, text, "plain", baseline)


def _least(
    arms: Sequence[schema.ArmComparison], baseline: schema.ArmComparison, metric: schema.SeriesName
) -> schema.Answer:
    key = "gap" if metric == "gap" else "loss"
    quantity = "gap" if metric == "gap" else METRICS[metric].words
    if len(arms) < 2:
        text = "There is one arm only: add a method to compare it with."
        return _answer(key, WAITING, text, "waiting", None)
    best = leader(arms, baseline, metric)
    if best is None:
        both = f"finished both with {spoken(baseline)} and another arm"
        text = f"Waiting for a seed that has {both}." if _pending(arms) else f"No seed {both}."
        return _answer(key, WAITING, text, "waiting", None)
    if key == "loss" and nothing_learned(arms):
        text = "Every arm says one and the same label for all validation rows; losses only tell how sure it is of it."
        return _answer(key, "None of them", text, "plain", None)
    difference = best.differences[metric]
    assert difference.mean is not None
    against = f"against {spoken(baseline)}"
    size = amount(difference.mean, difference.half_width, metric)
    name = _capital(spoken(best))
    if difference.mean >= 0:
        text = f"No method lowers the {quantity} {against}; the closest, {spoken(best)}, is {size} higher."
        return _answer(key, _capital(spoken(baseline)), text, "plain" if difference.n > 1 else "waiting", baseline)
    if difference.n == 1:
        text = f"{name} has the lowest {quantity}, {size} less {against}, in one seed: too early to tell."
        return _answer(key, EARLY, text, "waiting", best)
    if difference.decided == "lower":
        text = f"{name} lowers the {quantity} by {size} {against}; holds after correction."
        return _answer(key, name, text, "holds", best)
    why = "the interval spans zero" if difference.interval_spans_zero else "it does not hold after correction"
    text = f"{name} leads with a {quantity} {size} lower {against}, but {why}: undecided."
    return _answer(key, f"{name} leads", text, "undecided", best)


def _use(arms: Sequence[schema.ArmComparison], baseline: schema.ArmComparison, ties: Sequence[str]) -> schema.Answer:
    best = leader(arms, baseline, "validation/loss")
    if len(arms) < 2 or best is None:
        text = "Nothing to recommend before two arms have finished the same seed."
        return _answer("use", WAITING, text, "waiting", None)
    difference = best.differences["validation/loss"]
    if nothing_learned(arms):
        text = (
            "Every finished run says one and the same label for all validation rows. Train longer, try other learning "
            "rates, or take another model."
        )
        return _answer("use", "Nothing learned yet", text, "undecided", None)
    if difference.n < 2 or difference.mean is None:
        more = "more are on their way" if _pending(arms) else "train a few more"
        return _answer("use", EARLY, f"One seed says nothing about the spread; {more}.", "waiting", None)
    lowest = baseline if difference.mean >= 0 else best
    if only_guesses(lowest):
        text = (
            f"{_capital(spoken(lowest))} has the lowest validation loss, and says one and the same label for all "
            "validation rows: a guess that is less sure of itself. Rank by a score, or train it longer."
        )
        return _answer("use", "No clear winner", text, "undecided", None)
    if lowest is baseline:
        return _stay(arms, baseline)
    name, base = spoken(best), spoken(baseline)
    if difference.decided != "lower":
        chosen, advice = _today(arms, baseline, best)
        lead = chosen.differences["validation/loss"]
        assert lead.mean is not None
        size = amount(lead.mean, lead.half_width, "validation/loss")
        chance = f"may be chance (Holm {p_value(lead.p_holm)})" if lead.p_t is not None else "cannot be tested"
        told = seeds_sentence(lead.seeds_needed_holm, varies=lead.p_t is not None)
        text = f"Its lead over {base} ({size} in validation loss) {chance}. {told}"
        return _answer("use", "No clear winner", text, "undecided", chosen, advice)
    text = (
        f"It has the lowest loss on text that it was not trained on: {plain(best.final['validation/loss'].mean)} "
        f"against {plain(baseline.final['validation/loss'].mean)} with {base}, more than chance explains "
        f"(Holm {p_value(difference.p_holm)}).{_price(best.compute.seconds_factor)}"
    )
    others = [arm for arm in arms if arm.id in set(ties)]
    return _answer("use", f"Use {name}", text + _ties(others), "holds", best)


def _price(factor: float | None) -> str:
    if factor is None:
        return ""
    return " Training takes as long." if abs(factor - 1) < SAME_COST else f" Training takes {times(factor)} as long."


def _worth(
    arms: Sequence[schema.ArmComparison], baseline: schema.ArmComparison, best: schema.ArmComparison
) -> tuple[schema.ArmComparison, schema.ArmComparison | None]:
    """Return the arm to take where nothing is decided, and the best that takes clearly less time than the best of all.

    It is the best one, unless that cheaper one keeps nearly all of its lead.
    """
    limit = (best.compute.seconds_factor or 0.0) * CLEARLY_LESS
    less = [arm for arm in arms if (arm.compute.seconds_factor or math.inf) <= limit and _lead(arm) > 0]
    cheaper = leader(less, baseline, "validation/loss")
    if cheaper is not None and _lead(cheaper) >= NEARLY_ALL * _lead(best):
        return cheaper, cheaper
    return best, cheaper


def _lead(arm: schema.ArmComparison) -> float:
    difference = arm.differences.get("validation/loss")
    return 0.0 if difference is None or difference.mean is None else -difference.mean


def _today(
    arms: Sequence[schema.ArmComparison], baseline: schema.ArmComparison, best: schema.ArmComparison
) -> tuple[schema.ArmComparison, str]:
    """Return the arm to take where nothing is decided, and what speaks for it so far, its price, and who is cheaper."""
    chosen, cheaper = _worth(arms, baseline, best)
    loss, factor = plain(chosen.final["validation/loss"].mean), chosen.compute.seconds_factor
    base, merit = spoken(baseline), _gap_today(arms, baseline, chosen)
    first = f"If you must choose today: {spoken(chosen)}."
    if chosen is not best:
        lowest = f"{spoken(best)}, {plain(best.final['validation/loss'].mean)}"
        price = f"training takes {factor:.2f}× as long, not {best.compute.seconds_factor:.2f}×."
        return chosen, f"{first} Its validation loss ({loss}) is all but the lowest so far ({lowest}){merit}; {price}"
    text = f"{first} It has the lowest validation loss so far ({loss}){merit}"
    if factor is None:
        return chosen, f"{text}."
    if abs(factor - 1) < SAME_COST:
        return chosen, f"{text}, at no extra training time ({factor:.2f}× that of {base})."
    if factor < 1:
        return chosen, f"{text}, in {factor:.2f}× the training time of {base}."
    other = f"{_capital(base)} is not shown to be worse."
    if cheaper is not None:
        told = plain(cheaper.final["validation/loss"].mean)
        other = f"For less time: {spoken(cheaper)} ({told}, {cheaper.compute.seconds_factor:.2f}×)."
    return chosen, f"{text}; training takes {factor:.2f}× as long. {other}"


def _gap_today(
    arms: Sequence[schema.ArmComparison], baseline: schema.ArmComparison, chosen: schema.ArmComparison
) -> str:
    gap, least = chosen.differences.get("gap"), leader(arms, baseline, "gap")
    if gap is None or not gap.mean:
        return ""
    if gap.mean > 0:
        return f", but with a larger gap than {spoken(baseline)}"
    if least is not None and least.id == chosen.id:
        return ", with the smallest gap"
    return f", with a smaller gap than {spoken(baseline)}"


def _stay(arms: Sequence[schema.ArmComparison], baseline: schema.ArmComparison) -> schema.Answer:
    worse = [arm for arm in arms if not arm.is_baseline]
    headline = f"Stay with {spoken(baseline)}"
    if all(arm.differences["validation/loss"].decided == "higher" for arm in worse):
        text = "Every other arm has a higher validation loss, more than chance explains."
        return _answer("use", headline, text, "holds", baseline)
    text = "No other arm has a lower validation loss, though not all are shown to be worse."
    return _answer("use", headline, text, "undecided", baseline)


def _ties(others: Sequence[schema.ArmComparison]) -> str:
    if not others:
        return " It is told apart from every other arm."
    names = [spoken(arm) for arm in others[:3]]
    listed = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    if len(others) > 3:
        listed = ", ".join(names) + f" and {several(len(others) - 3, 'other')}"
    return f" Not told apart from it: {listed}."
