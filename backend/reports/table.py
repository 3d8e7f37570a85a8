"""What a report says beside its own text: definitions, and the comparison as a table of words."""

from dataclasses import dataclass

from backend.comparison.overfitting import between
from backend.comparison.schema import ArmComparison, Comparison, Difference, Estimate, Selection, SeriesName
from backend.comparison.statistics.power import CAP
from backend.comparison.words import NONE, p_value, plus_minus
from backend.shared.metrics import METRICS

DEFINITIONS: tuple[tuple[str, str], ...] = (
    ("Arm", "All runs that share a set-up but for the seed; the unit of every mean and interval."),
    ("Seed", "Fixes training rows, probe, data order, initial weights and masks. All arms share the seeds."),
    ("Probe loss", "Loss on a fixed part of the training rows, dropout off."),
    ("Validation loss", "Loss on rows that are never trained on, dropout off; the rows are the same for all seeds."),
    ("Generalization gap", "Validation loss minus probe loss at the same step, both with dropout off, averaged alike."),
    ("Train/inference gap", "Probe loss with dropout on minus probe loss with dropout off."),
    (
        "Overfits by",
        "How far validation loss ends above its low, which other seeds chose on the other half of the validation rows; "
        "in studies without halves, the step from which it stays a standard error above its minimum at every look.",
    ),
    ("Difference", "Arm minus baseline within each seed, then the mean over seeds with its 95 % t interval."),
    (
        "Stopped in time",
        "Every run at its best evaluation: chosen on one half of the validation rows and reported on the other, or "
        "measured on test rows with the adapter that was kept.",
    ),
    (
        "Elsewhere",
        "A data set that no run was trained on, measured before, along and after the training; a rise of its loss is "
        "what was forgotten.",
    ),
    ("p (Holm)", "The paired t test's p value, corrected for the number of arms that are compared."),
    (
        "Seeds to decide",
        "How many seeds show a difference of the measured size and spread with 80 % power at 5 %, corrected; a guide "
        "from what was measured so far.",
    ),
)
_IN_TIME = (
    "Stopped at step",
    "Loss stopped in time",
    "Difference, both stopped",
    "Verdict, both stopped",
    "Last step against the baseline stopped",
    "Verdict, last against stopped",
)


