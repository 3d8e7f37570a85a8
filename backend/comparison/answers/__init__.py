"""The verdict of a study, and its answers in words: does it overfit, what overfits least, which loss is lowest.

The verdict weighs both clocks, the score and the ties. Each answer has a headline that stands alone and a text that
says by how much and whether to believe it.
"""

from collections.abc import Mapping, Sequence

from backend.comparison import schema
from backend.comparison.confidence import Confidence
from backend.shared.specs import Task

from .card import WAITING, card
from .contest import Contest, TiesOf
from .least import least
from .overfits import overfits
from .verdict import ElsewhereAt, TakeOf, verdict, waiting


def answers(
    arms: Sequence[schema.ArmComparison],
    baseline: schema.ArmComparison | None,
    ties_of: TiesOf,
    take_of: TakeOf,
    *,
    clock: schema.Clock = "last",
    plan: schema.PlanShown | None = None,
    confidence: Confidence | None = None,
    rows_of: Mapping[str, int] | None = None,
    task: Task = "classification",
    elsewhere_at: ElsewhereAt = lambda _: "",
) -> tuple[schema.StudyVerdict, list[schema.Answer]]:
    """Return verdict and answers; `ties_of` names the arms (ids) that are not told apart from an arm in a quantity.

    The verdict weighs both clocks; the last two answers speak of one, where the study knows it. rows_of: how many rows
    each held-out split has. elsewhere_at: what training changed on other data sets by a clock, in a sentence.
    """
    if baseline is None:
        text = "There is no arm in this study yet."
        return waiting(text), [card(key, WAITING, text, "waiting", None) for key in ("use", "overfits", "gap", "loss")]
    contest = Contest.of(arms, baseline, ties_of, plan, rows_of, task)
    judged = contest.at(clock) if contest.differences_known(clock) else contest
    found = verdict(contest, confidence or {}, take_of, elsewhere_at)
    advised = next((arm for arm in arms if arm.id == found.arm_id), None)
    text = "\n".join(line.text for line in found.lines)
    return found, [
        card("use", found.headline, text, found.state, advised),
        overfits(contest),
        least(judged, "gap"),
        least(judged, judged.loss),
    ]
