"""The result of a study in a terminal: one line an arm, best first, from the comparison that the page shows too."""

from typing import Any

from rich.table import Table

from backend.cli.console import out

LOSS, GAP, PROBE = "validation/loss", "gap", "probe/loss"
SCORES = {
    "validation/accuracy": "accuracy",
    "validation/macro_f1": "macro-F1",
    "validation/matthews": "Matthews",
    "validation/pearson": "Pearson",
    "validation/spearman": "Spearman",
    "validation/perplexity": "perplexity",
    "validation/bleu": "BLEU",
    "validation/rouge_l": "ROUGE-L",
    "test/loss": "test loss",
    "test/accuracy": "test accuracy",
}


def print_result(comparison: dict[str, Any], *, as_json: bool) -> None:
    """Print the table and the answers, or all of the comparison as JSON."""
    console = out()
    if as_json:
        console.print_json(data=comparison)
        return
    console.print(table(comparison))
    if comparison.get("selection"):
        console.print(selection_table(comparison["selection"]))
        console.print(comparison["selection"]["sentence"], markup=False)
    for answer in comparison["answers"]:
        first = "" if answer["text"].startswith(answer["headline"]) else f"{answer['headline']}. "
        advice = f"{answer['advice']} " if answer.get("advice") else ""
        console.print(f"{answer['question']} {first}{advice}{answer['text']}", markup=False)
    for note in comparison["notes"]:
        console.print(f"Note: {note}", markup=False)


def table(comparison: dict[str, Any]) -> Table:
    """Arm, n, the measures with their 95 % intervals, onset, and the difference to the baseline with Holm's p."""
    arms = {arm["id"]: arm for arm in comparison["arms"]}
    baseline = arms.get(comparison["baseline_arm_id"] or "")
    shown = Table(title=f"{comparison['study_name']}: {comparison['model']} on {comparison['dataset']}")
    shown.add_column("arm", overflow="fold")
    against = f"loss minus {baseline['name']}" if baseline else "difference"
    scores = [name for name in SCORES if any(name in arm["final"] for arm in comparison["arms"])]
    shown_scores = [SCORES[name] for name in scores]
    for name in ("n", "probe loss", "validation loss", "gap", *shown_scores, "onset step", against, "Holm p"):
        shown.add_column(name, justify="right", no_wrap=name not in (against, "onset step"))
    for arm_id in comparison["ranking"]:
        shown.add_row(*row(arms[arm_id], scores))
    return shown


def row(arm: dict[str, Any], scores: list[str]) -> list[str]:
    """The cells of one arm; `scores`: names of those that the study has."""
    final = arm["final"]
    onset, difference = arm["onset"], arm["differences"].get(LOSS)
    return [
        arm["name"] + (" (baseline)" if arm["is_baseline"] else ""),
        str(final[LOSS]["n"]) if LOSS in final else "0",
        number(final.get(PROBE), with_interval=False),
        number(final.get(LOSS)),
        number(final.get(GAP)),
        *(number(final.get(name), with_interval=False) for name in scores),
        f"{onset['step']:g} ({onset['k']} of {onset['n']})" if onset["step"] is not None else f"– (0 of {onset['n']})",
        "–" if arm["is_baseline"] else number(difference, signed=True),
        "–" if arm["is_baseline"] or difference is None else p_value(difference["p_holm"]),
    ]


def selection_table(selection: dict[str, Any]) -> Table:
    """Each method at the setting chosen on validation rows, with what test rows say of it."""
    shown = Table(title="Each method at its best, on test rows")
    shown.add_column("chosen arm", overflow="fold")
    for name in ("of", selection["chosen_by"], selection["reported"], "difference", "Holm p"):
        shown.add_column(name, justify="right")
    for method in selection["methods"]:
        difference = method["difference"]
        shown.add_row(
            method["arm_name"] + (" (baseline)" if method["is_baseline"] else ""),
            str(method["candidates"]),
            number(method["validation"]),
            number(method["test"]),
            "–" if difference is None else number(difference, signed=True),
            "–" if difference is None else p_value(difference["p_holm"]),
        )
    return shown


def number(estimate: dict[str, Any] | None, *, with_interval: bool = True, signed: bool = False) -> str:
    """`0.572 ± 0.031`; without the interval where n is 1, a dash where there is nothing."""
    if estimate is None or estimate["mean"] is None:
        return "–"
    mean = f"{estimate['mean']:+.3f}" if signed else f"{estimate['mean']:.3f}"
    half = estimate["half_width"]
    return f"{mean} ± {half:.3f}" if with_interval and half is not None else mean


def p_value(p: float | None) -> str:
    """Three digits, never a false zero."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
