"""Keep-masks for vectors of tokens: hidden, input, output and adapter positions, and NEFTune's noise."""

import math
from dataclasses import dataclass

import torch

from transformer_dropout.spec import Site

from .draw import NOISE_STREAM, Draw, kept
from .rows import Rows
from .spans import span_keep, span_places

# Above the streams of sites, noise and span lengths.
PLACE_SHIFT = 20


@dataclass(frozen=True)
class VectorKeep:
    """A keep-mask over token vectors, ready to be multiplied in: `x * keep * scale`.

    Packed: keep `[N, E]` or `[N, 1]`, scale a number or `[N, 1]`.  Padded: `[B, L, E]` or `[B, L, 1]`, scale a
    number or `[B, L, 1]`.  Padding is kept.
    """

    keep: torch.Tensor
    scale: float | torch.Tensor


def vector_keep(
    site: Site, rate: float, draw: Draw, layer: int, rows: Rows, features: int, place: int = 0
) -> VectorKeep:
    """Draw the mask of a hidden, input or adapter site over vectors of `features` elements, in the layout of `rows`.

    place: which adapter of the layer it is (in `named_modules` order), so that their element masks differ; 0 elsewhere.
    """
    scale: float | torch.Tensor = 1.0 / (1.0 - rate) if site.rescale == "inverted" else 1.0
    if site.structure == "element":
        bits = draw.bits(layer, site.stream | place << PLACE_SHIFT, rows.total * features)
        keep = kept(bits, rate).view(rows.total, features)
    elif site.structure == "span":
        keep = span_keep(site, rate, draw, layer, rows, 1)
        if site.rescale == "normalized":
            scale = _span_scale(site, rate, draw, layer, rows)
    elif site.axis == "feature":
        by_row = kept(draw.bits(layer, site.stream, rows.batch * features), rate).view(rows.batch, features)
        keep = by_row[rows.row_of_token.to(by_row.device)]
    else:
        keep = token_keep(site, rate, draw, layer, rows, 1)
    if site.keep_first:
        keep = keep_first(keep, rows)
    if rows.width is None:
        return VectorKeep(keep, scale)
    spread = scale if isinstance(scale, float) else rows.to_padded(scale, 1.0)
    return VectorKeep(rows.to_padded(keep, True), spread)


def head_keep(site: Site, rate: float, draw: Draw, batch: int, features: int) -> VectorKeep:
    """Draw the mask of an output site for a head that reads one vector a row: keep `[B, E]`, scale a number."""
    keep = kept(draw.bits(0, site.stream, batch * features), rate).view(batch, features)
    return VectorKeep(keep, 1.0 / (1.0 - rate) if site.rescale == "inverted" else 1.0)


def embedding_noise(alpha: float, draw: Draw, rows: Rows, features: int) -> torch.Tensor:
    """Draw NEFTune's noise: uniform on ± alpha / sqrt(n x E) with n the row's real tokens, float32, 0 on padding.

    Shape `[N, E]` packed, `[B, L, E]` padded. Jain et al., arXiv 2310.05914.
    """
    bits = draw.bits(0, NOISE_STREAM, rows.total * features).to(torch.float32).view(rows.total, features)
    sizes = torch.tensor(rows.lengths, dtype=torch.float32, device=bits.device)
    size = alpha / math.sqrt(features) * sizes.clamp(min=1).rsqrt()
    noise = ((bits + 0.5) / 2**15 - 1.0) * size[rows.row_of_token.to(bits.device), None]
    return noise if rows.width is None else rows.to_padded(noise, 0.0)


def token_keep(site: Site, rate: float, draw: Draw, layer: int, rows: Rows, columns: int) -> torch.Tensor:
    """Draw whole tokens (or keys), independently in each of `columns` columns: `[N, columns]` bool.

    With a window w the first token of every w neighbours decides for them (DropAttention's w).
    """
    keep = kept(draw.bits(layer, site.stream, rows.total * columns), rate).view(rows.total, columns)
    if site.window == 1:
        return keep
    place = rows.place_of_token.to(keep.device)
    return keep[torch.arange(rows.total, device=keep.device) - place % site.window]


def keep_first(keep: torch.Tensor, rows: Rows) -> torch.Tensor:
    """Return `keep` `[N, ...]` with every row's first token kept."""
    first = (rows.place_of_token == 0).to(keep.device)
    return keep | first.view(-1, *([1] * (keep.dim() - 1)))


def _span_scale(site: Site, rate: float, draw: Draw, layer: int, rows: Rows) -> torch.Tensor:
    lengths, _ = span_places(site, rate, draw, layer, rows, 1)
    sizes = torch.tensor(rows.lengths, dtype=torch.float32, device=lengths.device)
    left = sizes - lengths[:, 0]
    by_row = torch.where(left > 0, sizes / left.clamp(min=1), 1.0)  # a row dropped whole has nothing to scale
    return by_row[rows.row_of_token.to(by_row.device), None]
