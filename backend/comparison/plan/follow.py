"""What the plan decides is what the comparison calls decided, in the plan's metric, at its clock, to its baseline."""

from collections.abc import Sequence

from backend.comparison import schema
from backend.shared.metrics import METRICS

from .draw import Drawn

Differences = dict[schema.SeriesName, schema.Difference]


def follow(
    drawn: Drawn | None, arm_ids: Sequence[str], found: list[Differences], baseline: str | None, clock: schema.Clock
) -> list[Differences]:
    """Return the arms' differences at a clock, those that the plan judges decided as it does and told in its words.

    Unchanged where there is no plan, or it judges at another clock or against another baseline: its verdicts stand
    beside them then.
    """
    if drawn is None or clock != drawn.plan.clock or baseline != drawn.plan.baseline_arm_id:
        return found
    metric = drawn.plan.metric
    better: schema.Decision = "higher" if METRICS[metric].higher_is_better else "lower"
    worse: schema.Decision = "lower" if better == "higher" else "higher"
    told: dict[schema.VerdictKind, schema.Decision] = {
        "better": better,
        "better_by_more": better,
        "worse": worse,
    }
    rows = []
    for arm_id, row in zip(arm_ids, found, strict=True):
        verdict, difference = drawn.verdicts.get(arm_id), row.get(metric)
        if verdict is not None and difference is not None:
            change = {"decided": told.get(verdict.kind, "undecided"), "meaning": verdict.words}
            row = {**row, metric: difference.model_copy(update=change)}
        rows.append(row)
    return rows
