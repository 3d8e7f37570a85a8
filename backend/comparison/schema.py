"""The comparison of a study's arms as data: what the API serves, the charts draw and the report quotes.

Words as in the design: an arm is the unit of every mean and interval. `None` stands for a number that does not exist.
Lists of one `Curve` have equal length: one entry for each step at which any run of the arm was evaluated.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from backend.shared.metrics import METRICS, Shown, in_comparison

XAxis = Literal["step", "epoch", "tokens", "seconds"]
Band = Literal["t", "seeds", "minmax", "sd"]
Decision = Literal["lower", "higher", "undecided"]
Numbers = list[float | None]


class _InTheTable:
    """Of texts, the names of those entries of `backend.shared.metrics` that the comparison tells of."""

    @staticmethod
    def __get_pydantic_core_schema__(source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_known, handler(source))

    @staticmethod
    def __get_pydantic_json_schema__(known: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {**handler(known), "enum": [metric.name for metric in in_comparison()]}


def _known(name: str) -> str:
    metric = METRICS.get(name)
    if metric is None or metric.role == "kept":
        quoted = [repr(one.name) for one in in_comparison()]
        raise PydanticKnownError("literal_error", {"expected": f"{', '.join(quoted[:-1])} or {quoted[-1]}"})
    return name


SeriesName = Annotated[str, _InTheTable]


class Part(BaseModel):
    """Frozen, JSON-safe (no NaN, no infinity)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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
    """An arm's per-seed differences to the baseline in one quantity, at the last evaluation both have (`step`).

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


class RunOnset(Part):
    """Where one run began to overfit (`step` None: it did not, or cannot be told; `reason` says which)."""

    seed: int
    run_id: str
    step: int | None
    reason: str


class Onset(Part):
    """An arm's overfitting onset: the median over the `k` of `n` finished runs that have one."""

    step: float | None
    x: float | None
    k: int
    n: int
    runs: list[RunOnset]
    sentence: str


class RunInArm(Part):
    """One run of an arm; `counted` says whether it is in the means, `reason` why not."""

    run_id: str
    seed: int
    status: str
    step: int
    total_steps: int
    counted: bool
    finished: bool
    reason: str | None


class Counts(Part):
    """Runs by status, how many of them are left out of the final values although they ended, and how many of those
    diverged: their loss was no number any more.
    """

    total: int
    queued: int
    running: int
    succeeded: int
    failed: int
    cancelled: int
    excluded: int
    diverged: int = 0


class Compute(Part):
    """Mean cost of a finished run, and the factor over the baseline's. Equal steps are not equal compute."""

    n: int
    seconds: float | None
    flops: float | None
    seconds_factor: float | None
    flops_factor: float | None


class SiteShown(Part):
    """One place where the arm drops something; `rate` is the largest over the layers.

    options: layers, place, axis, window and what else tells it from other sites; the rate, too, where layers differ.
    """

    position: str
    structure: str
    rescale: str
    rate: float | None
    options: dict[str, Any]


class ArmComparison(Part):
    """One arm: what it is, how far it is, its curves, its final values, and how it differs from the baseline.

    `method_title` names the method, `label` the arm (with the parameters that differ), `name` is the shorter of the
    two that still tells it from the others. `colour_key` picks its fixed colour and `variant` (0, 1, … among the
    arms of that colour) its dash. `final` is the last evaluation, the primary comparison; `best_validation` the
    smallest validation loss of each run, optimistic because it is picked on the rows it is measured on.
    """

    id: str
    key: str
    label: str
    name: str
    method: str
    method_title: str
    colour_key: str
    variant: int
    is_baseline: bool
    position: int
    sites: list[SiteShown]
    rate: float | None
    rank: int
    alpha: float
    learning_rate: float
    weight_decay: float
    consistency_kind: str
    consistency_weight: float | None
    native: bool
    trainable_parameters: int | None
    counts: Counts
    runs: list[RunInArm]
    curve: Curve | None
    final_step: int | None
    final: dict[SeriesName, Estimate]
    best_validation: Estimate
    best_validation_step: float | None
    onset: Onset
    differences: dict[SeriesName, Difference]
    compute: Compute
    place: int | None


class Answer(Part):
    """One of the four answers above the charts: the answer itself in a few words, then why.

    `advice` is what to do now where nothing is decided yet, `figure` the chart that shows it, `arm_id` the arm it
    speaks of.
    """

    id: Literal["use", "overfits", "gap", "loss"]
    question: str
    headline: str
    advice: str | None = None
    text: str
    state: Literal["holds", "undecided", "waiting", "plain"]
    arm_id: str | None
    figure: str


class Progress(Part):
    """How far the study is. `first_complete`: every arm has one finished run. `seeds_complete`: seeds finished by
    all arms.
    """

    runs: Counts
    first_complete: bool
    complete: bool
    seeds: int
    seeds_complete: int
    sentence: str


class Pairwise(Part):
    """Every arm against every arm in the primary quantity: entry [i][j] is arm i − arm j over the seeds both
    finished.

    `p_holm` adjusts over all pairs listed here (a family of its own). `arm_ids` are in order of ranking, cut at a
    limit.
    """

    metric: SeriesName
    arm_ids: list[str]
    n: list[list[int]]
    mean: list[Numbers]
    lo: list[Numbers]
    hi: list[Numbers]
    p_t: list[Numbers]
    p_holm: list[Numbers]
    arms_left_out: int


class Selected(Part):
    """One method with the setting that was chosen for it: `arm_id`, the best of `candidates` arms on validation rows.

    `test` and `scores` are measured on test rows, which the choice has not seen; `difference` is to the chosen arm of
    the baseline's method, Holm's correction over the methods.
    """

    method_title: str
    arm_id: str
    arm_name: str
    candidates: int
    is_baseline: bool
    validation: Estimate
    test: Estimate
    scores: dict[SeriesName, Estimate]
    difference: Difference | None


class Selection(Part):
    """Every method at its own best rate, learning rate or weight: chosen by `chosen_by`, reported by `reported`."""

    chosen_by: SeriesName
    reported: SeriesName
    methods: list[Selected]
    sentence: str


class PaperRow(Part):
    """One method's number as the paper prints it."""

    method: str
    title: str
    value: float
    spread: float | None


class PaperNumbers(Part):
    """What the paper printed for this data set: another model, other settings, never comparable number by number."""

    source: str
    setting: str
    metric: str
    rows: list[PaperRow]


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


class Comparison(Part):
    """The whole comparison as of `event_seq`. `ranking` holds arm ids, best first, arms without a finished run
    last. `metrics` are the quantities of this study, in the order of tables.
    """

    study_id: str
    study_name: str
    event_seq: int
    task: str
    model: str
    dataset: str
    metric: SeriesName
    x: XAxis
    band: Band
    loss_unit: str
    metrics: list[Quantity]
    baseline_arm_id: str | None
    arms: list[ArmComparison]
    ranking: list[str]
    answers: list[Answer]
    progress: Progress
    pairwise: Pairwise | None
    selection: Selection | None
    paper: PaperNumbers | None
    notes: list[str]

    def without_curves(self) -> "Comparison":
        """Return the same comparison with every arm's `curve` left out: a hundredth of the size, for tables and
        answers.
        """
        return self.model_copy(update={"arms": [arm.model_copy(update={"curve": None}) for arm in self.arms]})
