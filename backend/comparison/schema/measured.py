"""Numbers over seeds: curves, means with intervals, and differences to the baseline."""

from typing import Literal

from backend.shared.metrics import Shown

from .base import Decision, Numbers, Part, SeriesName


class Series(Part):
    """One quantity over the evaluations: over the `n` counted seeds at each step, and every seed's own values.

    `lo` and `hi` are the band that was asked for (None under n = 2, and everywhere for the band "seeds").
    `values[i]` belongs to the arm's `runs[i]`, excluded runs too; the mean never contains those.
    """

    n: list[int]
    mean: Numbers
    lo: Numbers
    hi: Numbers
    sd: Numbers
    min: Numbers
    max: Numbers
    values: list[Numbers]


class Curve(Part):
    """The evaluations of an arm: `x` in the unit that was asked for (the mean over the seeds at the same step)."""

    step: list[int]
    x: Numbers
    series: dict[SeriesName, Series]


class SeedValue(Part):
    """One seed's number."""

    seed: int
    run_id: str
    value: float


class Estimate(Part):
    """A mean over `n` seeds with its 95 % t interval (None under n = 2) and the seeds themselves."""

    n: int
    mean: float | None
    lo: float | None
    hi: float | None
    half_width: float | None
    sd: float | None
    seeds: list[SeedValue]


class Pair(Part):
    """One seed's difference, arm − baseline, at the same step of the same seed."""

    seed: int
    value: float


class Difference(Part):
    """An arm's per-seed differences to the baseline in one quantity, at the last evaluation both have (`step`), or at
    the clock that the field it stands in says (`step` None: every run has its own).

    Intervals are 95 % t intervals of the mean difference, unadjusted. `p_holm` adjusts `p_t` over the arms that were
    tested (the sign-flip p where all seeds differ alike); `decided` rests on it at 5 %, from three seeds on, and never
    calls an arm better that diverged in some seed. `smallest_p` is what a sign-flip test of n pairs can reach at best
    (2 / 2^n). `seed_correlation` is Pearson's, between the arm's and the baseline's values over the same seeds.
    `seeds_needed` are pairs for 80 % power at 5 % two-sided if the true difference is the measured one, which is a
    guess and no promise; `_holm`: at 5 % over the number of arms.
    """

    metric: SeriesName
    step: int | None
    n: int
    mean: float | None
    lo: float | None
    hi: float | None
    half_width: float | None
    sd: float | None
    p_t: float | None
    p_sign_flip: float | None
    sign_flip: Literal["exact", "monte_carlo"] | None
    smallest_p: float | None
    p_holm: float | None
    effect_size: float | None
    effect_size_corrected: float | None
    seed_correlation: float | None
    decided: Decision
    interval_spans_zero: bool
    meaning: str
    seeds_needed: int | None
    seeds_needed_holm: int | None
    pairs: list[Pair]


class Quantity(Part):
    """One quantity that this study has recorded, and how it is told.

    `title` stands alone, `short_title` at the head of a column. `compared`: arms are compared and ranked by it.
    `shown`: as a share of rows in per cent, as points of 100 with one decimal, or as a plain number.
    """

    name: SeriesName
    title: str
    short_title: str
    unit: str
    higher_is_better: bool | None
    compared: bool
    shown: Shown
