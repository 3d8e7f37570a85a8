"""What a report says beside its own text: definitions, and the comparison as a table of words."""

from dataclasses import dataclass

from backend.comparison.schema import ArmComparison, Comparison, Difference, Estimate, SeriesName
from backend.comparison.statistics.power import CAP
from backend.comparison.words import SCORE, p_value, plain

NONE = "–"
SCORES: dict[SeriesName, str] = {
    "validation/accuracy": "Accuracy",
    "validation/macro_f1": "Macro-F1",
    "validation/matthews": "Matthews",
    "validation/pearson": "Pearson",
    "validation/spearman": "Spearman",
    "validation/perplexity": "Perplexity",
    "validation/bleu": "BLEU",
    "validation/rouge_l": "ROUGE-L",
    "validation/chrf": "chrF",
    "validation/ter": "TER",
    "test/loss": "Test loss",
    "test/accuracy": "Test accuracy",
}
DEFINITIONS: tuple[tuple[str, str], ...] = (
    ("Arm", "All runs that share a set-up but for the seed; the unit of every mean and interval."),
    ("Seed", "Fixes training rows, probe, data order, initial weights and masks. All arms share the seeds."),
    ("Probe loss", "Loss on a fixed part of the training rows, dropout off."),
    ("Validation loss", "Loss on rows that are never trained on, dropout off; the rows are the same for all seeds."),
    ("Generalization gap", "Validation loss minus probe loss at the same step, both with dropout off, averaged alike."),
    ("Train/inference gap", "Probe loss with dropout on minus probe loss with dropout off."),
    (
        "Overfitting onset",
        "The step of a run's validation minimum, where the loss stays more than one standard error above it at every "
        "later evaluation while the probe loss keeps falling; of an arm, the median over its runs.",
    ),
    ("Difference", "Arm minus baseline within each seed, then the mean over seeds with its 95 % t interval."),
    ("p (Holm)", "The paired t test's p value, corrected for the number of arms that are compared."),
    (
        "Seeds to decide",
        "How many seeds show a difference of the measured size and spread with 80 % power at 5 %, corrected; a guide "
        "from what was measured so far.",
    ),
)


@dataclass(frozen=True)
class ReportTable:
    """A table of texts; every row is as long as `columns`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def result_table(comparison: Comparison) -> ReportTable:
    """Return one row an arm, best first: last evaluation, difference to the baseline and whether it holds, cost.

    Of the scores it has the one that the task's literature reports, and those on test rows; the export has them all.
    """
    told = SCORE.get(comparison.task, ())
    scores = [
        name
        for name in SCORES
        if (name in told or name.startswith("test/")) and any(name in arm.final for arm in comparison.arms)
    ]
    columns = (
        "Arm",
        "Seeds",
        "Validation loss",
        "Difference",
        "Verdict, p (Holm)",
        "Seeds to decide",
        "Gap",
        "Difference in gap",
        *(SCORES[name] for name in scores),
        "Overfits from step",
        "Seconds a run",
    )
    arms = {arm.id: arm for arm in comparison.arms}
    rows = tuple(_row(arms[arm_id], scores) for arm_id in comparison.ranking)
    return ReportTable(columns, rows)


def _row(arm: ArmComparison, scores: list[SeriesName]) -> tuple[str, ...]:
    loss = arm.differences.get("validation/loss")
    judged = loss is not None and loss.p_holm is not None
    return (
        f"{arm.label} (baseline)" if arm.is_baseline else arm.label,
        str(arm.final["validation/loss"].n if "validation/loss" in arm.final else 0),
        _estimate(arm, "validation/loss"),
        _difference(arm, "validation/loss"),
        f"{loss.decided}, {p_value(loss.p_holm)}" if loss is not None and judged else NONE,
        NONE if loss is None or arm.is_baseline else _to_decide(loss),
        _estimate(arm, "gap"),
        _difference(arm, "gap"),
        *(_estimate(arm, name) for name in scores),
        _onset(arm),
        NONE if arm.compute.seconds is None else f"{arm.compute.seconds:,.0f}",
    )


def _estimate(arm: ArmComparison, metric: SeriesName) -> str:
    return _plus_minus(arm.final.get(metric))


def _difference(arm: ArmComparison, metric: SeriesName) -> str:
    return NONE if arm.is_baseline else _plus_minus(arm.differences.get(metric))


def _plus_minus(found: Estimate | Difference | None) -> str:
    if found is None or found.mean is None:
        return NONE
    sign = "+" if isinstance(found, Difference) and found.mean > 0 else ""
    written = f"{sign}{plain(found.mean, found.half_width)}"
    return written if found.half_width is None else f"{written} ± {plain(found.half_width, found.half_width)}"


def _to_decide(loss: Difference) -> str:
    if loss.decided != "undecided":
        return NONE
    if loss.seeds_needed_holm is None:
        return "2 at least" if loss.n < 2 else f"over {CAP:,}"
    return str(loss.seeds_needed_holm)


def _onset(arm: ArmComparison) -> str:
    onset = arm.onset
    if onset.n == 0:
        return NONE
    return f"none of {onset.n}" if onset.step is None else f"{onset.step:,.0f} ({onset.k} of {onset.n})"
