"""Where the heads of packed tokens go in the padded length groups, and back."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from worker.engine.packing import Layout


@dataclass(frozen=True)
class HeadOrder:
    """Index vectors over rows of D features. P is the padded layout's size, H the heads, N the tokens.

    Padded rows lie by (group, row, head, place); packed ones by (token, head), or (token, part, head) for several parts
    (query, key, value) side by side, whose padded forms lie one behind the other.
    """

    padded: int  # P x H
    out: Tensor  # [P·H]: packed row of each padded one
    back: Tensor  # [N·H]: padded row of each packed one
    parts_out: Tensor  # [parts·P·H]
    parts_back: Tensor  # [N·parts·H]


def head_order(layout: Layout, heads: int, parts: int) -> HeadOrder:
    """The order of one layout, made once and kept with it."""
    name = f"heads {heads} {parts}"
    found = layout.cache.get(name)
    if not isinstance(found, HeadOrder):
        found = layout.cache[name] = _make(_places(layout, heads), heads, parts)
    return found


@dataclass(frozen=True)
class _Places:
    """What the orders of one layout have in common."""

    token: np.ndarray  # [P·H]: packed token of each padded row
    head: np.ndarray  # [P·H]: its head
    back: np.ndarray  # [N, H]: padded row of each packed one


def _places(layout: Layout, heads: int) -> _Places:
    name = f"heads {heads}"
    known = layout.cache.get(name)
    if isinstance(known, _Places):
        return known
    to_padded, to_packed = layout.to_padded.numpy(), layout.to_packed.numpy()
    size = len(to_padded) * heads
    place = np.empty((len(to_padded), heads), dtype=np.int64)  # padded row of (padded position, head)
    token = np.empty(size, dtype=np.int64)
    head = np.empty(size, dtype=np.int64)
    for group in layout.groups:
        shape = (len(group.rows), heads, group.length)
        span = slice(group.start * heads, group.stop * heads)
        rows = np.arange(span.start, span.stop).reshape(shape)
        place[group.start : group.stop] = rows.transpose(0, 2, 1).reshape(-1, heads)
        token[span].reshape(shape)[:] = to_padded[group.start : group.stop].reshape(shape[0], 1, shape[2])
        head[span].reshape(shape)[:] = np.arange(heads)[:, None]
    found = layout.cache[name] = _Places(token, head, place[to_packed])
    return found


def _make(places: _Places, heads: int, parts: int) -> HeadOrder:
    part = np.arange(parts)
    size = len(places.token)
    parts_out = places.token * (parts * heads) + part[:, None] * heads + places.head
    parts_back = part[:, None] * size + places.back[:, None, :]
    return HeadOrder(
        padded=size,
        out=torch.from_numpy(places.token * heads + places.head),
        back=torch.from_numpy(places.back.reshape(-1)),
        parts_out=torch.from_numpy(parts_out.reshape(-1)),
        parts_back=torch.from_numpy(parts_back.reshape(-1)),
    )
