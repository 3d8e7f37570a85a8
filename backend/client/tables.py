"""Answers of the API as tables."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

_SETTINGS = ("rate", "rank", "alpha", "learning_rate", "weight_decay", "epochs", "label_smoothing")
_PARAMETERS = ("label", "method", *_SETTINGS, "is_baseline", "place")


def comparison_frame(comparison: dict[str, Any]) -> "pandas.DataFrame":
    """A comparison as a table, best arm first, indexed by arm id.

    For each measure: its mean at the last evaluation with the half-width of its 95 % interval and its n; then, against
    the baseline over the seeds both finished: mean difference, interval, p of the paired t and that after Holm. Columns
    that begin with "stopped" are of runs stopped in time, those that say "last − baseline stopped" of the free rival.
    Those that begin with "also/" are of further data sets: before, at the last evaluation, the change, and how that
    differs from the baseline's.
    """
    import pandas

    order = {arm_id: place for place, arm_id in enumerate(comparison["ranking"])}
    arms = sorted(comparison["arms"], key=lambda arm: order.get(arm["id"], len(order)))
    rows = [_row(arm) | _elsewhere(comparison.get("elsewhere"), arm["id"]) for arm in arms]
    return pandas.DataFrame(rows, index=pandas.Index([arm["id"] for arm in arms], name="arm_id"))


def _row(arm: dict[str, Any]) -> dict[str, Any]:
    row = {name: arm[name] for name in _PARAMETERS}
    row["finished"] = arm["counts"]["succeeded"]
    for name, found in arm["final"].items():
        row |= {name: found["mean"], f"{name} lo": found["lo"], f"{name} hi": found["hi"], f"{name} n": found["n"]}
    for name, found in arm["differences"].items():
        row |= {f"{name} − baseline": found["mean"], f"{name} − baseline lo": found["lo"]}
        row |= {f"{name} − baseline hi": found["hi"], f"{name} p": found["p_t"], f"{name} p (Holm)": found["p_holm"]}
    row |= _in_time(arm["stopped"]) if arm["stopped"] else {}
    row["overfits from step"] = arm["overfitting"]["step"]
    row["seconds a run"] = arm["compute"]["seconds"]
    return row


def _elsewhere(found: dict[str, Any] | None, arm_id: str) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for measure in [measure for one in found["sets"] for measure in one["measures"]] if found else ():
        name, arm = measure["name"], next(arm for arm in measure["arms"] if arm["arm_id"] == arm_id)
        row |= {f"{name} before": arm["before"]["mean"]}
        for prefix, change in (("", arm["last"]), ("stopped ", arm["stopped"])):
            if change is None:
                continue
            head, differs = f"{prefix}{name}", change["difference"] or {}
            row |= {head: change["value"]["mean"], f"{head} change": change["change"]["mean"]}
            row |= {f"{head} change lo": change["change"]["lo"], f"{head} change hi": change["change"]["hi"]}
            row |= {f"{head} change − baseline": differs.get("mean"), f"{head} p (Holm)": differs.get("p_holm")}
    return row


def _in_time(stopped: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"stopped step": stopped["step"]["median"]}
    for name, found in stopped["final"].items():
        row |= {f"stopped {name}": found["mean"], f"stopped {name} lo": found["lo"], f"stopped {name} hi": found["hi"]}
    heads = {"differences": "stopped {} − baseline", "last_against_stopped": "{} last − baseline stopped"}
    for field, said in heads.items():
        for name, found in stopped[field].items():
            head = said.format(name)
            row |= {head: found["mean"], f"{head} lo": found["lo"], f"{head} hi": found["hi"]}
            row |= {f"{head} p (Holm)": found["p_holm"]}
    return row
