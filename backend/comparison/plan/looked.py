"""What lies beyond a study's plan: runs that it does not judge, and views that were opened once there were results."""

from collections.abc import Mapping, Sequence
from typing import Any

from backend.comparison.schema import Comparison, SeriesName
from backend.comparison.statistics.records import View
from backend.comparison.words import several
from backend.shared.metrics import METRICS
from backend.shared.specs import PlanSpec

ALWAYS_SHOWN: SeriesName = "validation/loss"
_NAMED = 5


def planned(plan: PlanSpec, label: str, seed: int) -> bool:
    """Return whether the run of an arm (its label) with a seed is one that the plan judges, or judges against."""
    baselines = (plan.baseline, *(plan.baselines or ()))
    arm = plan.arms is None or label in plan.arms or label in baselines
    return arm and plan.seeds is not None and seed < plan.seeds


def beyond(comparison: Comparison) -> View | None:
    """Return what of this comparison its plan does not judge; None where nothing is, or nothing has ended yet."""
    plan = comparison.plan
    if plan is None or not any(arm.counts.succeeded for arm in comparison.arms):
        return None
    baseline = None if comparison.baseline_arm_id in plan.baseline_arm_ids else comparison.baseline_arm_id
    metric = None if comparison.metric in (plan.metric, ALWAYS_SHOWN) else comparison.metric
    return None if baseline is None and metric is None else (baseline, metric)


def sentence(views: Sequence[View], names: Mapping[str, str]) -> str:
    """Say what was looked at; names: of arms, by id. Nothing where nothing was."""
    baselines = list(dict.fromkeys(names[arm] for arm, _ in views if arm is not None and arm in names))
    metrics = list(dict.fromkeys(METRICS[name].words for _, name in views if name in METRICS))
    parts = [f"against {_listed(baselines)}"] if baselines else []
    parts += [f"by {_listed(metrics)}"] if metrics else []
    if not parts:
        return ""
    return (
        f"Since its first results the study was also looked at {' and '.join(parts)}: {several(len(views), 'view')} "
        "that the plan does not judge, each a further chance of a false difference."
    )


def _listed(what: Sequence[Any]) -> str:
    more = f" and {len(what) - _NAMED} more" if len(what) > _NAMED else ""
    return ", ".join(what[:_NAMED]) + more
