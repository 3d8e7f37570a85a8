"""What each method is expected to reach with one setting tried, two, and so on."""

from backend.comparison.schema import Comparison
from backend.comparison.words import plus_minus
from backend.shared.metrics import METRICS

from .arrays import floats
from .figure import Figure, Trace, arm_look, build, drawn, meta, nothing
from .options import ChartOptions
from .text import safe

NAME, TITLE = "tries", "After how many tries?"


def tries(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw a line a method over the number of settings drawn at random, the best of them taken on validation rows.

    What is drawn is what test rows say of the one that was taken. A method with one setting is a point at one try.
    """
    found = comparison.selection
    if found is None:
        return nothing(NAME, comparison, title=TITLE, sentence="No method has test rows to be reported on.")
    quantity = METRICS[found.reported]
    arms = {arm.id: arm for arm in drawn(comparison, options)}
    traces: list[Trace] = []
    told = []
    shown = []
    for method in found.methods:
        arm = arms.get(method.arm_id)
        if arm is None or method.best_of is None:
            continue
        values, style = method.best_of.test, arm_look(arm)
        shown.append(arm)
        told.append(f"{method.method_title} {', '.join(plus_minus(value, None, 3) for value in values)}")
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": floats([float(k) for k in range(1, len(values) + 1)]),
                "y": floats(values),
                "line": {"color": style.colour, "width": 2},
                "marker": {"color": style.colour, "symbol": style.symbol, "size": 8},
                "hovertemplate": f"{safe(method.method_title)}, best of %{{x}}: %{{y:.4f}}<extra></extra>",
                "name": safe(method.method_title),
                "legendgroup": arm.id,
                "showlegend": True,
                "meta": meta(arm, "test"),
            }
        )
    if not traces:
        return nothing(NAME, comparison, title=TITLE, sentence="No seed of all settings has finished yet.")
    most = max(method.candidates for method in found.methods)
    unit = comparison.loss_unit if quantity.loss else quantity.unit
    layout = {
        "xaxis": {"title": {"text": "Settings tried"}, "dtick": 1, "range": [0.6, most + 0.4]},
        "yaxis": {"title": {"text": f"Expected {quantity.words}{f' ({unit})' if unit else ''}"}},
        "height": 300,
    }
    better = "higher" if quantity.higher_is_better else "lower"
    alt = f"{TITLE} Expected {quantity.words} with 1, 2, … settings tried, {better} is better: {'; '.join(told)}."
    return build(NAME, comparison, title=TITLE, alt=alt, traces=traces, layout=layout, shown=shown)
