"""What training changed on further data sets, as a table of words."""

from backend.comparison.schema import Change, ChangeDifference, Comparison, MeasuredChange
from backend.comparison.words import NONE, p_value, plus_minus

from .table import ReportTable

_COLUMNS = (
    "Arm",
    "Measured",
    "Before",
    "At the last step",
    "Change",
    "Against the baseline",
    "Verdict, p (Holm)",
    "Change, stopped in time",
    "Against the baseline, stopped",
)


def elsewhere_table(comparison: Comparison, digits: int | None = None) -> ReportTable | None:
    """Return one row an arm and measure, the arms in order of ranking; None where nothing else was measured."""
    found = comparison.elsewhere
    if found is None:
        return None
    names = {arm.id: f"{arm.label} (baseline)" if arm.is_baseline else arm.label for arm in comparison.arms}
    rows = [
        (names[arm_id], measure.title, *_cells(measure, arm_id, digits))
        for one in found.sets
        for measure in one.measures
        for arm_id in comparison.ranking
    ]
    return ReportTable(_COLUMNS, tuple(rows)) if rows else None


def _cells(measure: MeasuredChange, arm_id: str, digits: int | None) -> tuple[str, ...]:
    arm = next(arm for arm in measure.arms if arm.arm_id == arm_id)
    last, stopped = arm.last, arm.stopped
    return (
        plus_minus(arm.before.mean, None, digits),
        plus_minus(last.value.mean, last.value.half_width, digits),
        _change(last, digits),
        _difference(last.difference, digits),
        _verdict(last.difference, digits),
        NONE if stopped is None else _change(stopped, digits),
        NONE if stopped is None else _difference(stopped.difference, digits),
    )


def _change(found: Change, digits: int | None) -> str:
    told = plus_minus(found.change.mean, found.change.half_width, digits, sign=True)
    return f"{told}, {found.worst} diverged" if found.worst else told


def _difference(found: ChangeDifference | None, digits: int | None) -> str:
    return NONE if found is None else plus_minus(found.mean, found.half_width, digits, sign=True)


def _verdict(found: ChangeDifference | None, digits: int | None) -> str:
    return NONE if found is None or found.p_holm is None else f"{found.decided}, {p_value(found.p_holm, digits)}"
