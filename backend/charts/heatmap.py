"""Method × rate, small multiples by rank: each arm's difference to the baseline."""

from typing import Any

from backend.comparison.schema import ArmComparison, Comparison
from backend.comparison.words import plus_minus
from backend.shared.metrics import METRICS

from .cells import (
    CELL_MARGIN,
    DOUBT,
    FRAME_PX,
    ROWS_PX,
    Cell,
    cell_axes,
    cell_traces,
    colour_scale,
    effect_of,
    effect_text,
    end_of_scale,
    undecided,
)
from .clocks import said
from .figure import MOST_ARMS, Figure, Trace, build, method_of, nothing, vertical_panels
from .options import ChartOptions
from .text import safe

MOST_PANELS = 6


def heatmap(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw effects as cells: a star where they differ after correction, grey text and a ring where undecided. Blue is
    lower than the baseline.
    """
    metric = comparison.metric
    title = f"Difference to the baseline in {METRICS[metric].words}{said(comparison)}, by method and rate"
    asked = [arm for arm in comparison.arms if options.arms is None or arm.id in options.arms]
    found = [(arm, effect) for arm in asked if (effect := effect_of(comparison, arm)) is not None]
    base = next((arm for arm in asked if arm.is_baseline), None)
    if not found:
        return nothing("heatmap", comparison, title=title, sentence="No seed has finished in two arms yet.")
    ranks = sorted({arm.rank for arm, _ in found})[:MOST_PANELS]
    rates = sorted({arm.rate for arm, _ in found if arm.rate is not None})
    columns = [*rates, *([None] if any(arm.rate is None for arm, _ in found) else [])]
    rows = list(dict.fromkeys(row_name(comparison, arm) for arm, _ in found))[:MOST_ARMS]
    narrow = len(columns) * len(ranks) > 8
    panels: dict[int, list[Cell]] = {rank: [] for rank in ranks}
    taken: set[tuple[int, int, int]] = set()
    shown = []
    for arm, effect in found:
        name = row_name(comparison, arm)
        if arm.rank not in panels or name not in rows:
            continue
        place = (arm.rank, columns.index(arm.rate), rows.index(name))
        if place in taken:
            continue
        taken.add(place)
        shown.append(arm)
        text = effect_text(effect, percent=METRICS[metric].shown == "share")
        hover = f"{safe(arm.name)}<br>{safe(effect.meaning, 300)}"
        panels[arm.rank].append(Cell(place[1], place[2], effect.mean or 0.0, undecided(effect), text, hover, arm.id))
    scale = end_of_scale([cell for cells in panels.values() for cell in cells])
    traces: list[Trace] = [colour_scale(scale, METRICS[metric].shown == "share")]
    layout: dict[str, Any] = {"showlegend": False, "height": FRAME_PX + 44 * len(rows), "margin": CELL_MARGIN}
    column_names = ["no rate" if rate is None else f"{rate:g}" for rate in columns]
    for i, (rank, domain) in enumerate(zip(ranks, vertical_panels(len(ranks), 0.03), strict=True)):
        axis = "" if i == 0 else str(i + 1)
        traces += cell_traces(
            panels[rank],
            len(columns),
            len(rows),
            axis=axis,
            text_size=9 if narrow else 12,
            size_of_scale=scale,
        )
        if base is not None and base.rank == rank and base.rate in columns and row_name(comparison, base) in rows:
            traces.append(_baseline(columns.index(base.rate), rows.index(row_name(comparison, base)), axis))
        layout |= cell_axes(
            column_names, [safe(row, 30) for row in rows], domain=domain, axis=axis, title=f"Rate, rank {rank}"
        )
    alt = _alt(title, found)
    return build(
        "heatmap",
        comparison,
        title=title,
        alt=alt,
        traces=traces,
        layout=layout,
        shown=shown,
        left_out=len(found) - len(shown),
        min_width=ROWS_PX + (92 if narrow else 104) * len(columns) * len(ranks),
    )


def _baseline(column: int, row: int, axis: str) -> Trace:
    """Return the word that stands in the baseline's own cell, which has no difference."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": [column],
        "y": [row],
        "text": ["baseline"],
        "textfont": {"color": DOUBT, "size": 11},
        "hoverinfo": "skip",
        "showlegend": False,
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "meta": {"role": "baseline", "muted": True},
    }


def row_name(comparison: Comparison, arm: ArmComparison) -> str:
    """Return an arm's row: its method, and what else than rate and rank tells it from others of that method."""
    mates = [other for other in comparison.arms if method_of(other) == method_of(arm)]
    parts = [method_of(arm)]
    told = {"lr": "learning_rate", "decay": "weight_decay", "epochs": "epochs", "smoothing": "label_smoothing"}
    for title, name in {**told, "weight": "consistency_weight"}.items():
        if len({getattr(mate, name) for mate in mates}) > 1:
            parts.append(f"{title} {getattr(arm, name):g}")
    if len({mate.consistency_kind for mate in mates}) > 1:
        parts.append(arm.consistency_kind)
    if len({mate.alpha / mate.rank for mate in mates}) > 1:
        parts.append(f"alpha {arm.alpha:g}")
    return ", ".join(parts)


def _alt(title: str, found: list[tuple[ArmComparison, Any]]) -> str:
    parts = [
        f"{arm.name}: {plus_minus(effect.mean, effect.half_width, 3, sign=True)}"
        f"{' (undecided)' if undecided(effect) else ''}"
        for arm, effect in found[:12]
    ]
    more = f" {len(found) - 12} more arms." if len(found) > 12 else ""
    return f"{title}. " + "; ".join(parts) + "." + more
