"""Padding-free batches: the real tokens of a step in one sequence, and the few padded groups that attention works on.

Rows keep their order in the batch; a short dummy tail rounds the token count up, so that few matrix shapes occur.
Nothing that is trained or measured reads a dummy or a padded position, so their gradients are exactly zero.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

TOKEN_MULTIPLE = 32  # a new shape costs a matrix library milliseconds at first sight
LENGTH_MULTIPLE = 16
GROUP_COST = 12_000  # what one more group costs, in elements of one head's attention matrix


@dataclass(frozen=True)
class Rounding:
    """How coarse the shapes are: tokens and group lengths are multiples of these; what a group costs, and how many."""

    tokens: int = TOKEN_MULTIPLE
    length: int = LENGTH_MULTIPLE
    group_cost: float = GROUP_COST
    groups: int = 4


FINE = Rounding()


@dataclass(frozen=True)
class Group:
    """Rows of similar length, padded to `length` for attention. `rows` are numbers of rows in the batch."""

    rows: tuple[int, ...]
    length: int
    start: int  # offset of the group in the padded layout
    visible: Tensor  # bool [rows, 1, 1, length]: True on real keys

    @property
    def stop(self) -> int:
        """End of the group in the padded layout."""
        return self.start + len(self.rows) * self.length


@dataclass(frozen=True)
class Layout:
    """Where every token of a batch lies. N counts dummies too, P is the size of the padded layout, R the rows."""

    lengths: tuple[int, ...]
    positions: Tensor  # int64 [N]: place of each token in its row; 0 for dummies
    groups: tuple[Group, ...]
    to_padded: Tensor  # int64 [P]: packed index of each padded position; a dummy where there is no token
    to_packed: Tensor  # int64 [N]: padded index of each token; a place that is only padding for dummies
    first: Tensor  # int64 [R]: packed index of each row's first token
    last: Tensor  # int64 [R]: packed index of each row's last token
    cache: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def tokens(self) -> int:
        """Tokens with dummies, N."""
        return int(self.positions.numel())

    @property
    def real_tokens(self) -> int:
        """Tokens without dummies; they come first."""
        return sum(self.lengths)


@dataclass(frozen=True)
class Packed:
    """A batch ready for the model: ids of N packed tokens, their layout and the labels of its rows."""

    layout: Layout
    input_ids: Tensor  # int64 [1, N]
    token_type_ids: Tensor | None  # int64 [1, N]
    rows: np.ndarray  # numbers of the rows in their data set


def make_layout(lengths: Sequence[int], rounding: Rounding = FINE) -> Layout:
    """Lay out rows of `lengths` real tokens."""
    counts = np.asarray(lengths, dtype=np.int64)
    if counts.size == 0 or counts.min() < 1:
        raise ValueError("every row of a batch needs at least one token")
    total = int(counts.sum())
    size = -(-(total + 1) // rounding.tokens) * rounding.tokens  # one dummy at least
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    positions = np.zeros(size, dtype=np.int64)
    positions[:total] = np.arange(total) - np.repeat(starts, counts)
    to_padded, to_packed, groups = _place(counts, starts, size, rounding)
    return Layout(
        lengths=tuple(int(n) for n in counts),
        positions=torch.from_numpy(positions),
        groups=groups,
        to_padded=torch.from_numpy(to_padded),
        to_packed=torch.from_numpy(to_packed),
        first=torch.from_numpy(starts),
        last=torch.from_numpy(starts + counts - 1),
    )


def _place(
    counts: np.ndarray, starts: np.ndarray, size: int, rounding: Rounding
) -> tuple[np.ndarray, np.ndarray, tuple[Group, ...]]:
    order = np.argsort(counts, kind="stable")
    rounded = -(-counts[order] // rounding.length) * rounding.length
    cuts = _cut(rounded, rounding)
    total = int(counts.sum())
    groups: list[Group] = []
    padded: list[np.ndarray] = []
    to_packed = np.empty(size, dtype=np.int64)
    offset = 0
    spare = -1
    for at, (begin, end) in enumerate(cuts):
        rows, length = order[begin:end], int(rounded[end - 1])
        if at == len(cuts) - 1 and spare < 0 and bool((counts[rows] == length).all()):
            length += rounding.length  # dummies need one place that is only padding
        places = np.arange(length)
        real = places[None, :] < counts[rows, None]
        padded.append(np.where(real, starts[rows, None] + places[None, :], total).ravel())
        flat = offset + np.flatnonzero(real.ravel())
        to_packed[padded[-1][flat - offset]] = flat
        gaps = np.flatnonzero(~real.ravel())
        if gaps.size:
            spare = offset + int(gaps[0])
        visible = torch.from_numpy(real)[:, None, None, :]
        groups.append(Group(tuple(int(r) for r in rows), length, offset, visible))
        offset += len(rows) * length
    to_packed[total:] = spare
    return np.concatenate(padded), to_packed, tuple(groups)


def _cut(rounded: np.ndarray, rounding: Rounding) -> list[tuple[int, int]]:
    """Cut rows sorted by rounded length into at most `rounding.groups` runs with the least attention area."""
    edges = [0, *(np.flatnonzero(np.diff(rounded)) + 1).tolist(), len(rounded)]
    best: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {(0, 0): (0.0, ())}
    for used in range(1, rounding.groups + 1):
        for j in range(1, len(edges)):
            options = [
                (cost + rounding.group_cost + (edges[j] - edges[i]) * float(rounded[edges[j] - 1]) ** 2, (*path, i))
                for i in range(j)
                if (found := best.get((used - 1, i))) is not None
                for cost, path in (found,)
            ]
            if options:
                best[(used, j)] = min(options)
    last = len(edges) - 1
    _, path = min(best[(used, last)] for used in range(1, rounding.groups + 1) if (used, last) in best)
    marks = [edges[i] for i in path] + [len(rounded)]
    return list(itertools.pairwise(marks))


def pack(
    input_ids: Sequence[np.ndarray], token_type_ids: Sequence[np.ndarray] | None, rows: np.ndarray, dummy_id: int
) -> Packed:
    """Pack the named rows of a tokenised set; dummies are `dummy_id` at position 0."""
    chosen = [input_ids[int(r)] for r in rows]
    layout = make_layout([len(ids) for ids in chosen])
    return Packed(
        layout=layout,
        input_ids=_join(chosen, layout.tokens, dummy_id),
        token_type_ids=None
        if token_type_ids is None
        else _join([token_type_ids[int(r)] for r in rows], layout.tokens, 0),
        rows=np.asarray(rows),
    )


def _join(parts: list[np.ndarray], size: int, filler: int) -> Tensor:
    joined = np.full(size, filler, dtype=np.int64)
    flat = np.concatenate(parts)
    joined[: len(flat)] = flat
    return torch.from_numpy(joined)[None, :]
