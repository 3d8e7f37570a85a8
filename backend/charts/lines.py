"""One quantity of one arm against the x axis: the mean over seeds, its band, or the seeds themselves."""

import numpy as np

from backend.comparison.schema import ArmComparison, Comparison, SeriesName
from backend.comparison.statistics.intervals import INTERVAL_FROM

from .arrays import Floats, band_outline, floats, thin
from .figure import CROWD, Trace, arm_look, meta
from .text import safe


def line_traces(
    comparison: Comparison,
    arm: ArmComparison,
    name: SeriesName,
    *,
    shown: int,
    dash: str | None = None,
    width: float = 2.0,
    legend: str | None = None,
    what: str = "",
    number_format: str = ".4f",
    band: bool = True,
) -> list[Trace]:
    """Return the traces of a quantity: its band first, so that lines lie above it.

    shown: number of arms in the chart (bands grow fainter with it, and are left out in a crowd).  dash: None takes
    the arm's own.  legend: the entry's text, None for none.  what: the quantity's name in the hover.
    """
    curve = arm.curve
    if curve is None or name not in curve.series:
        return []
    series = curve.series[name]
    style = arm_look(arm)
    x = np.array([np.nan if value is None else value for value in curve.x], np.float64)
    traces: list[Trace] = []
    few = 1 < max(series.n, default=0) < INTERVAL_FROM  # two seeds are two lines, whatever band is asked for
    if comparison.band == "seeds" or few:
        traces += _seeds(arm, x, series.values, style.colour, what)
    elif band and shown <= CROWD:
        outline_x, outline_y = band_outline(x, _array(series.lo), _array(series.hi))
        if len(outline_x):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": floats(outline_x),
                    "y": floats(outline_y),
                    "fill": "toself",
                    "fillcolor": style.fill(min(0.16, 0.5 / shown)),
                    "line": {"width": 0},
                    "hoverinfo": "skip",
                    "showlegend": False,
                    "legendgroup": arm.id,
                    "name": safe(arm.name),
                    "meta": meta(arm, f"band {name}"),
                }
            )
    hover = f"{what}: %{{y:{number_format}}} %{{text}}<extra>{safe(arm.name)}</extra>"
    spreads = zip(series.lo, series.hi, series.n, curve.step, strict=True)
    traces.append(
        {
            "type": "scatter",
            # In a crowd, thousands of markers hide the lines and are slow to draw; a single point has no line.
            "mode": "lines" if shown > CROWD and np.isfinite(_array(series.mean)).sum() > 1 else "lines+markers",
            "x": floats(x),
            "y": floats(series.mean),
            "text": [_spread(low, high, n, step) for low, high, n, step in spreads],
            "customdata": list(curve.step),
            "line": {"color": style.colour, "width": width, "dash": dash or style.dash},
            "marker": {"color": style.colour, "symbol": style.symbol, "size": 6},
            "connectgaps": False,
            "hovertemplate": hover,
            "name": safe(legend if legend is not None else arm.name),
            "showlegend": legend is not None,
            "legendgroup": arm.id,
            "meta": meta(arm, name),
        }
    )
    return traces


def _seeds(arm: ArmComparison, x: Floats, rows: list[list[float | None]], colour: str, what: str) -> list[Trace]:
    """Return all seeds as one trace of faint lines with breaks between them."""
    xs: list[Floats] = []
    ys: list[Floats] = []
    for row in rows:
        thin_x, thin_y = thin(x, _array(row))
        xs += [thin_x, np.array([np.nan])]
        ys += [thin_y, np.array([np.nan])]
    if not xs:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": floats(np.concatenate(xs)),
            "y": floats(np.concatenate(ys)),
            "line": {"color": colour, "width": 1},
            "opacity": 0.35,
            "connectgaps": False,
            "hoverinfo": "skip",
            "showlegend": False,
            "legendgroup": arm.id,
            "name": safe(arm.name),
            "meta": meta(arm, f"seeds {what}"),
        }
    ]


def _array(values: list[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _spread(lo: float | None, hi: float | None, n: int, step: int) -> str:
    interval = "" if lo is None or hi is None else f"[{lo:.4f}, {hi:.4f}] ".replace("-", "−")
    return f"{interval}(n = {n}, step {step})"
