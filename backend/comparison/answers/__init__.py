"""The four answers above the charts, in words: what to use, does it overfit, what overfits least, which loss is lowest.

Each has a headline that stands alone and a text that says by how much and whether to believe it.
"""

from collections.abc import Sequence

from backend.comparison import schema

from .card import WAITING, card
from .contest import Contest, TiesOf
from .least import least
from .overfits import overfits
from .use import use


def answers(
    arms: Sequence[schema.ArmComparison],
    baseline: schema.ArmComparison | None,
    ties_of: TiesOf,
    clock: schema.Clock = "last",
    standing: str = "",
) -> list[schema.Answer]:
    """Return the four answers; `ties_of` names the arms (ids) that are not told apart from an arm in a quantity.

    The first weighs both clocks; the last two speak of one, where the study knows it. standing: how far the study's
    plan has come, where it has one.
    """
    if baseline is None:
        text = "There is no arm in this study yet."
        return [card(key, WAITING, text, "waiting", None) for key in ("use", "overfits", "gap", "loss")]
    contest = Contest.of(arms, baseline, ties_of, standing)
    judged = contest.at(clock) if contest.differences_known(clock) else contest
    return [
        use(contest),
        overfits(contest),
        least(judged, "gap"),
        least(judged, judged.loss),
    ]
