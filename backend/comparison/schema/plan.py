"""A study's plan as it stands: its looks, what each arm's verdict is, and what was asked beyond it."""

from typing import Literal

from backend.shared.specs import Clock

from .base import Part, SeriesName

VerdictKind = Literal["better_by_more", "better", "no_difference", "worse", "not_yet", "cannot_tell"]


class Look(Part):
    """A number of seeds at which verdicts are drawn. `done`: every judged arm has all of them. `spent`: the share of
    the plan's error that is spent by then.
    """

    seeds: int
    done: bool
    spent: float


class Verdict(Part):
    """What a plan says of an arm: drawn at the look of `seeds` seeds (0: at none yet).

    `mean` is the arm minus the baseline over the pairs of that look that are numbers; `lo` and `hi` are the ends that
    the verdict stands on, in units of the plan's metric; None where nothing bounds it. `diverged`: of the arm's seeds.
    `baseline_arm_id`: the arm that it is judged against.
    """

    kind: VerdictKind
    title: str
    words: str
    seeds: int
    mean: float | None
    lo: float | None
    hi: float | None
    diverged: int
    baseline_arm_id: str


class PlanShown(Part):
    """A plan with what it has come to. `arm_ids` are judged; `smallest` is the smallest difference that matters.

    `baseline_arm_ids`: the baseline, and those of other ranks where rank is an axis; an arm is judged against that of
    its rank. `next_look`: seeds of the next look, None after the last. `error_left`: share of the error that no look
    has spent. `race`: seeds are added by themselves to the arms without a verdict. `sentence` says the plan, `standing`
    how far it is, `exploratory` what in this comparison lies beyond it.
    """

    baseline_arm_id: str
    baseline_arm_ids: list[str]
    arm_ids: list[str]
    metric: SeriesName
    clock: Clock
    smallest: float
    seeds: int
    race: bool
    looks: list[Look]
    next_look: int | None
    error_left: float
    sentence: str
    standing: str
    exploratory: list[str]
