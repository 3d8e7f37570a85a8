"""Keep-masks for attention: over keys (cheap) or over query-key pairs, drawn in real-token order."""

import itertools
from dataclasses import dataclass
from typing import Any

import torch

from transformer_dropout.spec import Site

from .draw import Draw, kept
from .rows import Rows, token_index
from .spans import span_keep, span_places
from .vectors import keep_first, token_keep


@dataclass(frozen=True)
class AttentionKeep:
    """The mask of one attention site in one layer, for all rows of a batch.

    keys: `[N, H]` bool, whole keys (columns and shared spans); or pairs: flat bool, for row after row `[H, n, n]`
    (head, query, key). Exactly one is given. `diagonal`: queries keep their own key.
    """

    rows: Rows
    heads: int
    keys: torch.Tensor | None
    pairs: torch.Tensor | None
    diagonal: bool = False

    def padded(self, group: tuple[int, ...] | None = None, width: int | None = None) -> torch.Tensor:
        """Spread the mask over a rectangle, True outside the real tokens: `[B', H, 1, K]`, or `[B', H, Q, K]` for
        pairs.

        group: which rows (all).  width: K, with the rows at its left edge; None takes the rows' own padded layout.
        Raises ShapeError where a row does not fit.
        """
        chosen = tuple(range(self.rows.batch)) if group is None else group
        spread = self._spread_keys(chosen, width) if self.keys is not None else self._spread_pairs(chosen, width)
        if self.diagonal:
            across = spread.shape[-1]
            spread = spread | torch.eye(across, dtype=torch.bool, device=spread.device)
        return spread

    def in_rows(self, batch: int, width: int) -> torch.Tensor:
        """Spread packed documents over `[batch, width]` rows that hold them one behind the other, without padding.

        `[B, H, 1, L]`, or `[B, H, L, L]` for pairs, True between documents.
        """
        if self.keys is not None:
            keep = self.keys.view(batch, width, self.heads).transpose(1, 2).unsqueeze(2)
        else:
            assert self.pairs is not None
            keep = torch.ones((batch, self.heads, width, width), dtype=torch.bool, device=self.pairs.device)
            begin = 0
            for offset, n in zip(self.rows.offsets, self.rows.lengths, strict=True):
                row, first = divmod(offset, width)
                block = self.pairs[begin : begin + self.heads * n * n].view(self.heads, n, n)
                keep[row, :, first : first + n, first : first + n] = block
                begin += self.heads * n * n
        return keep | torch.eye(width, dtype=torch.bool, device=keep.device) if self.diagonal else keep

    def _spread_keys(self, group: tuple[int, ...], width: int | None) -> torch.Tensor:
        keys = self.keys
        assert keys is not None
        sources, targets = token_index(self.rows, group, width)
        across = self.rows.width if width is None else width
        assert across is not None  # token_index refused packed rows without a width
        picked = keys if group == tuple(range(self.rows.batch)) else keys[sources.to(keys.device)]
        flat = picked
        if sources.numel() != len(group) * across:
            flat = torch.ones((len(group) * across, self.heads), dtype=torch.bool, device=keys.device)
            flat.index_copy_(0, targets.to(keys.device), picked)
        return flat.view(len(group), across, self.heads).transpose(1, 2).unsqueeze(2)

    def _spread_pairs(self, group: tuple[int, ...], width: int | None) -> torch.Tensor:
        pairs = self.pairs
        assert pairs is not None
        token_index(self.rows, group, width)  # refuses rows that do not fit
        across = self.rows.width if width is None else width
        assert across is not None
        starts = self.rows.starts if width is None else None
        if width is None and self.rows.is_rectangle and group == tuple(range(self.rows.batch)):
            return pairs.view(len(group), self.heads, across, across)
        out = torch.ones((len(group), self.heads, across, across), dtype=torch.bool, device=pairs.device)
        sizes = [self.heads * n * n for n in self.rows.lengths]
        begins = list(itertools.accumulate(sizes, initial=0))
        whole: Any = out
        blocks: Any = pairs
        if pairs.device.type == "cpu":
            whole, blocks = out.numpy(), pairs.numpy()  # the same memory; NumPy is quicker with many small blocks
        for place, b in enumerate(group):
            n = self.rows.lengths[b]
            first = starts[b] if starts is not None else 0
            block = blocks[begins[b] : begins[b + 1]].reshape(self.heads, n, n)
            whole[place, :, first : first + n, first : first + n] = block
        return out


def attention_keep(site: Site, rate: float, draw: Draw, layer: int, rows: Rows, heads: int) -> AttentionKeep:
    """Draw the mask of an attention site: columns and shared spans over keys, elements and per-row spans over pairs."""
    if site.structure == "column":
        keys = token_keep(site, rate, draw, layer, rows, heads)
    elif site.structure == "span" and not site.per_row:
        keys = span_keep(site, rate, draw, layer, rows, heads)
    else:
        sample = _pair_spans if site.per_row else _pairs
        pairs = sample(site, rate, draw, layer, rows, heads)
        if site.keep_first:
            pairs = _pairs_keep_first(pairs, rows, heads)
        return AttentionKeep(rows, heads, None, pairs, site.keep_diagonal)
    if site.keep_first:
        keys = keep_first(keys, rows)
    return AttentionKeep(rows, heads, keys, None, site.keep_diagonal)


def _pairs(site: Site, rate: float, draw: Draw, layer: int, rows: Rows, heads: int) -> torch.Tensor:
    count = heads * sum(n * n for n in rows.lengths)
    return kept(draw.bits(layer, site.stream, count), rate)


def _pair_spans(site: Site, rate: float, draw: Draw, layer: int, rows: Rows, heads: int) -> torch.Tensor:
    """One run of keys for every (head, query): rows of n tokens count as n x H columns of their own."""
    queries = Rows(tuple(n for n in rows.lengths for _ in range(n)))  # one row of n keys for each query
    lengths, starts = span_places(site, rate, draw, layer, queries, heads)  # [N, H]
    blocks = []
    for b, n in enumerate(rows.lengths):
        own = slice(rows.offsets[b], rows.offsets[b] + n)
        inside = torch.arange(n, device=starts.device) - starts[own].t()[:, :, None]  # [H, n, n]
        blocks.append(((inside < 0) | (inside >= lengths[own].t()[:, :, None])).reshape(-1))
    return torch.cat(blocks)


def _pairs_keep_first(pairs: torch.Tensor, rows: Rows, heads: int) -> torch.Tensor:
    protected = pairs.clone()
    offset = 0
    for n in rows.lengths:
        protected[offset : offset + heads * n * n].view(heads, n, n)[:, :, :1] = True
        offset += heads * n * n
    return protected
