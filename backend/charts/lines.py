"""One quantity of one arm in a panel: the mean over seeds, its band, or the seeds themselves."""

import numpy as np

from backend.comparison.schema import ArmComparison, Comparison, SeriesName
from backend.comparison.statistics.intervals import INTERVAL_FROM

from .arrays import Floats, band_outline, floats, thin
from .figure import Trace, meta
from .palette import Look
from .text import safe


def line_traces(
    comparison: Comparison,
    arm: ArmComparison,
    *,
    name: SeriesName,
    style: Look,
    axis: str,
    what: str,
    band: bool,
    dash: bool = False,
    share: bool = False,
    marked: bool = False,
    role: str | None = None,
) -> list[Trace]:
    """Return the traces of a quantity: its band first, so that lines lie above it.

    what: the quantity's name in the hover.  band: whether its band, or its seeds, are drawn.  dash: it is of rows that
    were trained on.  share: it is told in per cent.  marked: each
    evaluation is a dot.  role: in the traces' meta, the quantity's name where unset.
    """
    curve = arm.curve
    if curve is None or name not in curve.series:
        return []
    series = curve.series[name]
    x = values_of(curve.x)
    shared: Trace = {
        "type": "scatter",
        "connectgaps": False,
        "showlegend": False,
        "legendgroup": arm.id,
        "name": safe(arm.name),
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
    }
    traces: list[Trace] = []
    few = 1 < max(series.n, default=0) < INTERVAL_FROM  # two seeds are two lines, whatever band is asked for
    if band and (comparison.band == "seeds" or few):
        traces += _seeds(shared, x, series.values, style.colour, meta(arm, f"seeds {name}"))
    elif band:
        outline_x, outline_y = band_outline(x, values_of(series.lo), values_of(series.hi))
        if len(outline_x):
            traces.append(
                {
                    **shared,
                    "mode": "lines",
                    "x": floats(outline_x),
                    "y": floats(outline_y),
                    "fill": "toself",
                    "fillcolor": style.fill(0.13),
                    "line": {"width": 0},
                    "hoverinfo": "skip",
                    "meta": meta(arm, f"band {name}"),
                }
            )
    points = np.isfinite(values_of(series.mean)).sum()
    spreads = zip(series.lo, series.hi, series.n, curve.step, strict=True)
    traces.append(
        {
            **shared,
            "mode": "lines+markers" if marked or points <= 1 else "lines",  # a single point has no line
            "x": floats(x),
            "y": floats(series.mean),
            "text": [_spread(low, high, n, step) for low, high, n, step in spreads],
            "customdata": list(curve.step),
            "line": {"color": style.colour, "width": 1.4 if dash else 2.2, "dash": "dash" if dash else "solid"},
            "marker": {"color": style.colour, "size": 4 if points > 1 else 6},
            "hovertemplate": f"{what}: %{{y:{'.1%' if share else '.4f'}}}<br>%{{text}}<extra>{safe(arm.name)}</extra>",
            "meta": meta(arm, role or name),
        }
    )
    return traces


def _seeds(shared: Trace, x: Floats, rows: list[list[float | None]], colour: str, said: dict[str, str]) -> list[Trace]:
    """Return all seeds as one trace of thin lines with breaks between them."""
    xs: list[Floats] = []
    ys: list[Floats] = []
    for row in rows:
        thin_x, thin_y = thin(x, values_of(row))
        xs += [thin_x, np.array([np.nan])]
        ys += [thin_y, np.array([np.nan])]
    if not xs:
        return []
    return [
        {
            **shared,
            "mode": "lines",
            "x": floats(np.concatenate(xs)),
            "y": floats(np.concatenate(ys)),
            "line": {"color": colour, "width": 1},
            "opacity": 0.4,
            "hoverinfo": "skip",
            "meta": said,
        }
    ]


def values_of(values: list[float | None]) -> Floats:
    """Return float64 numbers, NaN where there is none."""
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _spread(lo: float | None, hi: float | None, n: int, step: int) -> str:
    interval = "" if lo is None or hi is None else f"[{lo:.4f}, {hi:.4f}] ".replace("-", "−")
    return f"{interval}(n = {n}, step {step})"
