"""Chart B and its like: one quantity of every arm against the same x axis as the losses."""

from collections.abc import Mapping

from backend.comparison.schema import ArmComparison, Comparison, SeriesName
from backend.comparison.words import plus_minus
from backend.shared.metrics import METRICS

from .figure import X_TITLE, Figure, Trace, build, crowded_out, drawn, hover, nothing
from .lines import line_traces
from .options import ChartOptions

GAP_TITLE = f"{METRICS['gap'].title}: validation loss − probe loss"
ACCURACY_TITLE = METRICS["validation/accuracy"].title


def gap(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw the generalization gap with its zero line: the further above it, the more the arm overfits."""
    axis = {"title": {"text": f"Gap ({comparison.loss_unit})"}}
    zero = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": 0,
        "y1": 0,
        "layer": "below",
        "line": {"color": "#868e96", "width": 1.5},
    }
    label = {
        "text": "no gap",
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "y": 0,
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": "#868e96", "size": 11},
    }
    extra = {"shapes": [zero], "annotations": [label]}
    return _one(comparison, options, "gap", "gap", GAP_TITLE, axis, extra, ".4f")


def accuracy(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw the validation accuracy; studies without one get a sentence."""
    axis = {"title": {"text": f"{ACCURACY_TITLE} (share of rows)"}, "tickformat": ".0%"}
    return _one(comparison, options, "accuracy", "validation/accuracy", ACCURACY_TITLE, axis, {}, ".1%")


def _one(
    comparison: Comparison,
    options: ChartOptions,
    name: str,
    series: SeriesName,
    title: str,
    y_axis: Mapping[str, object],
    extra: Mapping[str, object],
    number_format: str,
) -> Figure:
    arms = drawn(comparison, options)
    traces: list[Trace] = []
    for arm in arms:
        traces += line_traces(
            comparison,
            arm,
            series,
            shown=len(arms),
            legend=arm.name,
            what=title.split(":")[0],
            number_format=number_format,
        )
    if not traces:
        measured = "No evaluation has arrived yet." if series == "gap" else "This study has no such measurement."
        return nothing(name, comparison, title=title, sentence=measured)
    layout = {
        **hover(arms),
        "xaxis": {"title": {"text": X_TITLE[comparison.x]}, "rangemode": "tozero"},
        "yaxis": y_axis,
        **extra,
    }
    alt = _alt(title, series, arms)
    return build(
        name,
        comparison,
        title=title,
        alt=alt,
        traces=traces,
        layout=layout,
        shown=arms,
        left_out=crowded_out(comparison, options),
    )


def _alt(title: str, series: SeriesName, arms: list[ArmComparison]) -> str:
    parts = []
    for arm in arms[:12]:
        value = arm.final.get(series)
        if value is None or value.n == 0:
            parts.append(f"{arm.name}: no finished run")
        else:
            parts.append(f"{arm.name}: {plus_minus(value.mean, value.half_width, 3)} (n = {value.n})")
    more = f" {len(arms) - 12} more arms." if len(arms) > 12 else ""
    return f"{title}, at the last evaluation, mean ± half of the 95 % interval. " + "; ".join(parts) + "." + more
