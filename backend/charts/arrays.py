"""Numbers as Plotly's typed arrays ({dtype, bdata}, base64), and long series thinned without losing their peaks."""

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.shared.series import keep

Floats = NDArray[np.float64]
MOST_POINTS = 500


def floats(values: Sequence[float | None] | Floats) -> dict[str, str]:
    """Return float64 values as a typed array; None becomes NaN, a break in the line."""
    return _typed(np.asarray([np.nan if value is None else value for value in values], np.float64))


def table(rows: Sequence[Sequence[float | None]]) -> dict[str, str]:
    """Return a matrix of float64 as a typed array with its shape."""
    array = np.asarray([[np.nan if value is None else value for value in row] for row in rows], np.float64)
    shape = f"{len(rows)}, {len(rows[0]) if rows else 0}"
    return {**_typed(array.reshape(-1)), "shape": shape}


def _typed(array: Floats) -> dict[str, str]:
    return {"dtype": "f8", "bdata": base64.b64encode(array.astype("<f8").tobytes()).decode("ascii")}


def thin(x: Floats, y: Floats, most: int = MOST_POINTS) -> tuple[Floats, Floats]:
    """Return about `most` points of a line, for drawing only: no peak and no break is lost."""
    kept = keep(y.tolist(), most)
    return x[kept], y[kept]


def band_outline(x: Floats, lo: Floats, hi: Floats) -> tuple[Floats, Floats]:
    """Return the outline of a band as closed polygons, one for each unbroken stretch, with NaN between them."""
    known = np.isfinite(x) & np.isfinite(lo) & np.isfinite(hi)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))
    xs: list[Floats] = []
    ys: list[Floats] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        stretch = slice(start, end)
        xs += [x[stretch], x[stretch][::-1], x[start : start + 1], np.array([np.nan])]
        ys += [hi[stretch], lo[stretch][::-1], hi[start : start + 1], np.array([np.nan])]
    if not xs:
        return np.empty(0), np.empty(0)
    return np.concatenate(xs)[:-1], np.concatenate(ys)[:-1]
