"""The paper's framework as a grid: position × structure, one panel for each consistency loss, effect in each cell.

arXiv 2403.00812 §3. Arms that drop in several places stand below the grid, one row each. Empty legal cells say so;
a page offers to run them.
"""

from collections import defaultdict
from typing import Any

from transformer_dropout.spec import CONSISTENCY
from transformer_dropout.spec.cells import POSITIONS, STRUCTURES, cell

from backend.comparison.schema import ArmComparison, Comparison, Difference
from backend.comparison.words import plus_minus
from backend.shared.metrics import METRICS

from .cells import CELL_MARGIN, DOUBT, ROWS_PX, Cell, cell_axes, cell_traces, effect_of, end_of_scale, undecided
from .clocks import said
from .figure import Figure, Trace, build, nothing, vertical_panels
from .options import ChartOptions
from .text import safe

Effects = list[tuple[ArmComparison, Difference]]
MOST_PANELS = 4
MOST_ROWS_BELOW = 12
MOST_LINES = 3


def framework(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw what each cell of the framework does to the chosen quantity, against the baseline."""
    title = f"The framework: difference to the baseline in {METRICS[comparison.metric].words}{said(comparison)}"
    asked = [arm for arm in comparison.arms if options.arms is None or arm.id in options.arms]
    found = [(arm, effect) for arm in asked if (effect := effect_of(comparison, arm)) is not None]
    if not found:
        return nothing("framework", comparison, title=title, sentence="No seed has finished in two arms yet.")
    layers: dict[str, Effects] = defaultdict(list)
    for arm, effect in found:
        layers[arm.consistency_kind].append((arm, effect))
    kinds = sorted(layers, key=lambda kind: (kind != "none", kind))[:MOST_PANELS]
    below = [arm for arm, _ in found if len(arm.sites) != 1][:MOST_ROWS_BELOW]
    rows = [*(position.replace("_", " ") for position in POSITIONS), *(arm.name for arm in below)]
    filled = {kind: _single(layers[kind]) + _several(layers[kind], [arm.id for arm in below]) for kind in kinds}
    scale = end_of_scale([one for cells in filled.values() for one in cells])
    traces: list[Trace] = []
    layout: dict[str, Any] = {"showlegend": False, "height": 110 + 46 * len(rows), "margin": CELL_MARGIN}
    for i, (kind, domain) in enumerate(zip(kinds, vertical_panels(len(kinds), 0.03), strict=True)):
        axis = "" if i == 0 else str(i + 1)
        size = 11 if len(kinds) <= 2 else 9
        traces += cell_traces(filled[kind], len(STRUCTURES), len(rows), axis=axis, text_size=size, size_of_scale=scale)
        traces.append(_empty(filled[kind], kind, axis))
        name = "Without consistency loss" if kind == "none" else f"With consistency loss ({CONSISTENCY[kind].title})"
        layout |= cell_axes(list(STRUCTURES), [safe(row, 30) for row in rows], domain=domain, axis=axis, title=name)
    parts = [f"{arm.name}: {plus_minus(effect.mean, effect.half_width, 3, sign=True)}" for arm, effect in found[:12]]
    alt = f"{title}. " + "; ".join(parts) + "."
    shown = [arm for arm, _ in found if arm.consistency_kind in kinds and (len(arm.sites) == 1 or arm in below)]
    left_out = len(found) - len(shown)
    return build(
        "framework",
        comparison,
        title=title,
        alt=alt,
        traces=traces,
        layout=layout,
        shown=shown,
        left_out=left_out,
        min_width=ROWS_PX + (100 if len(kinds) <= 2 else 80) * len(STRUCTURES) * len(kinds),
    )


def _single(effects: Effects) -> list[Cell]:
    """Return the cells of arms that drop in one place; several arms in a cell are listed, and coloured by their
    mean.
    """
    places: dict[tuple[str, str], Effects] = defaultdict(list)
    for arm, effect in effects:
        if len(arm.sites) == 1:
            places[arm.sites[0].position, arm.sites[0].structure].append((arm, effect))
    cells = []
    for (position, structure), members in places.items():
        mean = sum(effect.mean or 0.0 for _, effect in members) / len(members)
        lines = [_line(arm, effect) for arm, effect in members[:MOST_LINES]]
        if len(members) > MOST_LINES:
            lines.append(f"and {len(members) - MOST_LINES} more")
        cells.append(
            Cell(
                column=STRUCTURES.index(structure),
                row=POSITIONS.index(position),
                value=mean,
                doubtful=all(undecided(effect) for _, effect in members),
                text="<br>".join(lines),
                hover="<br>".join(f"{safe(arm.name)}: {safe(effect.meaning, 160)}" for arm, effect in members[:8]),
                arm=members[0][0].id,
            )
        )
    return cells


def _several(effects: Effects, below: list[str]) -> list[Cell]:
    """Return the cells of arms that drop in several places or in none, each in a row of its own."""
    return [
        Cell(
            column=1,
            row=len(POSITIONS) + below.index(arm.id),
            value=effect.mean or 0.0,
            doubtful=undecided(effect),
            text=_line(arm, effect),
            hover=f"{safe(arm.name)}: {safe(effect.meaning, 300)}",
            arm=arm.id,
        )
        for arm, effect in effects
        if len(arm.sites) != 1 and arm.id in below
    ]


def _line(arm: ArmComparison, effect: Difference) -> str:
    rate = "" if arm.rate is None else f"{arm.rate:g}: "
    ring = "○ " if undecided(effect) else ""
    return f"{ring}{rate}{plus_minus(effect.mean, effect.half_width, 3, sign=True)}"


def _empty(filled: list[Cell], kind: str, axis: str) -> Trace:
    """Return marks for cells without an arm: a plus where one could be run, a dash where the framework has none."""
    taken = {(one.column, one.row) for one in filled}
    xs, ys, texts, hovers, ids = [], [], [], [], []
    for row, position in enumerate(POSITIONS):
        for column, structure in enumerate(STRUCTURES):
            if (column, row) in taken:
                continue
            known = cell(position, structure)
            xs.append(column)
            ys.append(row)
            texts.append("+ run" if known.valid else "–")
            hovers.append("not in this study: run it" if known.valid else safe(known.reason, 200))
            ids.append([position, structure, kind] if known.valid else ["", "", ""])
    return {
        "type": "scatter",
        "mode": "text",
        "x": xs,
        "y": ys,
        "text": texts,
        "customdata": ids,
        "hovertext": hovers,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "textfont": {"color": DOUBT, "size": 12},
        "showlegend": False,
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "meta": {"role": "empty", "muted": True},
    }
