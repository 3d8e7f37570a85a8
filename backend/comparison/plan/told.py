"""A comparison's plan as lines of text, for terminals and reports; and what its footnotes say of it."""

from collections.abc import Iterator

from backend.comparison import schema

UNPLANNED = (
    "This study declared no plan before its first run. Whoever looks again at growing data, at another baseline or at "
    "another quantity finds a false difference more often than is stated."
)


def lines(comparison: schema.Comparison) -> list[str]:
    """Return the plan, how far it is, and each judged arm's verdict, best arm first; nothing for a study without."""
    plan = comparison.plan
    if plan is None:
        return []
    arms = {arm.id: arm for arm in comparison.arms}
    ranked = [arms[arm_id] for arm_id in comparison.ranking]
    verdicts = [f"{arm.name}: {arm.verdict.words}" for arm in ranked if arm.verdict is not None]
    return [plan.sentence, plan.standing, *verdicts]


def notes(plan: schema.PlanShown | None) -> Iterator[str]:
    """Yield the footnotes: what lies beyond the plan, counted, or that there is none."""
    if plan is None:
        yield UNPLANNED
        return
    yield (
        "A verdict stands at its look: group-sequential paired t tests, one-sided at 2.5 % for better and for worse, "
        "with Holm-type recycling over the arms. Its interval has the test's own ends; other intervals are unadjusted."
    )
    if len(plan.baseline_arm_ids) > 1:
        yield (
            "A verdict is against the baseline of the arm's own rank; the differences beside it are to one baseline "
            "for all, and decided by tests of their own."
        )
    for i, sentence in enumerate(plan.exploratory, 1):
        yield f"Exploratory, {i} of {len(plan.exploratory)} beyond the plan: {sentence}"