@dataclass(frozen=True)
class ReportTable:
    """A table of texts; every row is as long as `columns`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def result_table(comparison: Comparison, digits: int | None = None) -> ReportTable:
    """Return one row an arm, best first: last evaluation, difference to the baseline and whether it holds, cost.

    It has every score of the study, on validation and on test rows. `digits`: decimals of every number, so that
    columns can be compared by eye; None: as many as each one's uncertainty deserves.
    """
    scores = [one for one in comparison.metrics if one.name.partition("/")[0] in ("validation", "test")]
    scores = [one for one in scores if one.name != "validation/loss"]
    columns = (
        "Arm",
        "Seeds",
        "Probe loss",
        "Validation loss",
        "Difference",
        "Verdict, p (Holm)",
        "Seeds to decide",
        "Gap",
        "Difference in gap",
        *(score.short_title for score in scores),
        "Overfits by",
        "Seconds a run",
    )
    arms = {arm.id: arm for arm in comparison.arms}
    names = [score.name for score in scores]
    rows = tuple(_row(arms[arm_id], names, digits) for arm_id in comparison.ranking)
    return ReportTable(columns, rows)


def in_time_table(comparison: Comparison, digits: int | None = None) -> ReportTable | None:
    """Return one row an arm, in the same order: stopped in time, and its last step against the baseline stopped.

    None where the study does not know the clock.
    """
    if "stopped" not in comparison.clocks:
        return None
    arms = {arm.id: arm for arm in comparison.arms}
    shown = [arms[arm_id] for arm_id in comparison.ranking]
    rows = tuple((_named(arm.label, arm.is_baseline), *_in_time(arm, digits)) for arm in shown)
    return ReportTable(("Arm", *_IN_TIME), rows)


def selection_table(selection: Selection, digits: int | None = None) -> ReportTable:
    """Return one row a method, at the setting that was chosen on validation rows, and what test rows say of it."""
    scores = [name for name in selection.methods[0].scores if name != selection.reported]
    names = (selection.chosen_by, selection.reported, *scores)
    chosen_by, reported, *further = (METRICS[name].short_title for name in names)
    heads = [chosen_by, reported, f"{reported}, cross-fitted", *further]
    rows = tuple(
        (
            _named(method.arm_name, method.is_baseline),
            str(method.candidates),
            _mean(method.validation, digits),
            _mean(method.test, digits),
            _mean(method.crossfitted.value, digits),
            *(_mean(method.scores[name], digits) for name in scores),
            _difference(method.difference, digits),
            _verdict(method.difference, digits),
        )
        for method in selection.methods
    )
    return ReportTable(("Chosen arm", "Of", *heads, "Difference", "Verdict, p (Holm)"), rows)


def _row(arm: ArmComparison, scores: list[SeriesName], digits: int | None) -> tuple[str, ...]:
    final, loss, gap = arm.final, arm.differences.get("validation/loss"), arm.differences.get("gap")
    probe = final.get("probe/loss")
    return (
        _named(arm.label, arm.is_baseline),
        str(final["validation/loss"].n if "validation/loss" in final else 0),
        NONE if probe is None else plus_minus(probe.mean, None, digits),
        _mean(final.get("validation/loss"), digits),
        _difference(loss, digits),
        _verdict(loss, digits),
        NONE if loss is None else _to_decide(loss),
        _mean(final.get("gap"), digits),
        _difference(gap, digits),
        *(_mean(final.get(name), digits) for name in scores),
        _overfitting(arm, digits),
        NONE if arm.compute.seconds is None else f"{arm.compute.seconds:,.0f}",
    )


def _in_time(arm: ArmComparison, digits: int | None) -> tuple[str, ...]:
    """The cells of `_IN_TIME`: of test rows where the kept adapter was measured on some, else of validation rows."""
    if arm.stopped is None:
        return (NONE,) * len(_IN_TIME)
    found, step = arm.stopped, arm.stopped.step
    loss = "test/loss" if "test/loss" in found.final else "validation/loss"
    return (
        f"{step.median:,.0f}" if step.first == step.last else f"{step.median:,.0f} ({step.first:,} to {step.last:,})",
        _mean(found.final.get(loss), digits),
        _difference(found.differences.get(loss), digits),
        _verdict(found.differences.get(loss), digits),
        _difference(found.last_against_stopped.get(loss), digits),
        _verdict(found.last_against_stopped.get(loss), digits),
    )


def _named(name: str, is_baseline: bool) -> str:
    return f"{name} (baseline)" if is_baseline else name


def _mean(found: Estimate | None, digits: int | None) -> str:
    return NONE if found is None else plus_minus(found.mean, found.half_width, digits)


def _difference(found: Difference | None, digits: int | None) -> str:
    return NONE if found is None else plus_minus(found.mean, found.half_width, digits, sign=True)


def _verdict(found: Difference | None, digits: int | None) -> str:
    return NONE if found is None or found.p_holm is None else f"{found.decided}, {p_value(found.p_holm, digits)}"


def _to_decide(loss: Difference) -> str:
    if loss.decided != "undecided":
        return NONE
    if loss.seeds_needed_holm is None:
        return "2 at least" if loss.n < 2 else "no spread" if loss.p_t is None else f"over {CAP:,}"
    return str(loss.seeds_needed_holm)


def _overfitting(arm: ArmComparison, digits: int | None) -> str:
    found = arm.overfitting
    if found.n == 0:
        return NONE
    if found.amount is not None:
        size = plus_minus(found.amount.mean, found.amount.half_width, digits, sign=True)
        return f"{size} {between(found.after, found.before)}" if found.state == "rises" else size
    return f"none of {found.n}" if found.step is None else f"from step {found.step:,.0f} ({found.k} of {found.n})"
