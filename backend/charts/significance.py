"""Every arm against every arm: the mean per-seed difference, row − column, and whether it holds after correction."""

from backend.comparison.schema import Comparison, Pairwise
from backend.comparison.words import ALPHA, p_value, plus_minus
from backend.shared.metrics import METRICS

from .cells import CELL_MARGIN, ROWS_PX, Cell, cell_axes, cell_traces, colour_scale, end_of_scale
from .clocks import said
from .figure import Figure, build, nothing
from .options import ChartOptions
from .text import safe

# With more arms than this, cells have room for the ring and the star only; numbers are in the hover.
ROOM = 12


def significance(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw the matrix. Blue: the row's arm is lower than the column's; a star: p < 0.05 after Holm over all pairs."""
    quantity = METRICS[comparison.metric].words
    title = f"Difference in {quantity}{said(comparison)}, row − column"
    pairs = comparison.pairwise
    if pairs is None:
        return nothing("significance", comparison, title=title, sentence="Two arms with a finished run are needed.")
    arms = {arm.id: arm for arm in comparison.arms}
    picked = [i for i, arm_id in enumerate(pairs.arm_ids) if options.arms is None or arm_id in options.arms]
    names = [safe(arms[pairs.arm_ids[i]].name, 24) for i in picked]
    cells = [
        cell
        for row, i in enumerate(picked)
        for column, j in enumerate(picked)
        if i != j and (cell := _cell(pairs, i, j, row, column, names, len(picked) <= ROOM)) is not None
    ]
    end = end_of_scale(cells)
    traces = [
        colour_scale(end, METRICS[comparison.metric].shown == "share"),
        *cell_traces(cells, len(picked), len(picked), text_size=12 if len(picked) <= 8 else 9, size_of_scale=end),
    ]
    layout = {
        **cell_axes(names, names, domain=[0, 1], axis="", title="Column: the arm that is subtracted"),
        "showlegend": False,
        "height": 240 + 40 * len(picked),
        "margin": CELL_MARGIN,
    }
    shown = [arms[pairs.arm_ids[i]] for i in picked]
    holding = sum((pairs.p_holm[i][j] or 1.0) < ALPHA for i in picked for j in picked if i < j)
    total = len(picked) * (len(picked) - 1) // 2
    alt = f"{title}: {holding} of {total} pairs differ after Holm's correction over all pairs."
    return build(
        "significance",
        comparison,
        title=title,
        alt=alt,
        traces=traces,
        layout=layout,
        shown=shown,
        left_out=pairs.arms_left_out if options.arms is None else 0,
        min_width=ROWS_PX + (62 if len(picked) <= ROOM else 24) * len(picked),
    )


def _cell(pairs: Pairwise, i: int, j: int, row: int, column: int, names: list[str], room: bool) -> Cell | None:
    mean, lo, hi = pairs.mean[i][j], pairs.lo[i][j], pairs.hi[i][j]
    if mean is None:
        return None
    half = None if hi is None else hi - mean
    p = pairs.p_holm[i][j]
    doubtful = lo is None or hi is None or lo <= 0 <= hi
    star = " *" if p is not None and p < ALPHA else ""
    hover = (
        f"{names[row]} − {names[column]}<br>{plus_minus(mean, half, 4, sign=True)} (n = {pairs.n[i][j]})<br>"
        f"paired t {p_value(pairs.p_t[i][j])}, Holm {p_value(p)}"
    ).replace("p < ", "p &lt; ")
    number = plus_minus(mean, None, 3, sign=True) if room else ""
    return Cell(column, row, mean, doubtful, f"{'○ ' if doubtful else ''}{number}{star}", hover, pairs.arm_ids[i])
