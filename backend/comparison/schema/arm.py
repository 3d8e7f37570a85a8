"""One arm of the comparison: its runs, its values at both clocks, where it overfits, and what it costs."""

from typing import Any, Literal

from .base import Part, SeriesName
from .measured import Curve, Difference, Estimate
from .plan import Verdict


class StoppedStep(Part):
    """Where the `n` finished runs of an arm were best: the median of their steps, and the first and last of them."""

    n: int
    median: float
    first: int
    last: int


class Stopped(Part):
    """An arm whose every run is stopped at its best evaluation by `kept_by`, told without the luck of the choice.

    `final`: test rows as measured with the kept adapter; other quantities cross-fitted, chosen on one half of the
    validation rows and reported on the other. `differences`: to the baseline, stopped as well; a Holm family of its
    own in each quantity, over the arms. `last_against_stopped`: this arm's last evaluation minus the baseline stopped
    in time, another such family; the baseline's own entry is one test, corrected for none.
    """

    kept_by: Literal["loss", "score"]
    step: StoppedStep
    final: dict[SeriesName, Estimate]
    differences: dict[SeriesName, Difference]
    last_against_stopped: dict[SeriesName, Difference]


class RunOnset(Part):
    """Where one run began to overfit (`step` None: it did not, or cannot be told; `reason` says which)."""

    seed: int
    run_id: str
    step: int | None
    reason: str


class Overfitting(Part):
    """Whether an arm's validation loss turns up for good, where it is lowest, and how far above that it ends.

    By `rule` "halves": `amount` is each seed's last quarter of evaluations minus its low, which other seeds chose on
    one half of the validation rows and which is read on the other; its interval crosses seeds with halves. It "rises"
    where that interval lies above zero, at three seeds or more, and is "unstable" where the loss on training rows does
    most of the rising. `k` of `n` seeds have an amount above zero. By "every_look", for studies whose runs recorded no
    halves: `k` of `n` runs stay a standard error above their minimum at every later evaluation while the probe loss
    keeps falling; `runs` says it of each, and there is no amount.

    The loss is lowest between the steps `after` and `before`, evaluations between which nobody looked. `step` and `x`
    (the same place in the unit of the curves) are None where nothing rises.
    """

    rule: Literal["halves", "every_look"]
    state: Literal["rises", "not_shown", "unstable", "untold"]
    amount: Estimate | None
    after: int | None
    before: int | None
    step: float | None
    x: float | None
    k: int
    n: int
    runs: list[RunOnset]
    sentence: str


class RunInArm(Part):
    """One run of an arm; `counted` says whether it is in the means, `reason` why not. `kept_step`: of its best
    evaluation, None where the run is not finished or recorded no halves of its validation rows.
    """

    run_id: str
    seed: int
    status: str
    step: int
    total_steps: int
    counted: bool
    finished: bool
    reason: str | None
    kept_step: int | None = None


class Counts(Part):
    """Runs by status, how many of them are left out of the final values although they ended, and how many of those
    diverged: their loss was no number any more, or ended far above where it began, on training rows as well.
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
    arms of that colour) its marker; `tone` is where its settings lie among theirs, from -1 (the smallest rate, drawn
    light) to 1 (dark). `final` and `differences` are of the last evaluation; `stopped` of the best one, None
    where no finished run recorded halves of its validation rows. `best_validation` is the smallest validation loss of
    each run, optimistic because it is picked on the rows it is measured on. `place` is by the comparison's clock.
    `verdict` is the plan's, whatever is compared here; None for its baseline and for arms that it does not judge.
    """

    id: str
    key: str
    label: str
    name: str
    method: str
    method_title: str
    colour_key: str
    variant: int
    tone: float = 0.0
    is_baseline: bool
    position: int
    sites: list[SiteShown]
    rate: float | None
    rank: int
    alpha: float
    learning_rate: float
    weight_decay: float
    epochs: float | None
    label_smoothing: float
    consistency_kind: str
    consistency_weight: float | None
    native: bool
    trainable_parameters: int | None
    counts: Counts
    runs: list[RunInArm]
    curve: Curve | None
    final_step: int | None
    final: dict[SeriesName, Estimate]
    stopped: Stopped | None
    best_validation: Estimate
    best_validation_step: float | None
    overfitting: Overfitting
    differences: dict[SeriesName, Difference]
    compute: Compute
    place: int | None
    verdict: Verdict | None = None
