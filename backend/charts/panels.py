"""Small multiples: which arms share a panel, in what colour, and where the panels stand.

A panel holds one method (and one rank, where there are several); the baseline is drawn in grey in each. Hue is the
method and lightness its rate, unless a person asks for another order. A page lays the panels out anew for its width
from `layout.meta.panels`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.comparison.schema import ArmComparison, Comparison

from .figure import arm_look, drawn, method_of
from .options import ChartOptions
from .palette import ORDERED
from .text import safe

COLUMNS = 4
PANEL_PX = 180
GAP_PX = 66  # between rows: the tick labels of one, the title of the next
SIDE = 0.045  # between columns, of the width
LISTED = 5  # names of lines in a panel's title


@dataclass(frozen=True)
class Panel:
    """One panel: its title, its arms without the baseline, and the suffix of its axes."""

    title: str
    arms: list[ArmComparison]
    axis: str


@dataclass(frozen=True)
class Grid:
    """All panels, best arm first, the arm that is grey in each, and every arm's colour."""

    panels: list[Panel]
    baseline: ArmComparison | None
    colours: dict[str, str]

    @property
    def arms(self) -> list[ArmComparison]:
        """Every arm that is drawn, the baseline first."""
        rest = [arm for panel in self.panels for arm in panel.arms]
        return rest if self.baseline is None or self.baseline in rest else [self.baseline, *rest]


def grid(comparison: Comparison, options: ChartOptions) -> Grid:
    """Return the arms in their panels."""
    place = {arm_id: i for i, arm_id in enumerate(comparison.ranking)}
    arms = sorted(drawn(comparison, options), key=lambda arm: place[arm.id])
    baseline = next((arm for arm in arms if arm.is_baseline), None)
    others = [arm for arm in arms if not arm.is_baseline] or arms
    ranks = len({arm.rank for arm in arms}) > 1
    groups: dict[str, list[ArmComparison]] = {}
    for arm in others:
        groups.setdefault(_group(arm, options.panel, ranks), []).append(arm)
    panels = [
        Panel(title, sorted(group, key=lambda arm: arm.position), "" if i == 0 else str(i + 1))
        for i, (title, group) in enumerate(groups.items())
    ]
    return Grid(panels, baseline, _colours(others, options))


def _group(arm: ArmComparison, by: str, ranks: bool) -> str:
    if by == "rank":
        return f"Rank {arm.rank}"
    if by == "rate":
        return "No rate" if arm.rate is None else f"Rate {arm.rate:g}"
    if by == "arm":
        return arm.name
    return f"{method_of(arm)} · r{arm.rank}" if ranks and by == "auto" else method_of(arm)


def _colours(arms: Sequence[ArmComparison], options: ChartOptions) -> dict[str, str]:
    if options.colour == "method":
        return {arm.id: arm_look(arm).colour for arm in arms}
    values = {arm.id: arm.rank if options.colour == "rank" else arm.rate for arm in arms}
    known = sorted({value for value in values.values() if value is not None})
    return {
        arm_id: ORDERED[0] if value is None else ORDERED[known.index(value) % len(ORDERED)]
        for arm_id, value in values.items()
    }


def heading(panel: Panel, colours: dict[str, str]) -> str:
    """Return a panel's title with its lines' names in their colours; a panel of one line needs its title only."""
    title = f"<b>{safe(panel.title, 40)}</b>"
    if len(panel.arms) == 1:
        return title
    names = [
        f'<span style="color:{colours[arm.id]}">●</span> {safe(name, 22)}'
        for arm, name in zip(panel.arms[:LISTED], _told_apart(panel.arms)[:LISTED], strict=True)
    ]
    more = len(panel.arms) - LISTED
    return f"{title}<br>{' '.join(names)}{f' and {more} more' if more > 0 else ''}"


def _told_apart(arms: Sequence[ArmComparison]) -> list[str]:
    """Return what tells the arms of a panel apart, in as few words as do."""

    def short(arm: ArmComparison) -> str:
        parts = [method_of(arm)] if len({method_of(other) for other in arms}) > 1 else []
        if len({other.rate for other in arms}) > 1:
            parts.append("no rate" if arm.rate is None else f"{arm.rate:g}")
        if len({other.rank for other in arms}) > 1:
            parts.append(f"r{arm.rank}")
        return " ".join(parts)

    names = [short(arm) for arm in arms]
    return names if len(set(names)) == len(names) and all(names) else [arm.name for arm in arms]


def rows_of(count: int, columns: int) -> int:
    """Return how many rows of panels there are."""
    return max(1, -(-count // columns))


def height(rows: int) -> int:
    """Return the pixels of so many rows of panels, without the frame around them."""
    return rows * PANEL_PX + (rows - 1) * GAP_PX


def place(count: int, columns: int) -> list[tuple[list[float], list[float], bool, bool]]:
    """Return for each panel its x and y domains, and whether it is the first of its row and the last of its column."""
    columns = max(1, min(columns, count))
    rows = rows_of(count, columns)
    total = height(rows)
    width = (1 - SIDE * (columns - 1)) / columns
    places = []
    for i in range(count):
        row, column = divmod(i, columns)
        left = column * (width + SIDE)
        top = 1 - row * (PANEL_PX + GAP_PX) / total
        places.append(
            (
                [round(left, 6), round(min(1.0, left + width), 6)],
                [round(max(0.0, top - PANEL_PX / total), 6), round(top, 6)],
                column == 0,
                i + columns >= count,
            )
        )
    return places


def axes(
    found: Grid, *, x: dict[str, Any], y: dict[str, Any], x_title: str, y_title: str, columns: int = COLUMNS
) -> dict[str, Any]:
    """Return the axes of all panels: alike, so that panels compare, with words at the outer ones only."""
    layout: dict[str, Any] = {}
    titles = []
    for panel, (across, down, first, last) in zip(found.panels, place(len(found.panels), columns), strict=True):
        axis = panel.axis
        layout[f"xaxis{axis}"] = {
            **x,
            "domain": across,
            "anchor": f"y{axis}",
            "showticklabels": last,
            "title": {"text": x_title if last else ""},
            **({"matches": "x"} if axis else {}),
        }
        layout[f"yaxis{axis}"] = {
            **y,
            "domain": down,
            "anchor": f"x{axis}",
            "showticklabels": first,
            "title": {"text": y_title if first else ""},
            **({"matches": "y"} if axis else {}),
        }
        titles.append(
            {
                "text": heading(panel, found.colours),
                "xref": f"x{axis} domain",
                "x": 0,
                "xanchor": "left",
                "yref": f"y{axis} domain",
                "y": 1,
                "yanchor": "bottom",
                "align": "left",
                "showarrow": False,
                "font": {"size": 12},
            }
        )
    layout["annotations"] = titles
    return layout


def described(found: Grid) -> dict[str, Any]:
    """Return what a page needs to lay the panels out anew: each one's axis and arms, and the measures."""
    return {
        "panels": [{"axis": panel.axis, "arms": [arm.id for arm in panel.arms]} for panel in found.panels],
        "panel_px": PANEL_PX,
        "gap_px": GAP_PX,
        "side": SIDE,
    }
