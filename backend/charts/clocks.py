"""What a chart shows of an arm at the comparison's clock: its last evaluation, or stopped in time."""

from collections.abc import Mapping

from backend.comparison.schema import ArmComparison, Clock, Comparison, Difference, Estimate, SeriesName

NOT_KNOWN = Estimate(n=0, mean=None, lo=None, hi=None, half_width=None, sd=None, seeds=[])
WORDS: dict[Clock, str] = {"last": "at the last evaluation", "stopped": "stopped in time"}


def value(arm: ArmComparison, metric: SeriesName, clock: Clock) -> Estimate:
    """Return an arm's mean in a quantity at a clock; of no seed where it is not known."""
    if clock == "last":
        return arm.final[metric]
    return NOT_KNOWN if arm.stopped is None else arm.stopped.final.get(metric, NOT_KNOWN)


def effects(comparison: Comparison, arm: ArmComparison) -> Mapping[SeriesName, Difference]:
    """Return an arm's differences to the baseline, both at the comparison's clock."""
    if comparison.clock == "last":
        return arm.differences
    return {} if arm.stopped is None else arm.stopped.differences


def said(comparison: Comparison) -> str:
    """Return what the title of a difference adds: nothing at the last evaluation."""
    return "" if comparison.clock == "last" else ", each stopped in time"
