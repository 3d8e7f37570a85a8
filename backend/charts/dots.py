"""Dots with whiskers, one row an arm, in one or two panels: final values with 95 % t intervals."""

from typing import Any

from backend.comparison.schema import ArmComparison, SeriesName
from backend.comparison.words import plus_minus

from .arrays import floats
from .figure import Trace, arm_look, meta
from .text import safe


def dot_traces(arms: list[ArmComparison], name: SeriesName, *, axis: str, what: str) -> list[Trace]:
    """Return one dot with its whisker for each arm that has the quantity; row = place in `arms`."""
    traces = []
    for row, arm in enumerate(arms):
        value = arm.final.get(name)
        if value is None or value.mean is None:
            continue
        style = arm_look(arm)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": floats([value.mean]),
                "y": floats([float(row)]),
                "error_x": {"type": "data", "array": floats([value.half_width]), "color": style.colour},
                "marker": {"color": style.colour, "symbol": style.symbol, "size": 11},
                "hovertemplate": (
                    f"{what}: {plus_minus(value.mean, value.half_width, 4)} (n = {value.n})"
                    f"<extra>{safe(arm.name)}</extra>"
                ),
                "name": safe(arm.name),
                "legendgroup": arm.id,
                "showlegend": False,
                "xaxis": f"x{axis}",
                "yaxis": f"y{axis}",
                "meta": meta(arm, name),
            }
        )
    return traces


def dot_axes(arms: list[ArmComparison], *, domain: list[float], axis: str, title: str) -> dict[str, Any]:
    """Return the axes of one panel; arm names stand at the first one only."""
    first = axis == ""
    return {
        f"xaxis{axis}": {"domain": domain, "anchor": f"y{axis}", "title": {"text": title}, "rangemode": "tozero"},
        f"yaxis{axis}": {
            "anchor": f"x{axis}",
            "tickmode": "array",
            "tickvals": list(range(len(arms))),
            "ticktext": [safe(arm.name, 28) for arm in arms],
            "showticklabels": first,
            "automargin": first,
            "range": [len(arms) - 0.5, -0.5],
            "zeroline": False,
        },
    }
