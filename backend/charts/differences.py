"""The main chart, a forest: every arm's paired differences to the baseline at both clocks, each seed visible.

A row an arm, best first. Its name stands over what it came to: the verdict and what it costs. The grey band is the
smallest difference that matters, where the study says one.
"""

from typing import Any

from backend.comparison.schema import ArmComparison, Clock, Comparison, Difference
from backend.comparison.words import capital, plus_minus
from backend.shared.metrics import METRICS, Metric

from .arrays import floats
from .clocks import WORDS, effects
from .figure import BELOW, Figure, Trace, arm_look, build, crowded_out, meta, nothing, ranked
from .options import ChartOptions
from .text import safe, wrapped

GREY = "#868e96"
BAND = "rgba(134,142,150,0.2)"
ROW_PX = 44
FRAME_PX = 164
# Of the row's height: the last step above, stopped in time below, and the seeds on the line of their mean.
OFFSET: dict[Clock, float] = {"last": -0.16, "stopped": 0.16}
BETTER = {True: "better", False: "worse", None: "differs"}


def differences(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw what each arm is worth against the baseline: where its interval lies clear of 0 it differs."""
    metric = METRICS[comparison.metric]
    base = next((arm for arm in comparison.arms if arm.is_baseline), None)
    against = "the baseline" if base is None else base.name
    title = f"Difference to {safe(against, 60)} in {metric.words}"
    # The free rival first: what stopping in time is worth without any method.
    order = sorted(ranked(comparison, options), key=lambda arm: not arm.is_baseline)
    rows = [(arm, found) for arm in order if (found := _both(comparison, arm))]
    if not rows:
        return nothing("differences", comparison, title=title, sentence="No seed has finished in two arms yet.")
    smallest = _smallest(comparison)
    traces: list[Trace] = _key({clock for _, found in rows for clock in found}, smallest)
    for row, (arm, found) in enumerate(rows):
        traces += _spans(metric, arm, found, row)
    names = [safe(arm.name, 26) + (" stopped in time" if arm.is_baseline else "") for arm, _ in rows]
    notes = [_came_to(comparison, metric, arm) for arm, _ in rows]
    layout = {
        "xaxis": {
            "title": {"text": _axis_title(comparison, metric, against)},
            "zeroline": True,
            **({"tickformat": "+.1%"} if metric.shown == "share" else {}),
        },
        "yaxis": {
            "tickmode": "array",
            "tickvals": list(range(len(rows))),
            "ticktext": [_two_lines(name, note) for name, note in zip(names, notes, strict=True)],
            "range": [len(rows) - 0.5, -0.5],
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
        },
        "shapes": [*_stripes(len(rows)), *([] if smallest is None else [_band(smallest)])],
        "height": FRAME_PX + ROW_PX * len(rows),
        "showlegend": True,
        "legend": BELOW,
        "margin": {"l": 64, "r": 16, "t": 72, "b": 92},
    }
    figure = build(
        "differences",
        comparison,
        title=title,
        alt=_alt(title, metric, [(arm, found, note) for (arm, found), note in zip(rows, notes, strict=True)], smallest),
        traces=traces,
        layout=layout,
        shown=[arm for arm, _ in rows],
        left_out=crowded_out(comparison, options),
    )
    figure["layout"]["meta"] |= {"rows": [arm.id for arm, _ in rows], "row_px": ROW_PX}
    figure["layout"]["meta"]["narrow"] = _narrow(names, notes)
    return figure


def _both(comparison: Comparison, arm: ArmComparison) -> dict[Clock, Difference]:
    """Return an arm's differences by clock; the baseline's own is itself stopped in time, which costs nothing."""
    name = comparison.metric
    if arm.is_baseline:
        free = None if arm.stopped is None else arm.stopped.last_against_stopped.get(name)
        return {} if free is None or free.mean is None else {"stopped": _turned(free)}
    found: dict[Clock, Difference | None] = {
        "last": arm.differences.get(name),
        "stopped": None if arm.stopped is None else arm.stopped.differences.get(name),
    }
    return {clock: one for clock, one in found.items() if one is not None and one.mean is not None}


def _turned(found: Difference) -> Difference:
    """Return a difference the other way round: the second minus the first."""

    def minus(value: float | None) -> float | None:
        return None if value is None else -value

    pairs = [pair.model_copy(update={"value": -pair.value}) for pair in found.pairs]
    return found.model_copy(
        update={"mean": minus(found.mean), "lo": minus(found.hi), "hi": minus(found.lo), "pairs": pairs}
    )


def _spans(metric: Metric, arm: ArmComparison, found: dict[Clock, Difference], row: int) -> list[Trace]:
    """Return the seeds of an arm's differences, and their means with intervals: filled at the last step, open stopped.

    Both clocks are in one trace: forty arms are eighty traces, which is what a browser draws without a pause.
    """
    colour = arm_look(arm).colour
    shared = {"type": "scatter", "mode": "markers", "name": safe(arm.name), "legendgroup": arm.id, "showlegend": False}
    number = "%{x:+.2%}" if metric.shown == "share" else "%{x:+.4f}"
    pairs = [(clock, pair) for clock, one in found.items() for pair in one.pairs]
    seeds = {
        **shared,
        "x": floats([pair.value for _, pair in pairs]),
        "y": [row + OFFSET[clock] for clock, _ in pairs],
        "marker": {"color": colour, "size": 5, "opacity": 0.45, "symbol": "line-ns-open", "line": {"width": 1.5}},
        "customdata": [clock for clock, _ in pairs],
        "text": [f"seed {pair.seed}, {WORDS[clock]}" for clock, pair in pairs],
        "hovertemplate": f"%{{text}}: {number}<extra>{safe(arm.name)}</extra>",
        "meta": meta(arm, "seeds"),
    }
    said = {
        clock: "the baseline stopped, against its last step" if arm.is_baseline else one.meaning
        for clock, one in found.items()
    }
    means = {
        **shared,
        "x": floats([one.mean for one in found.values()]),
        "y": [row + OFFSET[clock] for clock in found],
        "error_x": {
            "type": "data",
            "array": floats([one.half_width for one in found.values()]),
            "color": colour,
            "thickness": 1.8,
            "width": 4,
        },
        "marker": {
            "color": colour,
            "symbol": ["circle" if clock == "last" else "circle-open" for clock in found],
            "size": 10,
            "line": {"color": colour, "width": 2},
        },
        "customdata": list(found),
        "text": [
            f"{capital(WORDS[clock])}: {_written(metric, one.mean, one.half_width)} (n = {one.n})"
            f"<br>{wrapped(said[clock])}"
            for clock, one in found.items()
        ],
        "hovertemplate": f"%{{text}}<extra>{safe(arm.name)}</extra>",
        "meta": meta(arm, "difference"),
    }
    return [seeds, means]


def _key(clocks: set[Clock], smallest: float | None) -> list[Trace]:
    """Return the legend: what filled, open and small marks and the band are. It has no points of its own."""
    marks = [("circle", 10, "at the last step", "last"), ("circle-open", 10, "both stopped in time", "stopped")]
    entries = [mark for mark in marks if mark[3] in clocks] + [("line-ns-open", 7, "one seed", "seed")]
    if smallest is not None:
        entries.append(("square", 12, f"too small to matter: ± {smallest:g}", "band"))
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [None],
            "y": [None],
            "name": words + (", with its 95 % interval" if place == 0 else ""),
            "marker": {
                "symbol": symbol,
                "size": size,
                "color": BAND if role == "band" else GREY,
                "line": {"color": GREY, "width": 0 if role == "band" else 2},
            },
            "hoverinfo": "skip",
            "meta": {"role": f"key {role}"},
        }
        for place, (symbol, size, words, role) in enumerate(entries)
    ]


def _came_to(comparison: Comparison, metric: Metric, arm: ArmComparison) -> str:
    """Return what an arm came to in a few words: the plan's verdict, else the test's, and what it costs."""
    plan = comparison.plan
    difference = effects(comparison, arm).get(comparison.metric)
    words = []
    if arm.is_baseline:
        return "costs nothing"
    asked = (comparison.metric, comparison.baseline_arm_id)
    if plan is not None and (plan.metric, plan.baseline_arm_id) == asked and arm.verdict is not None:
        words.append(arm.verdict.title)
    elif difference is not None and difference.decided == "undecided":
        words.append("undecided")
    elif difference is not None:
        better = metric.higher_is_better
        words.append(BETTER[None if better is None else (difference.decided == "higher") == better])
    if arm.compute.seconds_factor is not None:
        words.append(f"{arm.compute.seconds_factor:.2f} × the time")
    return ", ".join(words)


def _smallest(comparison: Comparison) -> float | None:
    """Return the smallest difference that matters in the quantity that is drawn: the plan's, else the verdict's."""
    plan, further = comparison.plan, comparison.verdict.further
    if plan is not None and plan.metric == comparison.metric:
        return plan.smallest
    return further.smallest if further is not None and further.metric == comparison.metric else None


def _band(smallest: float) -> dict[str, Any]:
    fill = {"fillcolor": BAND, "line": {"width": 0}, "layer": "below"}
    return {"type": "rect", "x0": -smallest, "x1": smallest, "yref": "paper", "y0": 0, "y1": 1, **fill}


def _stripes(rows: int) -> list[dict[str, Any]]:
    """Return a thin line between two rows each, so that the eye keeps to its row across a wide chart."""
    line = {"color": "rgba(134,142,150,0.2)", "width": 1}
    return [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "layer": "below", "line": line}
        for y in (row - 0.5 for row in range(1, rows))
    ]


def _two_lines(name: str, note: str) -> str:
    return f'{name}<br><span style="font-size:10px">{safe(note, 48)}</span>' if note else name


def _narrow(names: list[str], notes: list[str]) -> dict[str, Any]:
    """Return what is different on a narrow page: names stand in the chart, over their rows, and leave it its width."""
    labels = [
        {
            "text": f"{name} · {safe(note.replace(' the time', ''), 44)}" if note else name,
            "xref": "paper",
            "x": 0,
            "xanchor": "left",
            "y": row - 0.5,
            "yanchor": "top",
            "showarrow": False,
            "font": {"size": 11},
        }
        for row, (name, note) in enumerate(zip(names, notes, strict=True))
    ]
    height = FRAME_PX + round(1.5 * ROW_PX) * len(names)
    return {
        "yaxis": {"showticklabels": False},
        "annotations": labels,
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 72, "b": 120},
    }


def _axis_title(comparison: Comparison, metric: Metric, against: str) -> str:
    unit = comparison.loss_unit if metric.loss else metric.unit if metric.shown != "share" else "points of per cent"
    way = {True: "higher is better →", False: "← lower is better", None: ""}[metric.higher_is_better]
    parts = [f"Δ {metric.words}{f' ({unit})' if unit else ''}, arm less {safe(against, 40)}", way]
    return "<br>".join(part for part in parts if part)


def _written(metric: Metric, mean: float | None, half: float | None) -> str:
    if metric.shown != "share":
        return plus_minus(mean, half, 4, sign=True)
    return plus_minus(None if mean is None else 100 * mean, None if half is None else 100 * half, 1, sign=True) + " pt"


def _alt(
    title: str, metric: Metric, rows: list[tuple[ArmComparison, dict[Clock, Difference], str]], smallest: float | None
) -> str:
    parts = []
    for arm, found, note in rows[:12]:
        numbers = ", ".join(
            f"{WORDS[clock]} {_written(metric, one.mean, one.half_width)} (n = {one.n})" for clock, one in found.items()
        )
        parts.append(f"{arm.name}: {numbers}{f', {note}' if note else ''}")
    more = f" {len(rows) - 12} more arms." if len(rows) > 12 else ""
    way = {True: " Higher is better.", False: " Lower is better.", None: ""}[metric.higher_is_better]
    matters = "" if smallest is None else f" Differences within ± {smallest:g} are too small to matter."
    return f"{title}, mean ± half of the 95 % interval.{way}{matters} " + "; ".join(parts) + "." + more
