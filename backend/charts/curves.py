"""Curves as small multiples: a method a panel, the baseline in grey in each, and the step that is kept."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from backend.comparison.schema import ArmComparison, Comparison, SeriesName
from backend.comparison.words import plus_minus
from backend.shared.metrics import METRICS

from .arrays import floats
from .figure import BELOW, CROWD, X_TITLE, Figure, Trace, arm_look, build, crowded_out, meta, nothing
from .lines import line_traces, values_of
from .options import ChartOptions
from .palette import GREY, SILVER, Look
from .panels import COLUMNS, Grid, Panel, axes, described, grid, height, rows_of
from .ranges import epoch_marks, planned_end, x_at, y_range
from .text import safe

LOSSES: tuple[SeriesName, ...] = ("validation/loss", "probe/loss")
LOSSES_TITLE = "Probe and validation loss"
MARK = "rgba(134,142,150,0.3)"
BANDS_UP_TO = 4  # lines of a panel; more hide each other's bands
TITLES_PX = 42  # of the uppermost panels
HEAD_PX, FOOT_PX = 62 + TITLES_PX, 84


def curves(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw the quantity that is asked for as it develops; losses where it is measured at the end only."""
    metric = comparison.metric
    developed = any(
        value is not None
        for arm in comparison.arms
        if arm.curve and metric in arm.curve.series and len(arm.curve.step) > 1
        for value in arm.curve.series[metric].mean[:-1]
    )
    if metric in LOSSES or not developed:
        return losses(comparison, options, name="curves")
    return _draw("curves", comparison, options, (metric,), METRICS[metric].title)


def losses(comparison: Comparison, options: ChartOptions, name: str = "losses") -> Figure:
    """Draw how far training and held-out text drift apart."""
    return _draw(name, comparison, options, LOSSES, LOSSES_TITLE)


def gap(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw the generalization gap: the further above 0, the more the arm overfits."""
    return _draw("gap", comparison, options, ("gap",), f"{METRICS['gap'].title}: validation loss − probe loss")


def accuracy(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw the validation accuracy; studies without one get a sentence."""
    name = "validation/accuracy"
    if not any(arm.curve and name in arm.curve.series for arm in comparison.arms):
        title = METRICS[name].title
        return nothing("accuracy", comparison, title=title, sentence="This study has no such measurement.")
    return _draw("accuracy", comparison, options, (name,), METRICS[name].title)


def _draw(name: str, comparison: Comparison, options: ChartOptions, series: Sequence[SeriesName], title: str) -> Figure:
    found = grid(comparison, options)
    if not any(arm.curve for arm in found.arms):
        return nothing(name, comparison, title=title, sentence="No evaluation has arrived yet.")
    log = options.log_y and series == LOSSES
    traces = _key(series, found.baseline)
    for panel in found.panels:
        traces += _panel(comparison, found, panel, series)
    if any(len(panel.arms) > BANDS_UP_TO for panel in found.panels):
        traces.append(_no_bands())
    ends, left = y_range(found.arms, series, log=log)
    planned = planned_end(comparison, found.arms)
    metric = METRICS[series[0]]
    y_axis: dict[str, Any] = {"type": "log" if log else "linear", "zeroline": series[0] == "gap"}
    y_axis |= {} if ends is None else {"range": ends}
    y_axis |= {"tickformat": ".0%"} if metric.shown == "share" else {}
    marks = epoch_marks(comparison, found.baseline or next(iter(found.arms), None))
    unit = comparison.loss_unit if metric.loss else "share of rows" if metric.shown == "share" else metric.unit
    what = "Loss" if series == LOSSES else metric.short_title
    x_axis: dict[str, Any] = {"rangemode": "tozero", "showgrid": len(marks) == 0}  # epochs are a grid of their own
    x_axis |= {} if planned is None else {"range": [0, planned * 1.01]}
    layout = axes(
        found,
        x=x_axis,
        y=y_axis,
        x_title=X_TITLE[comparison.x],
        y_title=f"{what} ({unit})" if unit else what,
    )
    rows = rows_of(len(found.panels), COLUMNS)
    layout |= {
        "shapes": [_mark(panel.axis, float(x)) for panel in found.panels for x in marks],
        "height": height(rows) + HEAD_PX + FOOT_PX,
        "margin": {"l": 64, "r": 16, "t": HEAD_PX, "b": FOOT_PX},
        "showlegend": True,
        "legend": BELOW,
    }
    if left:
        layout["annotations"].append(_leaves())
    figure = build(
        name,
        comparison,
        title=title,
        alt=_alt(title, series, found.arms, len(found.panels), left=left),
        traces=traces,
        layout=layout,
        shown=found.arms,
        left_out=crowded_out(comparison, options),
    )
    figure["layout"]["uirevision"] += f"/{options.panel}/{options.log_y}"
    figure["layout"]["meta"] |= {**described(found), "head": TITLES_PX}
    return figure


def _panel(comparison: Comparison, found: Grid, panel: Panel, series: Sequence[SeriesName]) -> list[Trace]:
    traces: list[Trace] = []
    base = found.baseline
    grey = Look(GREY, "circle")
    few = len(panel.arms) <= BANDS_UP_TO
    alone = base is not None and panel.arms == [base]
    for name in reversed(series):
        draw = partial(
            line_traces,
            comparison,
            name=name,
            what=METRICS[name].title,
            axis=panel.axis,
            dash=name == "probe/loss",
            share=METRICS[name].shown == "share",
        )
        if base is not None and not alone:
            traces += draw(base, style=grey, band=False, role=f"baseline {name}")
        for arm in panel.arms:
            style = Look(found.colours[arm.id], arm_look(arm).symbol)
            traces += draw(arm, style=style, band=few, marked=few and len(found.arms) <= CROWD)
    for arm in [*([] if base is None or alone else [base]), *panel.arms]:
        colour = GREY if arm is base else found.colours[arm.id]
        traces += _kept(arm, series[0], panel.axis, colour)
    return traces


def _kept(arm: ArmComparison, name: SeriesName, axis: str, colour: str) -> list[Trace]:
    """Return the ring at the step that is kept when runs are stopped in time; where that is not known, at the onset
    of overfitting.
    """
    stopped, found = arm.stopped, arm.overfitting
    step = found.step if stopped is None else stopped.step.median
    if step is None or arm.curve is None or name not in arm.curve.series:
        return []
    values, steps = values_of(arm.curve.series[name].mean), np.array(arm.curve.step, np.float64)
    known = np.isfinite(values)
    at = x_at(arm, step)
    if at is None or not known.any():
        return []
    y = float(np.interp(step, steps[known], values[known]))
    said = found.sentence
    if stopped is not None:
        where = stopped.step
        said = f"Stopped in time, near step {step:g}: seeds from {where.first} to {where.last} (n = {where.n})"
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": floats([at]),
            "y": floats([y]),
            "marker": {"symbol": "circle-open", "size": 10, "color": colour, "line": {"width": 2, "color": colour}},
            "hovertemplate": f"{said}<extra>{safe(arm.name)}</extra>",
            "showlegend": False,
            "legendgroup": arm.id,
            "name": safe(arm.name),
            "xaxis": f"x{axis}",
            "yaxis": f"y{axis}",
            "meta": meta(arm, "lowest" if stopped is None else "kept"),
        }
    ]


