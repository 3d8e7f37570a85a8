"""What the answers weigh: by which loss and which score, who may win, and who is better or worse than the baseline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from backend.comparison import schema
from backend.comparison.words import Judged, amount, p_value, plain
from backend.shared.metrics import METRICS
from backend.shared.specs import Task
from backend.studies.plan.words import size

# The score that a person means by "better", the first that was recorded; a gap, a loss or a perplexity is none.
_SCORES = ("accuracy", "matthews", "pearson", "spearman", "rouge_l", "bleu", "chrf")

TiesOf = Callable[[str, schema.SeriesName, Judged], Sequence[str]]


@dataclass(frozen=True)
class Contest:
    """The arms, the one that they are held against, and by which loss and score.

    Where test rows were measured, on which nothing was chosen, the answers speak of them and of nothing else. `judged`
    says at which clock, and against the baseline at which. `rows`: held-out rows that the answers speak of, 0 where
    that is not known.
    """

    arms: Sequence[schema.ArmComparison]
    baseline: schema.ArmComparison
    loss: schema.SeriesName
    score: schema.SeriesName | None
    ties_of: TiesOf
    judged: Judged = "last"
    plan: schema.PlanShown | None = None
    rows: int = 0
    task: Task = "classification"

    @classmethod
    def of(
        cls,
        arms: Sequence[schema.ArmComparison],
        baseline: schema.ArmComparison,
        ties_of: TiesOf,
        plan: schema.PlanShown | None = None,
        rows_of: Mapping[str, int] | None = None,
        task: Task = "classification",
    ) -> Self:
        """Return the contest of all arms of a study; `rows_of`: how many rows a split has."""
        measured = [arm.final for arm in (baseline, *arms) if arm.final["validation/loss"].n]
        tested = bool(measured) and all("test/loss" in final and final["test/loss"].n for final in measured)
        split = "test" if tested else "validation"
        score = next((name for one in _SCORES if (name := _name(split, one)) in baseline.final), None)
        rows = (rows_of or {}).get(split, 0)
        return cls(arms, baseline, _name(split, "loss"), score, ties_of, plan=plan, rows=rows, task=task)

    def at(self, judged: Judged) -> Self:
        """Return the same contest at another clock."""
        return replace(self, judged=judged)

    def differences(self, arm: schema.ArmComparison) -> Mapping[schema.SeriesName, schema.Difference]:
        """Return an arm's differences to the baseline; none where it has no value stopped in time."""
        if self.judged == "last":
            return arm.differences
        if arm.stopped is None:
            return {}
        return arm.stopped.differences if self.judged == "stopped" else arm.stopped.last_against_stopped

    def differences_known(self, clock: schema.Clock) -> bool:
        """Whether loss and gap can be compared at a clock."""
        return clock == "last" or any(
            arm.stopped is not None and {self.loss, "gap"} <= arm.stopped.differences.keys() for arm in self.others
        )

    def within(self, clock: schema.Clock) -> str:
        """Write the size that no method differs by at a clock, where the plan says so of every one; "" elsewhere."""
        plan = self.plan
        if plan is None or (plan.metric, plan.clock, plan.baseline_arm_id) != (self.loss, clock, self.baseline.id):
            return ""
        kinds = {None if arm.verdict is None else arm.verdict.kind for arm in self.others}
        return size(plan.smallest, plan.metric) if kinds == {"no_difference"} else ""

    @property
    def others(self) -> list[schema.ArmComparison]:
        """All arms but the baseline."""
        return [arm for arm in self.arms if arm.id != self.baseline.id]

    def leader(self, among: Sequence[schema.ArmComparison], metric: schema.SeriesName) -> schema.ArmComparison | None:
        """Return the arm with the best mean difference to the baseline, None where no pair of runs is finished."""
        scored = [
            (gain, arm.position, arm)
            for arm in among
            if arm.id != self.baseline.id and (gain := self._gain(arm, metric)) is not None
        ]
        return max(scored, key=lambda item: (item[0], -item[1]))[2] if scored else None

    def better(self, arm: schema.ArmComparison, metric: schema.SeriesName) -> bool:
        """Whether an arm is better than the baseline, clear of seed noise after correction."""
        return self._decided(arm, metric, "higher" if METRICS[metric].higher_is_better else "lower")

    def worse(self, arm: schema.ArmComparison, metric: schema.SeriesName) -> bool:
        """Whether an arm is worse than the baseline, clear of seed noise after correction."""
        return self._decided(arm, metric, "lower" if METRICS[metric].higher_is_better else "higher")

    def seems_worse(self, arm: schema.ArmComparison, metric: schema.SeriesName | None) -> bool:
        """Whether an arm's own interval, uncorrected, lies on the worse side: enough not to call it the best."""
        difference = None if metric is None else self.differences(arm).get(metric)
        if metric is None or difference is None or difference.interval_spans_zero:
            return False
        gain = self._gain(arm, metric)
        return gain is not None and gain < 0

    def learns_less(self, arm: schema.ArmComparison) -> bool:
        """Whether an arm predicts worse than the baseline by loss or score: a small gap is no merit then."""
        return self.seems_worse(arm, self.loss) or self.seems_worse(arm, self.score)

    def of_score(self, arm: schema.ArmComparison) -> str:
        """Say what an arm does to the task's score, "" where none was recorded or too few seeds are finished."""
        difference = None if self.score is None else self.differences(arm).get(self.score)
        if self.score is None or difference is None or difference.mean is None or difference.half_width is None:
            return ""
        title = METRICS[self.score].short_title
        if difference.mean == 0 and not difference.sd:
            return f" {title} is the same."
        by = amount(difference.mean, difference.half_width, self.score)
        way = "higher" if difference.mean > 0 else "lower"
        if self.better(arm, self.score) or self.worse(arm, self.score):
            return f" {title} is {way} by {by} ({p_value(difference.p_holm)})."
        if not difference.interval_spans_zero:
            return f" {title} is {way} by {by} taken alone, not after correction."
        return f" {title} shows no difference ({by} {way})."

    def of_confidence(self, arm: schema.ArmComparison) -> str:
        """Say what a lower loss of a classifier is about where its score shows no difference, "" elsewhere."""
        difference = None if self.score is None else self.differences(arm).get(self.score)
        unchanged = difference is not None and difference.interval_spans_zero
        if unchanged and self.better(arm, self.loss) and str(self.score).endswith(("accuracy", "matthews")):
            return " The lower loss is about how sure the answers are, then, not which they are."
        return ""

    def ties(
        self, arm: schema.ArmComparison, metric: schema.SeriesName, among: Sequence[schema.ArmComparison]
    ) -> list[schema.ArmComparison]:
        """Return which of these arms, the baseline aside, are not told apart from an arm in a quantity."""
        tied = set(self.ties_of(arm.id, metric, self.judged)) - {self.baseline.id}
        return [one for one in among if one.id in tied]

    def final(self, arm: schema.ArmComparison) -> str:
        """Write an arm's mean loss: at its last step, or stopped in time."""
        if self.judged == "stopped" and arm.stopped is not None:
            return plain(arm.stopped.final[self.loss].mean)
        return plain(arm.final[self.loss].mean)

    def _gain(self, arm: schema.ArmComparison, metric: schema.SeriesName) -> float | None:
        difference = self.differences(arm).get(metric)
        if difference is None or difference.mean is None:
            return None
        return difference.mean if METRICS[metric].higher_is_better else -difference.mean

    def _decided(self, arm: schema.ArmComparison, metric: schema.SeriesName, way: schema.Decision) -> bool:
        difference = self.differences(arm).get(metric)
        return difference is not None and difference.decided == way


def _name(split: str, score: str) -> schema.SeriesName:
    return f"{split}/{score}"
