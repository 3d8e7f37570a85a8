"""Capacity: gap and the chosen quantity against the adapter's rank; what few trainable parameters do to each method."""

import json
from typing import Any

from backend.comparison.schema import ArmComparison, Comparison, SeriesName
from backend.comparison.words import plus_minus
from backend.shared.metrics import METRICS

from .arrays import floats
from .clocks import NOT_KNOWN
from .figure import Figure, Trace, arm_look, build, crowded_out, meta, nothing, ranked, vertical_panels
from .options import ChartOptions
from .text import safe


def capacity(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw one line a method and rate over the ranks; a study with one rank shows dots."""
    asked: SeriesName = "validation/loss" if comparison.metric == "gap" else comparison.metric
    title = f"Capacity: gap and {METRICS[asked].words} against the adapter's rank"
    arms = ranked(comparison, options)
    if not arms:
        return nothing("capacity", comparison, title=title, sentence="No run has finished yet.")
    groups: dict[tuple[Any, ...], list[ArmComparison]] = {}
    for arm in sorted(arms, key=lambda arm: (arm.rank, arm.position)):
        groups.setdefault(_all_but_rank(arm), []).append(arm)
    traces: list[Trace] = []
    panels: list[tuple[SeriesName, str, str]] = [
        (name, axis, METRICS[name].short_title) for name, axis in (("gap", ""), (asked, "2"))
    ]
    for name, axis, what in panels:
        for i, group in enumerate(groups.values()):
            shift = 1 + 0.012 * (i - (len(groups) - 1) / 2)  # whiskers beside each other, not on top of each other
            traces.append(_line(group, name, axis, what, shift))
    ranks = sorted({arm.rank for arm in arms})
    layout: dict[str, Any] = {}
    for (_, axis, what), domain in zip(panels, vertical_panels(2, 0.12), strict=True):
        layout[f"xaxis{axis}"] = {
            "domain": domain,
            "anchor": f"y{axis}",
            "type": "log",
            "tickmode": "array",
            "tickvals": ranks,
            "ticktext": [_tick(arms, rank) for rank in ranks],
            "title": {"text": "Rank (trainable parameters)"},
        }
        metric = METRICS["gap" if axis == "" else asked]
        unit = comparison.loss_unit if metric.loss else "share of rows" if metric.shown == "share" else metric.unit
        layout[f"yaxis{axis}"] = {
            "anchor": f"x{axis}",
            "title": {"text": f"{what} ({unit})" if unit else what},
            **({"tickformat": ".0%"} if metric.shown == "share" else {}),
        }
    parts = []
    for group in list(groups.values())[:12]:
        numbers = ", ".join(f"rank {arm.rank}: gap {plus_minus(arm.final['gap'].mean, None, 3)}" for arm in group)
        parts.append(f"{_name(group)}: {numbers}")
    alt = f"{title}. " + "; ".join(parts) + "."
    return build(
        "capacity",
        comparison,
        title=title,
        alt=alt,
        traces=traces,
        layout=layout,
        shown=arms,
        left_out=crowded_out(comparison, options),
    )


def _all_but_rank(arm: ArmComparison) -> tuple[Any, ...]:
    sites = tuple(
        (site.position, site.structure, site.rescale, site.rate, json.dumps(site.options, sort_keys=True))
        for site in arm.sites
    )
    return (
        arm.method,
        sites,
        arm.consistency_kind,
        arm.consistency_weight,
        arm.native,
        arm.learning_rate,
        arm.weight_decay,
        arm.epochs,
        arm.label_smoothing,
        arm.alpha / arm.rank,
    )


def _line(group: list[ArmComparison], name: SeriesName, axis: str, what: str, shift: float) -> Trace:
    first = group[0]
    style = arm_look(first)
    values = [arm.final.get(name, NOT_KNOWN) for arm in group]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": floats([arm.rank * shift for arm in group]),
        "y": floats([value.mean for value in values]),
        # Without an interval there is no whisker, not one of no length.
        "error_y": {"type": "data", "array": floats([value.half_width for value in values]), "thickness": 1.5},
        "line": {"color": style.colour, "width": 2},
        "marker": {"color": style.colour, "symbol": style.symbol, "size": 9},
        "text": [
            f"{safe(arm.name)}<br>rank {arm.rank}: {plus_minus(value.mean, value.half_width, 4)} (n = {value.n})"
            for arm, value in zip(group, values, strict=True)
        ],
        "hovertemplate": f"{what}, %{{text}}<extra></extra>",
        "name": safe(_name(group)),
        "legendgroup": first.id,
        "showlegend": axis == "",
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "meta": meta(first, name),
    }


def _name(group: list[ArmComparison]) -> str:
    """Return a line's name: its arms' name without the rank, which is on the axis."""
    first = group[0]
    suffix = f" · r{first.rank}"
    return first.name.removesuffix(suffix) if len(group) > 1 else first.name


def _tick(arms: list[ArmComparison], rank: int) -> str:
    counts = {arm.trainable_parameters for arm in arms if arm.rank == rank and arm.trainable_parameters}
    return f"{rank}<br>({min(counts):,})" if len(counts) == 1 else str(rank)