def _key(series: Sequence[SeriesName], baseline: ArmComparison | None) -> list[Trace]:
    """Return the legend: what solid, dashed and grey lines and rings are. It has no numbers of its own."""
    shared = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip", "showlegend": True}
    ring = {"symbol": "circle-open", "size": 10, "color": GREY, "line": {"width": 2, "color": GREY}}
    lines = [(METRICS[name].title, "dash" if name == "probe/loss" else "solid", name) for name in series]
    key: list[Trace] = [
        {**shared, "mode": "lines", "name": title, "line": {"color": SILVER, "width": 2.2, "dash": dash}}
        for title, dash, _ in lines
    ]
    if baseline is not None:
        name = f"grey: {safe(baseline.name, 30)}"
        key.append({**shared, "mode": "lines", "name": name, "line": {"color": GREY, "width": 2.2}})
    key.append({**shared, "mode": "markers", "name": "stopped in time", "marker": ring})
    return [{**trace, "meta": {"role": "key"}} for trace in key]


def _no_bands() -> Trace:
    """Return the legend's word that bands are left out though one is chosen."""
    name = f"no bands where a panel has more than {BANDS_UP_TO} lines"
    line = {"mode": "lines", "line": {"width": 0}}
    return {
        "type": "scatter", "x": [None], "y": [None], "name": name, "hoverinfo": "skip", **line, "meta": {"role": "key"}
    }  # fmt: skip


def _mark(axis: str, x: float) -> dict[str, Any]:
    """Return the thin line at the end of an epoch."""
    where = {"xref": f"x{axis}", "x0": x, "x1": x, "yref": f"y{axis} domain", "y0": 0, "y1": 1}
    return {"type": "line", **where, "layer": "below", "line": {"color": MARK, "width": 1}}


def _leaves() -> dict[str, Any]:
    where = {"xref": "x domain", "x": 1, "xanchor": "right", "yref": "y domain", "y": 1, "yanchor": "top"}
    return {"text": "a line leaves the chart above", **where, "showarrow": False, "font": {"size": 10}}


def _alt(title: str, series: Sequence[SeriesName], arms: Sequence[ArmComparison], panels: int, *, left: bool) -> str:
    parts = []
    for arm in arms[:12]:
        values = [(name, arm.final.get(name)) for name in reversed(series)]
        numbers = [
            f"{_split(name) if len(series) > 1 else ''}{plus_minus(value.mean, value.half_width, 3)}"
            for name, value in values
            if value is not None and value.n
        ]
        if not numbers:
            parts.append(f"{arm.name}: no finished run")
            continue
        n = max(value.n for _, value in values if value is not None)
        onset = f". {arm.overfitting.sentence.rstrip('.')}" if series == LOSSES else ""
        parts.append(f"{arm.name}: {', '.join(numbers)} (n = {n}){onset}")
    more = f" {len(arms) - 12} more arms." if len(arms) > 12 else ""
    far = " A line leaves the chart above." if left else ""
    shape = f"{panels} {'panels' if panels > 1 else 'panel'} with the baseline in grey"
    return (
        f"{title}, {shape}; at the last evaluation, mean ± half of the 95 % interval. "
        + "; ".join(parts)
        + f".{more}{far}"
    )


def _split(name: SeriesName) -> str:
    return f"{name.split('/')[0]} "
