"""The paper's framework as a grid: position × structure, one panel for each consistency loss, effect in each cell.

arXiv 2403.00812 §3. Methods that drop in several places stand below the grid, a row each, with a cell in every column
that they belong to. Empty legal cells say so; a page offers to run them.
"""

from collections import defaultdict
from typing import Any

from transformer_dropout.spec import CONSISTENCY
from transformer_dropout.spec.cells import POSITIONS, STRUCTURES, cell

from backend.comparison.schema import ArmComparison, Comparison, Difference
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
    end_of_scale,
    undecided,
)
from .clocks import said
from .figure import Figure, Trace, build, method_of, nothing, vertical_panels
from .options import ChartOptions
from .text import safe

Effects = list[tuple[ArmComparison, Difference]]
MOST_PANELS = 4
MOST_ROWS_BELOW = 12
MOST_LINES = 3
LINE_PX, LETTER_PX = 15, 6.3


def framework(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw what each cell of the framework does to the chosen quantity, against the baseline."""
    title = f"The framework: difference to the baseline in {METRICS[comparison.metric].words}{said(comparison)}"
    asked = [arm for arm in comparison.arms if options.arms is None or arm.id in options.arms]
    # An arm that drops nothing, as the plain adapter of another rank, has no place here.
    found = [(arm, effect) for arm in asked if _places(arm) and (effect := effect_of(comparison, arm)) is not None]
    if not found:
        return nothing("framework", comparison, title=title, sentence="No seed has finished in two arms yet.")
    layers: dict[str, Effects] = defaultdict(list)
    for arm, effect in found:
        layers[arm.consistency_kind].append((arm, effect))
    kinds = sorted(layers, key=lambda kind: (kind != "none", kind))[:MOST_PANELS]
    below = list(dict.fromkeys(method_of(arm) for arm, _ in found if _has_row(arm)))[:MOST_ROWS_BELOW]
    rows = [*(position.replace("_", " ") for position in POSITIONS), *below]
    filled = {kind: _single(layers[kind]) + _several(layers[kind], below) for kind in kinds}
    scale = end_of_scale([one for cells in filled.values() for one in cells])
    lines = [line for cells in filled.values() for one in cells for line in one.text.split("<br>")]
    deepest = max(one.text.count("<br>") + 1 for cells in filled.values() for one in cells)
    traces: list[Trace] = [colour_scale(scale, METRICS[comparison.metric].shown == "share")]
    layout: dict[str, Any] = {
        "showlegend": False,
        "height": FRAME_PX + max(36, LINE_PX * deepest + 8) * len(rows),
        "margin": CELL_MARGIN,
    }
    for i, (kind, domain) in enumerate(zip(kinds, vertical_panels(len(kinds), 0.03), strict=True)):
        axis = "" if i == 0 else str(i + 1)
        traces += cell_traces(filled[kind], len(STRUCTURES), len(rows), axis=axis, text_size=11, size_of_scale=scale)
        traces.append(_empty(filled[kind], kind, axis, offers=options.offers))
        name = "Without consistency loss" if kind == "none" else f"With consistency loss ({CONSISTENCY[kind].title})"
        layout |= cell_axes(list(STRUCTURES), [safe(row, 30) for row in rows], domain=domain, axis=axis, title=name)
    parts = [f"{arm.name}: {plus_minus(effect.mean, effect.half_width, 3, sign=True)}" for arm, effect in found[:12]]
    alt = f"{title}. " + "; ".join(parts) + "."
    shown = [
        arm for arm, _ in found if arm.consistency_kind in kinds and (not _has_row(arm) or method_of(arm) in below)
    ]
    return build(
        "framework",
        comparison,
        title=title,
        alt=alt,
        traces=traces,
        layout=layout,
        shown=shown,
        left_out=len(found) - len(shown),
        # Columns as wide as their longest line, so that no text runs into its neighbour's cell.
        min_width=ROWS_PX + int(LETTER_PX * max(map(len, lines), default=0) + 12) * len(STRUCTURES) * len(kinds),
    )


def _places(arm: ArmComparison) -> list[tuple[str, str]]:
    """Return where an arm drops in which pattern; the model's own dropout is by element, in places of its own."""
    return [(site.position, site.structure) for site in arm.sites] + ([("native", "element")] if arm.native else [])


def _has_row(arm: ArmComparison) -> bool:
    """Whether an arm stands in a row of its method below the grid: it drops in several places, or outside of it."""
    return len(arm.sites) != 1 or arm.native


def _single(effects: Effects) -> list[Cell]:
    """Return the cells of arms that drop in one place; several arms in a cell are listed, and coloured by their
    mean.
    """
    places: dict[tuple[str, str], Effects] = defaultdict(list)
    for arm, effect in effects:
        if not _has_row(arm):
            places[arm.sites[0].position, arm.sites[0].structure].append((arm, effect))
    return [
        _cell(members, STRUCTURES.index(structure), POSITIONS.index(position), _listed(members))
        for (position, structure), members in places.items()
    ]


def _several(effects: Effects, below: list[str]) -> list[Cell]:
    """Return the cells of arms that drop in several places: in their method's row, one cell for each pattern, with
    the position under the numbers.
    """
    methods: dict[str, Effects] = defaultdict(list)
    for arm, effect in effects:
        if _has_row(arm) and method_of(arm) in below:
            methods[method_of(arm)].append((arm, effect))
    cells = []
    for method, members in methods.items():
        patterns: dict[str, list[str]] = defaultdict(list)
        for position, structure in _places(members[0][0]):
            patterns[structure].append(position.replace("_", " "))
        for place, (structure, positions) in enumerate(patterns.items()):
            where = " and ".join(dict.fromkeys(positions))
            text = f"{_listed(members)}<br>{where}" if place == 0 else f"with {where}"
            row = len(POSITIONS) + below.index(method)
            cells.append(_cell(members, STRUCTURES.index(structure), row, text))
    return cells


def _listed(members: Effects) -> str:
    ranks = len({arm.rank for arm, _ in members}) > 1
    lines = [_line(arm, effect, ranks=ranks) for arm, effect in members[:MOST_LINES]]
    if len(members) > MOST_LINES:
        lines.append(f"and {len(members) - MOST_LINES} more")
    return "<br>".join(lines)


def _cell(members: Effects, column: int, row: int, text: str) -> Cell:
    return Cell(
        column=column,
        row=row,
        value=sum(effect.mean or 0.0 for _, effect in members) / len(members),
        doubtful=all(undecided(effect) for _, effect in members),
        text=text,
        hover="<br>".join(f"{safe(arm.name)}: {safe(effect.meaning, 160)}" for arm, effect in members[:8]),
        arm=members[0][0].id,
    )


def _line(arm: ArmComparison, effect: Difference, *, ranks: bool) -> str:
    settings = [*([] if arm.rate is None else [f"{arm.rate:g}"]), *([f"r{arm.rank}"] if ranks else [])]
    rate = f"{' '.join(settings)}: " if settings else ""
    ring, star = ("○ ", "") if undecided(effect) else ("", " *")
    return f"{ring}{rate}{plus_minus(effect.mean, effect.half_width, 3, sign=True)}{star}"


def _empty(filled: list[Cell], kind: str, axis: str, *, offers: bool) -> Trace:
    """Return marks for cells without an arm: a plus where the reader may run one, a dot where it was not run, a dash
    where the framework has none.
    """
    taken = {(one.column, one.row) for one in filled}
    xs, ys, texts, hovers, ids = [], [], [], [], []
    for row, position in enumerate(POSITIONS):
        for column, structure in enumerate(STRUCTURES):
            if (column, row) in taken:
                continue
            known = cell(position, structure)
            xs.append(column)
            ys.append(row)
            texts.append(("+ run" if offers else "·") if known.valid else "–")
            hovers.append(
                ("not in this study: run it" if offers else "not in this study")
                if known.valid
                else safe(known.reason, 200)
            )
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
