"""The verdict of a study: one sentence that says what to do, and the few lines that it rests on."""

from collections.abc import Callable

from backend.comparison import schema
from backend.comparison.confidence import Confidence
from backend.shared.metrics import METRICS

from . import certain, price, score, sureness
from .contest import Contest
from .diverged import diverged_sentence
from .found import Found
from .use import use

TakeOf = Callable[[str, schema.Clock], schema.Take | None]
ElsewhereAt = Callable[[schema.Clock], str]


def verdict(
    contest: Contest, confidence: Confidence, take_of: TakeOf, elsewhere_at: ElsewhereAt
) -> schema.StudyVerdict:
    """Return the verdict; `take_of` picks the run of an arm (id) whose adapter is to be taken at a clock, and
    `elsewhere_at` says what training changed on other data sets by then ("" where none is measured).
    """
    found = use(contest)
    decided = found.arm is not None and found.state != "waiting"
    lines = _lines(contest, confidence, found, elsewhere_at(found.clock)) if decided else _first(contest, found)
    return schema.StudyVerdict(
        headline=found.headline + (score.short(contest, found) if decided else ""),
        state=found.state,
        metric=contest.loss,
        arm_id=None if found.arm is None else found.arm.id,
        clock=found.clock,
        step=found.step,
        to_the_end=[arm.id for arm in found.to_the_end],
        lines=[line for line in lines if line.text],
        take=None if found.arm is None else take_of(found.arm.id, found.clock),
        further=certain.further(contest, found),
    )


def waiting(text: str) -> schema.StudyVerdict:
    """Return the verdict of a study that has nothing to weigh."""
    why = schema.VerdictLine(about="why", title="Why", text=text)
    return schema.StudyVerdict(
        headline="Not known yet.",
        state="waiting",
        metric="validation/loss",
        arm_id=None,
        clock="last",
        step=None,
        to_the_end=[],
        lines=[why],
        take=None,
        further=None,
    )


def _first(contest: Contest, found: Found) -> list[schema.VerdictLine]:
    return [
        schema.VerdictLine(about="why", title="Why", text=found.why),
        schema.VerdictLine(about="diverged", title="Diverged", text=diverged_sentence(contest.arms).strip()),
    ]


def _lines(contest: Contest, confidence: Confidence, found: Found, elsewhere: str) -> list[schema.VerdictLine]:
    scored = "Score" if contest.score is None else METRICS[contest.score].short_title
    why, diverged = _first(contest, found)
    return [
        why,
        schema.VerdictLine(about="score", title=scored, text=score.line(contest, found)),
        schema.VerdictLine(about="confidence", title="Confidence", text=sureness.line(contest, confidence, found)),
        diverged,
        schema.VerdictLine(about="elsewhere", title="Elsewhere", text=elsewhere),
        schema.VerdictLine(about="sure", title="How sure", text=certain.line(contest, found)),
        schema.VerdictLine(about="cost", title="Cost", text=price.line(contest, found)),
    ]
