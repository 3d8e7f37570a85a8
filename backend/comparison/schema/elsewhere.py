"""What training did on data sets beside the study's own: before, after, and how that differs from the baseline."""

from typing import Literal

from backend.shared.metrics import Shown

from .base import Decision, Part
from .measured import Estimate, Pair


class ChangeDifference(Part):
    """An arm's change less the baseline's, over the seeds of both, with the 95 % t interval of its mean.

    `decided` rests on `p_holm`, which adjusts `p_t` over the arms, at 5 % and from three seeds on; it is never the
    better way for an arm of which a seed diverged.
    """

    n: int
    mean: float | None
    lo: float | None
    hi: float | None
    half_width: float | None
    p_t: float | None
    p_holm: float | None
    decided: Decision
    pairs: list[Pair]


class Change(Part):
    """Where an arm stands at a clock, and what has changed since before its first step, over its finished runs.

    `worst`: seeds that have no number there, for they diverged; they count as worse than any that has one.
    """

    value: Estimate
    change: Estimate
    worst: int
    difference: ChangeDifference | None


class ArmChange(Part):
    """One arm: before its first step, at the last evaluation, and stopped in time where that is known."""

    arm_id: str
    before: Estimate
    last: Change
    stopped: Change | None


class MeasuredChange(Part):
    """One quantity of one data set, of all arms in the study's order."""

    name: str
    title: str
    short_title: str
    unit: str
    higher_is_better: bool
    shown: Shown
    arms: list[ArmChange]


class FurtherSet(Part):
    """A data set that every run was also measured on: how many rows of which of its splits, and a sentence on it."""

    dataset: str
    split: Literal["train", "validation"]
    rows: int
    measures: list[MeasuredChange]
    sentence: str


class Elsewhere(Part):
    """What training changed on further data sets, and what was learned of the study's own meanwhile (`own`).

    No plan covers these: they are for information, and say so in `note`.
    """

    own: list[MeasuredChange]
    sets: list[FurtherSet]
    sentence: str
    note: str
