"""Runs of neighbouring tokens: how long, where, and which tokens they cover."""

import torch

from transformer_dropout.spec import Site

from .draw import Draw
from .rows import Rows

# A span uses two streams: one for its place, one for rounding its length.
LENGTH_STREAM = 1 << 16


def span_lengths(site: Site, rate: float, draw: Draw, layer: int, sizes: torch.Tensor, count: int) -> torch.Tensor:
    """Return the dropped length of `count` spans in rows of `sizes` `[count]` tokens: `[count]` int64, at most the row.

    'floor': floor(rate x n), at least 1 (HiddenCut).  'stochastic': rate x n rounded up or down at random, so that the
    expected share is the rate.
    """
    exact = rate * sizes.double() + 1e-9  # 0.29 x 100 must floor to 29
    if site.span_length == "stochastic":
        lengths = (exact + draw.uniform(layer, site.stream | LENGTH_STREAM, count).to(sizes.device)).floor()
    else:
        lengths = exact.floor().clamp(min=1)
    return torch.minimum(lengths.long(), sizes)


def span_keep(site: Site, rate: float, draw: Draw, layer: int, rows: Rows, per_token: int) -> torch.Tensor:
    """Return keep-masks with one run dropped in each of `per_token` columns of every row: `[N, per_token]` bool.

    One uniform number a (row, column) places the run, start = floor(u (n - l + 1)): the start is uniform, and the
    runs of two rates lie inside one another because u is shared.
    """
    lengths, starts = span_places(site, rate, draw, layer, rows, per_token)
    row, place = rows.row_of_token.to(starts.device), rows.place_of_token.to(starts.device)
    inside = place[:, None] - starts[row]  # [N, per_token]
    return (inside < 0) | (inside >= lengths[row])


def span_places(
    site: Site, rate: float, draw: Draw, layer: int, rows: Rows, columns: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return lengths and first places of the runs, both `[B, columns]` int64."""
    count = rows.batch * columns
    sizes = torch.tensor(rows.lengths, dtype=torch.long, device=draw.device).repeat_interleave(columns)
    lengths = span_lengths(site, rate, draw, layer, sizes, count)
    starts = (draw.uniform(layer, site.stream, count) * (sizes - lengths + 1)).long()
    return lengths.view(rows.batch, columns), starts.view(rows.batch, columns)
