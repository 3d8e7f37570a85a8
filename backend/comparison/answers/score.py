"""What the advice does to the task's score: a lower loss need not mean better answers."""

from backend.comparison import schema
from backend.comparison.words import amount, capital
from backend.shared.metrics import METRICS

from .card import listed
from .contest import Contest
from .found import Found

_UNIT = " percentage points"


def short(contest: Contest, found: Found) -> str:
    """Say in the headline whether the score moves, "" where none was recorded; begins with a space."""
    judged = contest.at(found.clock)
    if contest.score is None or not _measured(judged):
        return ""
    title = _title(contest.score)
    arms = judged.others if found.arm is contest.baseline else [found.arm] if found.arm else []
    moved = [arm for arm in arms if _moves(judged, arm)]
    if not moved:
        return f" No difference in {title} is shown."
    title = f"at the last step {title}" if found.state == "plain" else title  # the advice is of another one
    higher = [arm for arm in moved if not judged.seems_worse(arm, contest.score)]
    lower = [arm for arm in moved if arm not in higher]
    told = [f"{word} with {listed(these)}" for word, these in (("better", higher), ("worse", lower)) if these]
    return f" {capital(title)} is {' and '.join(told)}."


def line(contest: Contest, found: Found) -> str:
    """Say by how much the score differs, and what a lower loss is about where it does not."""
    judged = contest.at(found.clock)
    if contest.score is None or not _measured(judged):
        return ""
    ended = _to_the_end(contest, found)
    if found.arm is not None and found.arm is not contest.baseline:
        return (judged.of_score(found.arm) + judged.of_confidence(found.arm) + ended).strip()
    moved = [arm for arm in judged.others if _moves(judged, arm)]
    told = [judged.of_score(arm).strip() for arm in moved[:2]]
    sentences = [f"With {listed([arm])} {_in_sentence(one)}" for arm, one in zip(moved, told, strict=False)]
    return (" ".join([*sentences, _no_difference(judged, rest=bool(moved))]) + ended).strip()


def _no_difference(judged: Contest, *, rest: bool) -> str:
    still = [one for arm in judged.others if not _moves(judged, arm) and (one := _difference(judged, arm)) is not None]
    if not still or judged.score is None:
        return ""
    means = [one.mean for one in still if one.mean is not None]
    low, high = (_signed(value, judged.score) for value in (min(means), max(means)))
    many = "the other arms" if rest else "any arm" if len(still) > 1 else "the other arm"
    spans = "every interval spans" if len(still) > 1 else "the interval spans"
    reach = f"from {low.removesuffix(_UNIT)} to {high}" if len(still) > 1 else low
    return f"No difference in {_title(judged.score)} is shown for {many}: {reach}, {spans} zero."


def _to_the_end(contest: Contest, found: Found) -> str:
    """Say what going on to the last step does to the baseline's score, where it does something."""
    if found.clock != "stopped" or found.arm is not contest.baseline:
        return ""
    rival = contest.at("last_against_stopped")
    if not _moves(rival, contest.baseline):
        return ""
    return f" At the last step {_in_sentence(rival.of_score(contest.baseline))}"


def _in_sentence(told: str) -> str:
    first = told.strip()
    return first if first[1:2].isupper() else f"{first[:1].lower()}{first[1:]}"


def _moves(judged: Contest, arm: schema.ArmComparison) -> bool:
    """Whether the arm's own interval, uncorrected, lies on one side of zero: enough not to say that nothing moves."""
    difference = _difference(judged, arm)
    return difference is not None and not difference.interval_spans_zero


def _difference(judged: Contest, arm: schema.ArmComparison) -> schema.Difference | None:
    found = None if judged.score is None else judged.differences(arm).get(judged.score)
    return None if found is None or found.mean is None or found.half_width is None else found


def _measured(judged: Contest) -> bool:
    return any(_difference(judged, arm) is not None for arm in judged.others)


def _title(score: schema.SeriesName) -> str:
    title = METRICS[score].short_title
    return title if title[1:2].isupper() else title[0].lower() + title[1:]


def _signed(value: float, score: schema.SeriesName) -> str:
    return ("+" if value > 0 else "−" if value < 0 else "") + amount(value, None, score)
