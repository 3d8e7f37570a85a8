"""Cells of effects: colour for the size of a difference; pale with grey text and a ring where it is undecided
once all arms are accounted for.

Plotly's heatmaps cannot hatch, so doubt is shown by the text laid over the cell and by its paler colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.comparison.schema import ArmComparison, Comparison, Difference
from backend.comparison.words import plus_minus

from .arrays import table
from .clocks import effects
from .figure import Trace

# Half-transparent, so that the theme's own text colour stays readable on every cell in light and dark. Blue is lower.
SCALE = [[0.0, "rgba(0,114,178,0.65)"], [0.5, "rgba(128,128,128,0.06)"], [1.0, "rgba(213,94,0,0.65)"]]
# Not separated from seed noise: a quarter of the colour, so that its grey text stays readable in light and dark.
PALE = [[0.0, "rgba(0,114,178,0.16)"], [0.5, "rgba(128,128,128,0.04)"], [1.0, "rgba(213,94,0,0.16)"]]
# The page puts its own theme's grey in the place of this one, which reads on white.
DOUBT = "#5f6773"
# Columns are named above the cells, below a notebook's own title.
CELL_MARGIN = {"l": 64, "r": 16, "t": 116, "b": 64}
FRAME_PX = 180  # above and below the rows
ROWS_PX = 140  # for the names of the rows


@dataclass(frozen=True)
class Cell:
    """One filled cell: column and row, the difference, whether it is undecided, and what is written and
    said.
    """

    column: int
    row: int
    value: float
    doubtful: bool
    text: str
    hover: str
    arm: str | None


def effect_text(difference: Difference, *, percent: bool = False) -> str:
    """Write a difference for a cell: mean ± half-width, n below; a ring where it is undecided, else a star."""
    ring = "○ " if undecided(difference) else ""
    star = "" if undecided(difference) else " *"
    factor, digits = (100.0, 1) if percent else (1.0, 3)
    mean = None if difference.mean is None else difference.mean * factor
    half = None if difference.half_width is None else difference.half_width * factor
    return f"{ring}{plus_minus(mean, half, digits, sign=True)}{star}<br>n = {difference.n}"


def undecided(difference: Difference) -> bool:
    """Whether a difference is not clear of seed noise after correction: a bright cell is a verdict, as in the table."""
    return difference.decided == "undecided"


def effect_of(comparison: Comparison, arm: ArmComparison) -> Difference | None:
    """Return an arm's difference in the comparison's quantity, None where no pair of runs has finished."""
    found = effects(comparison, arm).get(comparison.metric)
    return found if found is not None and found.mean is not None else None


def cell_traces(
    cells: Sequence[Cell], columns: int, rows: int, *, axis: str = "", text_size: int = 12, size_of_scale: float
) -> list[Trace]:
    """Return heatmaps of the clear and the doubtful `cells` with their texts. axis: "" or the number of the panel.
    size_of_scale: end of the scale.
    """
    where = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
    traces: list[Trace] = []
    texts: list[Trace] = []
    for doubtful in (False, True):
        some = [cell for cell in cells if cell.doubtful == doubtful]
        if some or not doubtful:
            traces.append(_heat(some, columns, rows, size_of_scale, PALE if doubtful else SCALE) | where)
        if some:
            font: dict[str, Any] = {"size": text_size}
            if doubtful:
                font["color"] = DOUBT
            texts.append(
                {
                    "type": "scatter",
                    "mode": "text",
                    "x": [cell.column for cell in some],
                    "y": [cell.row for cell in some],
                    "text": [cell.text for cell in some],
                    "textfont": font,
                    "hoverinfo": "skip",
                    "showlegend": False,
                    "meta": {"role": "doubtful" if doubtful else "clear", "muted": doubtful},
                    **where,
                }
            )
    return [*traces, *texts]


def _heat(cells: Sequence[Cell], columns: int, rows: int, end: float, scale: list[list[Any]]) -> Trace:
    z: list[list[float | None]] = [[None] * columns for _ in range(rows)]
    hover = [[""] * columns for _ in range(rows)]
    ids: list[list[str]] = [[""] * columns for _ in range(rows)]
    for cell in cells:
        z[cell.row][cell.column] = cell.value
        hover[cell.row][cell.column] = cell.hover
        ids[cell.row][cell.column] = cell.arm or ""
    return {
        "type": "heatmap",
        "z": table(z),
        "text": hover,
        "customdata": ids,
        "zmid": 0,
        "zmin": -end,
        "zmax": end,
        "colorscale": scale,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": False,
        "hovertemplate": "%{text}<extra></extra>",
        "meta": {"role": "cells"},
    }


def colour_scale(end: float, share: bool) -> Trace:
    """Return the scale below the cells, which says what their colours mean; it draws no cell of its own."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "marker": {
            "color": [0],
            "cmin": -end,
            "cmid": 0,
            "cmax": end,
            "colorscale": SCALE,
            "showscale": True,
            "colorbar": {
                "orientation": "h",
                "thickness": 10,
                "len": 0.5,
                "x": 0,
                "xanchor": "left",
                "yref": "container",
                "y": 0,
                "yanchor": "bottom",
                "nticks": 5,
                "outlinewidth": 0,
                "tickformat": "+.1%" if share else "+.3~f",
            },
        },
        "hoverinfo": "skip",
        "showlegend": False,
        "meta": {"role": "scale"},
    }


def cell_axes(
    columns: Sequence[str], rows: Sequence[str], *, domain: Sequence[float], axis: str, title: str
) -> dict[str, Any]:
    """Return the axes of one panel of cells: column names on top, row names on the first panel only, first row on
    top.
    """
    first = axis == ""
    return {
        f"xaxis{axis}": {
            "domain": list(domain),
            "anchor": f"y{axis}",
            "tickmode": "array",
            "tickvals": list(range(len(columns))),
            "ticktext": list(columns),
            "range": [-0.5, len(columns) - 0.5],
            "title": {"text": title, "standoff": 6},
            "side": "top",
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
        },
        f"yaxis{axis}": {
            "anchor": f"x{axis}",
            "tickmode": "array",
            "tickvals": list(range(len(rows))),
            "ticktext": list(rows),
            "showticklabels": first,
            "range": [len(rows) - 0.5, -0.5],
            "automargin": first,
            "showgrid": False,
            "zeroline": False,
        },
    }


def end_of_scale(cells: Sequence[Cell]) -> float:
    """Return the largest absolute value, for a scale centred at 0."""
    return max((abs(cell.value) for cell in cells), default=0.0) or 1.0
