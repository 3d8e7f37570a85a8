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
        found = layout.cache[name] = _make(layout, heads, parts)
    return found


def _make(layout: Layout, heads: int, parts: int) -> HeadOrder:
    to_padded, to_packed = layout.to_padded.numpy(), layout.to_packed.numpy()
    head = np.arange(heads)
    size = len(to_padded) * heads
    place = np.empty((len(to_padded), heads), dtype=np.int64)  # padded row of (padded position, head)
    out = np.empty(size, dtype=np.int64)
    token = np.empty(size, dtype=np.int64)
    of_head = np.empty(size, dtype=np.int64)
    for group in layout.groups:
        rows, length = len(group.rows), group.length
        block = np.arange(rows * heads * length).reshape(rows, heads, length) + group.start * heads
        place[group.start : group.stop] = block.transpose(0, 2, 1).reshape(rows * length, heads)
        source = to_padded[group.start : group.stop].reshape(rows, 1, length)
        flat = slice(group.start * heads, group.stop * heads)
        token[flat] = np.broadcast_to(source, block.shape).reshape(-1)
        of_head[flat] = np.broadcast_to(head[None, :, None], block.shape).reshape(-1)
    out[:] = token * heads + of_head
    part = np.arange(parts)
    parts_out = token[None] * (parts * heads) + part[:, None] * heads + of_head[None]
    back = place[to_packed]  # [N, H]
    parts_back = part[None, :, None] * size + back[:, None, :]
    return HeadOrder(
        padded=size,
        out=torch.from_numpy(out),
        back=torch.from_numpy(back.reshape(-1)),
        parts_out=torch.from_numpy(parts_out.reshape(-1)),
        parts_back=torch.from_numpy(parts_back.reshape(-1)),
    )
