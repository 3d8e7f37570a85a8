"""Chart A: probe loss (solid) and validation loss (dashed) of every arm, with bands and where it turns up."""

import numpy as np

from backend.comparison.schema import ArmComparison, Comparison
from backend.comparison.words import plus_minus

from .arrays import floats
from .figure import X_TITLE, Figure, Trace, arm_look, build, crowded_out, drawn, hover, loss_title, meta, nothing
from .lines import line_traces
from .options import ChartOptions
from .text import safe

TITLE = "Probe loss (solid) and validation loss (dashed)"


def losses(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw how far training and held-out text drift apart."""
    arms = drawn(comparison, options)
    if not any(arm.curve for arm in arms):
        return nothing("losses", comparison, title=TITLE, sentence="No evaluation has arrived yet.")
    traces: list[Trace] = []
    for arm in arms:
        traces += line_traces(
            comparison, arm, "probe/loss", shown=len(arms), dash="solid", width=1.6, what="Probe loss"
        )
        traces += line_traces(
            comparison,
            arm,
            "validation/loss",
            shown=len(arms),
            dash="dash",
            width=2.4,
            legend=arm.name,
            what="Validation loss",
        )
        traces += _lowest(arm)
    layout = {
        **hover(arms),
        "xaxis": {"title": {"text": X_TITLE[comparison.x]}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": loss_title(comparison)}, "type": "log" if options.log_y else "linear"},
    }
    alt = _alt(comparison, arms)
    return build(
        "losses",
        comparison,
        title=TITLE,
        alt=alt,
        traces=traces,
        layout=layout,
        shown=arms,
        left_out=crowded_out(comparison, options),
    )


def _lowest(arm: ArmComparison) -> list[Trace]:
    """Return the marker where the loss of an arm that overfits is lowest, on its validation line."""
    found, curve = arm.overfitting, arm.curve
    if found.step is None or found.x is None or curve is None:
        return []
    steps = np.array(curve.step, np.float64)
    values = np.array([np.nan if v is None else v for v in curve.series["validation/loss"].mean], np.float64)
    known = np.isfinite(values)
    if not known.any():
        return []
    style = arm_look(arm)
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": floats([found.x]),
            "y": floats([float(np.interp(found.step, steps[known], values[known]))]),
            "marker": {
                "symbol": "circle-open-dot",
                "size": 15,
                "color": style.colour,
                "line": {"width": 2.5, "color": style.colour},
            },
            "hovertemplate": f"{found.sentence}<extra>{safe(arm.name)}</extra>",
            "showlegend": False,
            "legendgroup": arm.id,
            "name": safe(arm.name),
            "meta": meta(arm, "lowest"),
        }
    ]


def _alt(comparison: Comparison, arms: list[ArmComparison]) -> str:
    parts = []
    for arm in arms[:12]:
        probe, validation = arm.final["probe/loss"], arm.final["validation/loss"]
        if validation.n == 0:
            parts.append(f"{arm.name}: no finished run")
            continue
        parts.append(
            f"{arm.name}: probe {plus_minus(probe.mean, probe.half_width, 3)}, validation "
            f"{plus_minus(validation.mean, validation.half_width, 3)} (n = {validation.n}). {arm.overfitting.sentence}"
        )
    more = f" {len(arms) - 12} more arms." if len(arms) > 12 else ""
    x = X_TITLE[comparison.x].lower()
    return f"{TITLE} against {x}, at the last evaluation. " + "; ".join(part.rstrip(".") for part in parts) + "." + more
