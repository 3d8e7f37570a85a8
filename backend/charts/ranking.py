"""The ranking: values of all arms at a clock as dots with 95 % t whiskers, every seed visible, best on top."""

from backend.comparison.schema import ArmComparison, Clock, Comparison, Estimate
from backend.comparison.words import capital, plus_minus
from backend.shared.metrics import METRICS

from .arrays import floats
from .clocks import WORDS, effects, value
from .differences import FRAME_PX, ROW_PX
from .figure import BELOW, Figure, Trace, arm_look, build, crowded_out, meta, nothing, ranked
from .options import ChartOptions
from .text import safe, wrapped


def ranking(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw where every arm ends, or where it stops at the clock "stopped". A filled dot differs from the baseline
    after correction, an open one is undecided.
    """
    metric = METRICS[comparison.metric]
    quantity = capital(metric.words)
    title = f"{quantity} {WORDS[comparison.clock]}"
    arms = ranked(comparison, options)
    if not arms:
        return nothing("ranking", comparison, title=title, sentence="No run has finished yet.")
    traces: list[Trace] = []
    for row, arm in enumerate(arms):
        traces += _row(comparison, arm, row)
    traces += _other_clock(comparison, arms)
    unit = f" ({comparison.loss_unit})" if metric.loss else ""
    layout = {
        "xaxis": {
            "title": {"text": f"{quantity}{unit}: mean, 95 % t interval, seeds"},
            "zeroline": False,
            **({"tickformat": ".0%"} if metric.shown == "share" else {}),
        },
        "yaxis": {
            "tickmode": "array",
            "tickvals": list(range(len(arms))),
            "ticktext": [safe(arm.name, 28) for arm in arms],
            "range": [len(arms) - 0.5, -0.5],
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
        },
        "shapes": _baseline_line(comparison, arms),
        "height": FRAME_PX + ROW_PX * len(arms),
        "showlegend": True,
        "legend": BELOW,
        "margin": {"l": 64, "r": 16, "t": 72, "b": 92},
    }
    alt = _alt(comparison, title, arms)
    figure = build(
        "ranking",
        comparison,
        title=title,
        alt=alt,
        traces=traces,
        layout=layout,
        shown=arms,
        left_out=crowded_out(comparison, options),
    )
    figure["layout"]["meta"] |= {"rows": [arm.id for arm in arms], "row_px": ROW_PX, "head": 24}
    return figure


def _row(comparison: Comparison, arm: ArmComparison, row: int) -> list[Trace]:
    found, style = _value(comparison, arm), arm_look(arm)
    difference = effects(comparison, arm).get(comparison.metric)
    decided = arm.is_baseline or (difference is not None and difference.decided != "undecided")
    verdict = "the baseline" if arm.is_baseline or difference is None else difference.meaning
    seeds = {
        "type": "scatter",
        "mode": "markers",
        "x": floats([seed.value for seed in found.seeds]),
        "y": [row + 0.22] * len(found.seeds),
        "marker": {"color": style.colour, "size": 6, "opacity": 0.5},
        "text": [f"seed {seed.seed}" for seed in found.seeds],
        "customdata": [seed.run_id for seed in found.seeds],
        "hovertemplate": f"%{{text}}: %{{x:.4f}}<extra>{safe(arm.name)}</extra>",
        "name": safe(arm.name),
        "legendgroup": arm.id,
        "showlegend": False,
        "meta": meta(arm, "seeds"),
    }
    dot = {
        "type": "scatter",
        "mode": "markers",
        "x": floats([found.mean]),
        "y": [float(row)],
        "error_x": {
            "type": "data",
            "array": floats([found.half_width]),
            "color": style.colour,
            "thickness": 2.5,
            "width": 5,
        },
        "marker": {
            "color": style.colour,
            "symbol": "circle" if decided else "circle-open",
            "size": 12,
            "line": {"color": style.colour, "width": 2.5},
        },
        "hovertemplate": (
            f"{plus_minus(found.mean, found.half_width, 4)} (n = {found.n})<br>{wrapped(verdict)}"
            f"<extra>{safe(arm.name)}</extra>"
        ),
        "name": safe(arm.name),
        "legendgroup": arm.id,
        "showlegend": False,
        "meta": meta(arm, "final"),
    }
    return [seeds, dot]


def _value(comparison: Comparison, arm: ArmComparison) -> Estimate:
    return value(arm, comparison.metric, comparison.clock)


def _other_clock(comparison: Comparison, arms: list[ArmComparison]) -> list[Trace]:
    """Return the means at the other clock; where none is known, the best validation losses, hidden until asked for:
    they are optimistic.
    """
    clock: Clock = "stopped" if comparison.clock == "last" else "last"
    if clock in comparison.clocks:
        means = [value(arm, comparison.metric, clock).mean for arm in arms]
        return _triangles(means, WORDS[clock], f"{WORDS[clock]}: %{{x:.4f}}", role=clock, shown=True)
    if comparison.metric != "validation/loss":
        return []
    means = [arm.best_validation.mean for arm in arms]
    hover = "best validation loss of each run (optimistic): %{x:.4f}"
    return _triangles(means, "best validation (optimistic)", hover, role="best", shown=False)


def _triangles(means: list[float | None], name: str, hover: str, *, role: str, shown: bool) -> list[Trace]:
    known = [(row, mean) for row, mean in enumerate(means) if mean is not None]
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "visible": True if shown else "legendonly",
            "x": floats([mean for _, mean in known]),
            "y": [row - 0.22 for row, _ in known],
            "marker": {"symbol": "triangle-left-open", "size": 8, "color": "#868e96"},
            "hovertemplate": f"{hover}<extra></extra>",
            "name": name,
            "meta": {"role": role},
        }
    ]


def _baseline_line(comparison: Comparison, arms: list[ArmComparison]) -> list[dict[str, object]]:
    base = next((arm for arm in arms if arm.is_baseline), None)
    mean = None if base is None else _value(comparison, base).mean
    if mean is None:
        return []
    line = {"color": "#868e96", "width": 1.5, "dash": "dot"}
    word = {"text": "baseline", "textposition": "start", "textangle": 0, "yanchor": "bottom", "font": {"size": 10}}
    return [
        {
            "label": word,
            "type": "line",
            "x0": mean,
            "x1": mean,
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "layer": "below",
            "line": line,
        }
    ]


def _alt(comparison: Comparison, title: str, arms: list[ArmComparison]) -> str:
    parts = []
    for place, arm in enumerate(arms[:12], start=1):
        found = _value(comparison, arm)
        parts.append(f"{place}. {arm.name}: {plus_minus(found.mean, found.half_width, 3)} (n = {found.n})")
    more = f" {len(arms) - 12} more arms." if len(arms) > 12 else ""
    return f"{title}, best first, mean ± half of the 95 % interval. " + "; ".join(parts) + "." + more
