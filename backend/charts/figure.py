"""What every chart shares: which arms are drawn, the frame around the traces, the empty state, axis titles.

A figure is a plain dict that plotly.js and `plotly.graph_objects.Figure` both read. It carries no theme. Every
trace that belongs to an arm has `meta.arm` (its id) and `meta.role`, so that a page can hide arms without asking
again; `layout.meta` has the text alternative.
"""

from collections.abc import Sequence
from typing import Any

from backend.comparison.schema import ArmComparison, Comparison

from .options import ChartOptions
from .palette import Look, look
from .text import safe

Figure = dict[str, Any]
Trace = dict[str, Any]
# A chart of lines with more arms than this is unreadable and slow: the baseline and the best of the rest are drawn.
MOST_ARMS = 40
# With more arms than this, markers hide the lines and are slow to draw, and a legend overflows.
CROWD = 12

# A legend at the lower edge of the picture, whatever its height.
BELOW = {
    "orientation": "h",
    "traceorder": "normal",
    "xanchor": "left",
    "x": 0,
    "yref": "container",
    "yanchor": "bottom",
    "y": 0,
    "itemclick": False,
}

X_TITLE = {
    "step": "Optimizer step",
    "epoch": "Epoch",
    "tokens": "Training tokens",
    "seconds": "Training time (s)",
}


def drawn(comparison: Comparison, options: ChartOptions) -> list[ArmComparison]:
    """Return the arms to draw in the study's order: those asked for, at most MOST_ARMS, the baseline always."""
    asked = [arm for arm in comparison.arms if options.arms is None or arm.id in options.arms]
    if len(asked) <= MOST_ARMS:
        return asked
    place = {arm_id: i for i, arm_id in enumerate(comparison.ranking)}
    best = sorted(asked, key=lambda arm: (not arm.is_baseline, place[arm.id]))[:MOST_ARMS]
    chosen = {arm.id for arm in best}
    return [arm for arm in asked if arm.id in chosen]


def crowded_out(comparison: Comparison, options: ChartOptions) -> int:
    """Return how many of the arms asked for `drawn` leaves out."""
    asked = sum(options.arms is None or arm.id in options.arms for arm in comparison.arms)
    return max(0, asked - MOST_ARMS)


def ranked(comparison: Comparison, options: ChartOptions) -> list[ArmComparison]:
    """Return the arms to draw that have a finished run, best first."""
    place = {arm_id: i for i, arm_id in enumerate(comparison.ranking)}
    finished = [arm for arm in drawn(comparison, options) if arm.place is not None]
    return sorted(finished, key=lambda arm: place[arm.id])


def arm_look(arm: ArmComparison) -> Look:
    """Return an arm's fixed look."""
    return look(arm.colour_key, arm.variant, arm.tone)


def method_of(arm: ArmComparison) -> str:
    """Return what an arm's method is called at whatever rank: a composed one is told by its arm's label."""
    return arm.method_title.removesuffix(f" · r{arm.rank}")


def meta(arm: ArmComparison, role: str) -> dict[str, str]:
    """Return a trace's meta: whose it is and what it shows."""
    return {"arm": arm.id, "role": role}


def build(
    name: str,
    comparison: Comparison,
    *,
    title: str,
    alt: str,
    traces: Sequence[Trace],
    layout: dict[str, Any],
    shown: Sequence[ArmComparison] = (),
    left_out: int = 0,
    min_width: int | None = None,
) -> Figure:
    """Return the whole figure. alt: its text alternative, the key numbers in a sentence.  left_out: arms that did
    not fit.  min_width: pixels below which it cannot be read; a narrow page scrolls it sideways.
    """
    frame: dict[str, Any] = {
        "title": {"text": title, "subtitle": {"text": caption(comparison, shown)}},
        "meta": {
            "name": name,
            "study": comparison.study_id,
            "study_name": comparison.study_name,
            "event_seq": comparison.event_seq,
            "title": title,
            "alt": alt,
            "arms": [arm.id for arm in shown],
            "arms_left_out": left_out,
            "min_width": min_width,
        },
        # Zoom and hidden traces survive new data, but not another x axis.
        "uirevision": f"{comparison.study_id}/{name}/{comparison.x}/{comparison.metric}",
        "hovermode": "closest",
        "showlegend": len(shown) <= CROWD,
        "legend": {"groupclick": "togglegroup", "orientation": "h", "yanchor": "top", "y": -0.2},
        "margin": {"l": 64, "r": 16, "t": 72, "b": 48},
    }
    return {"data": list(traces), "layout": {**frame, **layout}}


def caption(comparison: Comparison, shown: Sequence[ArmComparison]) -> str:
    """Return what a picture must still say when it has left its page: of which study, against what, over how many."""
    base = next((arm for arm in comparison.arms if arm.is_baseline), None)
    seeds = sorted({max((value.n for value in arm.final.values()), default=0) for arm in shown} - {0})
    parts = [safe(comparison.study_name, 60)]
    if base is not None:
        parts.append(f"baseline: {safe(base.name, 40)}")
    if seeds:
        parts.append(f"n = {seeds[0]}" if len(seeds) == 1 else f"n = {seeds[0]} to {seeds[-1]}")
    return " · ".join(parts)


def nothing(name: str, comparison: Comparison, *, title: str, sentence: str) -> Figure:
    """Return a chart's empty state: one sentence where the picture will be."""
    note = {
        "text": safe(sentence, 200),
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "font": {"size": 14},
    }
    hidden = {"visible": False}
    layout = {"annotations": [note], "xaxis": hidden, "yaxis": hidden}
    return build(name, comparison, title=title, alt=f"{title}: {sentence}", traces=[], layout=layout)


def vertical_panels(count: int, gap: float = 0.08) -> list[list[float]]:
    """Return the domains of `count` panels side by side, each [left, right] in 0 to 1."""
    width = (1 - gap * (count - 1)) / count
    return [[i * (width + gap), i * (width + gap) + width] for i in range(count)]
