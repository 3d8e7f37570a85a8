"""The whole comparison: all arms, their order, the answers, and what stands around them."""

from typing import Literal

from backend.shared.specs import Clock

from .arm import ArmComparison, Counts
from .base import Band, Numbers, Part, SeriesName, XAxis
from .elsewhere import Elsewhere
from .measured import Difference, Estimate, Quantity
from .plan import PlanShown


class Answer(Part):
    """One of four answers: the answer itself in a few words, then why. The first, "use", is the verdict in one text.

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


class VerdictLine(Part):
    """One thing that the verdict rests on, in a sentence or two; `about` says which, `title` heads it."""

    about: Literal["why", "score", "confidence", "diverged", "elsewhere", "sure", "cost"]
    title: str
    text: str


class Take(Part):
    """The run whose adapter is to be taken, at a clock and its step; `rule` says how the seed was picked."""

    run_id: str
    seed: int
    clock: Clock
    step: int
    rule: str


class Further(Part):
    """A larger study that could tell a difference of `smallest` in `metric`, by the spread that was measured.

    `seeds` in all, None beyond what a study may have; `sentence` says what that rests on.
    """

    metric: SeriesName
    clock: Clock
    smallest: float
    sd: float
    seeds: int | None
    sentence: str


class StudyVerdict(Part):
    """What to do, in a sentence, and why: it weighs both clocks, loss and score, ties, and what was planned.

    `metric` is the loss that it speaks of: of test rows where these were measured, on which nothing was chosen.
    `arm_id` is the arm that is advised, to be taken at `clock`; `step` is near which its runs were stopped, None at the
    last step. `to_the_end` are the arms to use where one must train to the end. `take` is None before a run of the
    advised arm has finished, `further` without a measured spread.
    """

    headline: str
    state: Literal["holds", "undecided", "waiting", "plain"]
    metric: SeriesName
    arm_id: str | None
    clock: Clock
    step: float | None
    to_the_end: list[str]
    lines: list[VerdictLine]
    take: Take | None
    further: Further | None


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
    clock: Clock
    arm_ids: list[str]
    n: list[list[int]]
    mean: list[Numbers]
    lo: list[Numbers]
    hi: list[Numbers]
    p_t: list[Numbers]
    p_holm: list[Numbers]
    arms_left_out: int


class BestOf(Part):
    """What a method is expected to reach with 1, 2, … settings tried at random, the best of them by validation rows:
    its mean on validation rows, and on test rows. Mean over all draws of its settings, with replacement.
    """

    validation: list[float]
    test: list[float]


class CrossFitted(Part):
    """A method on test rows, each seed at the setting that the other seeds chose: no seed reports its own choice.

    mean, lo, hi, p_t, p_holm: of the paired difference to the baseline's method, cross-fitted as well; None for itself,
    and where there are too few pairs.
    """

    value: Estimate
    n: int
    mean: float | None
    lo: float | None
    hi: float | None
    p_t: float | None
    p_holm: float | None


class Selected(Part):
    """One method with the setting that was chosen for it: `arm_id`, the best of `candidates` arms on validation rows.

    `test` and `scores` are measured on test rows, which the choice has not seen; `difference` is to the chosen arm of
    the baseline's method, Holm's correction over the methods. `crossfitted` says the same without the luck of choosing
    by the seeds that report. `best_of`: what fewer tries would have found; None before all its settings have a value.
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
    crossfitted: CrossFitted
    best_of: BestOf | None


class Selection(Part):
    """Every method at its own best rate, learning rate or weight: chosen by `chosen_by`, reported by `reported`.

    `fair`: all methods had equally many settings. `best_arm_id`: the chosen arm of the method with the best
    cross-fitted mean on test rows; whether that is more than seed noise, its `crossfitted` says.
    """

    chosen_by: SeriesName
    reported: SeriesName
    methods: list[Selected]
    fair: bool
    best_arm_id: str | None
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


class Comparison(Part):
    """The whole comparison as of `event_seq`. `ranking` holds arm ids, best first, arms without a finished run
    last. `metrics` are the quantities of this study, in the order of tables.

    `clock` says when runs are judged for ranking, places and the pairwise matrix: at their last evaluation, or stopped
    at their best one. `clocks` are those this study can be judged by so far; `clock_note` says why it has no other.
    `plan` is None where the study declared none: its numbers are unplanned. `elsewhere` is None where its runs were
    measured on no further data set.
    """

    study_id: str
    study_name: str
    event_seq: int
    task: str
    model: str
    dataset: str
    metric: SeriesName
    clock: Clock
    clocks: list[Clock]
    clock_note: str | None
    x: XAxis
    band: Band
    loss_unit: str
    metrics: list[Quantity]
    baseline_arm_id: str | None
    arms: list[ArmComparison]
    ranking: list[str]
    verdict: StudyVerdict
    answers: list[Answer]
    progress: Progress
    pairwise: Pairwise | None
    selection: Selection | None
    paper: PaperNumbers | None
    notes: list[str]
    plan: PlanShown | None = None
    elsewhere: Elsewhere | None = None

    def without_curves(self) -> "Comparison":
        """Return the same comparison with every arm's `curve` left out: a hundredth of the size, for tables and
        answers.
        """
        return self.model_copy(update={"arms": [arm.model_copy(update={"curve": None}) for arm in self.arms]})
