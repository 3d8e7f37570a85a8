"""Where the real tokens of a batch are: packed one behind the other, or padded to a rectangle."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import torch

from transformer_dropout.errors import ShapeError


@dataclass(frozen=True)
class Rows:
    """Lengths of the rows of a batch in real tokens, and where they sit.

    Packed (`starts` None): row b's tokens follow row b-1's, N = sum(lengths), nothing else is there.
    Padded: row b's tokens are columns `starts[b]` to `starts[b] + lengths[b]` of a `[B, width]` rectangle.
    Raises ShapeError where a row does not fit its rectangle.
    """

    lengths: tuple[int, ...]
    starts: tuple[int, ...] | None = None
    width: int | None = None

    def __post_init__(self) -> None:
        if (self.starts is None) != (self.width is None):
            raise ShapeError("padded rows need both starts and width; packed rows need neither")
        if self.starts is None or self.width is None:
            return
        if len(self.starts) != len(self.lengths):
            raise ShapeError(f"{len(self.lengths)} lengths but {len(self.starts)} starts: give one of each a row")
        for b, (start, length) in enumerate(zip(self.starts, self.lengths, strict=True)):
            if start < 0 or length < 0 or start + length > self.width:
                raise ShapeError(f"row {b} has tokens {start} to {start + length}, outside a width of {self.width}")

    @classmethod
    def full(cls, batch: int, width: int) -> "Rows":
        """Return rows without any padding, as a `[batch, width]` rectangle."""
        return cls((width,) * batch, (0,) * batch, width)

    @classmethod
    def from_attention_mask(cls, mask: torch.Tensor) -> "Rows":
        """Return the rows of a `[B, L]` mask (nonzero = real token, padding left or right).

        Raises ShapeError where padding sits between real tokens.
        """
        real = mask != 0
        width = real.shape[1]
        lengths = real.sum(-1)
        starts = torch.where(lengths > 0, real.int().argmax(-1), 0)
        last = torch.where(lengths > 0, width - 1 - real.flip(-1).int().argmax(-1), -1)
        if bool((torch.where(lengths > 0, last - starts + 1, 0) != lengths).any()):
            raise ShapeError("the attention mask has gaps inside a row; pad on the left or on the right only")
        return cls(tuple(lengths.tolist()), tuple(starts.tolist()), width)

    @classmethod
    def documents(cls, position_ids: torch.Tensor) -> "Rows | None":
        """Return the documents that `[B, L]` rows without padding hold one behind the other, as packed rows.

        A document begins where a position is not the one after its neighbour's. None where every row is one.
        """
        jumps = position_ids[:, 1:] != position_ids[:, :-1] + 1
        if not bool(jumps.any()):
            return None
        width = position_ids.shape[1]
        lengths: list[int] = []
        for row in jumps.tolist():
            edges = [0, *(place + 1 for place, jump in enumerate(row) if jump), width]
            lengths += [end - start for start, end in pairwise(edges)]
        return cls(tuple(lengths))

    @property
    def batch(self) -> int:
        """B, the number of rows."""
        return len(self.lengths)

    @cached_property
    def total(self) -> int:
        """N, the number of real tokens."""
        return sum(self.lengths)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Index of each row's first token among the N real tokens."""
        ends = []
        end = 0
        for length in self.lengths:
            ends.append(end)
            end += length
        return tuple(ends)

    @cached_property
    def row_of_token(self) -> torch.Tensor:
        """Row number of every real token, `[N]`."""
        return torch.repeat_interleave(torch.arange(self.batch), torch.tensor(self.lengths, dtype=torch.long))

    @cached_property
    def place_of_token(self) -> torch.Tensor:
        """Place of every real token within its row, counted from 0, `[N]`."""
        return torch.arange(self.total) - torch.tensor(self.offsets, dtype=torch.long)[self.row_of_token]

    @cached_property
    def real(self) -> torch.Tensor:
        """Which cells of the padded rectangle are real tokens, `[B, width]` bool."""
        return self.to_padded(torch.ones(self.total, dtype=torch.bool), False)

    @cached_property
    def is_rectangle(self) -> bool:
        """Whether every cell of the padded rectangle is a real token."""
        return self.width is not None and all(length == self.width for length in self.lengths)

    def to_padded(self, packed: torch.Tensor, fill: bool | float) -> torch.Tensor:
        """Spread `[N, ...]` over the rectangle: `[B, width, ...]`, padding filled with `fill`. Padded rows only."""
        if self.width is None:
            raise ShapeError("packed rows have no rectangle to spread over")
        if self.is_rectangle:
            return packed.reshape(self.batch, self.width, *packed.shape[1:])
        out = packed.new_full((self.batch * self.width, *packed.shape[1:]), fill)
        _, target = token_index(self, tuple(range(self.batch)), None)
        out.index_copy_(0, target.to(packed.device), packed)
        return out.view(self.batch, self.width, *packed.shape[1:])


@lru_cache(maxsize=256)  # every layer of a step asks for the same groups
def token_index(rows: Rows, group: tuple[int, ...], width: int | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return, for the rows in `group`, their tokens' indices among the N and in the group's flat rectangle.

    Both `[N']`. The rectangle is `[len(group), width]` with rows at its left edge; the rows' own where width is None.
    """
    sources, targets = [], []
    for place, b in enumerate(group):
        length = rows.lengths[b]
        start = 0
        if width is None:
            if rows.starts is None or rows.width is None:
                raise ShapeError("packed rows need a width to be spread over")
            start = rows.starts[b]
        elif length > width:
            raise ShapeError(f"row {b} has {length} tokens and does not fit a width of {width}")
        across = rows.width if width is None else width
        sources.append(torch.arange(rows.offsets[b], rows.offsets[b] + length))
        targets.append(torch.arange(length) + place * (across or 0) + start)
    none = torch.empty(0, dtype=torch.long)
    return torch.cat(sources) if sources else none, torch.cat(targets) if targets else none
