"""Attention with whole keys dropped, through torch's fused kernels: no `[B, H, Q, K]` matrix of logits is kept.

Numerically `functional.attention(..., logit_keep=key_keep)`. On a CPU the route follows measurements: the fused
kernel is the faster one in float32, and three times slower than plain products in bfloat16. On other devices it
follows from which masks the kernels accept: a mask over keys alone is broadcast; with causality the drop rides on
an extra feature, so that no mask a head is built. That choice is checked for equality; its speed is not measured.
"""

import torch
import torch.nn.functional as F

from .functional import attention, rescued

# A dropped key's logit falls by this much. Its weight is then exactly 0 in every dtype as long as logits span less
# than about 1900. 2048 / scaling is inside float16 for head sizes below 1024; above, several features share it.
_SHIFT = 2048.0


def key_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    key_keep: torch.Tensor,
    visible: torch.Tensor | None,
    causal: bool,
    scaling: float,
    dropout: float = 0.0,
) -> torch.Tensor:
    """Return the output `[B, Hq, Q, D]` of attention in which every query of a head loses the same keys (column
    DropKey).

    query `[B, Hq, Q, D]`, key and value `[B, Hkv, K, D]`, key_keep `[B, Hq, 1, K]` bool.  visible: bool,
    broadcastable to `[B, 1, Q, K]`, or None.  causal: additionally, no query sees a later key.  Queries that would
    lose every key they see keep them all. dropout: torch's own dropout on the weights.
    """
    seen = _and_causal(visible, query, key) if causal else visible
    if query.device.type == "cpu" and query.element_size() < 4:
        out, _ = attention(query, key, value, scaling=scaling, visible=seen, logit_keep=key_keep, dropout=dropout)
        return out
    shared = query.shape[1] // key.shape[1]
    if shared > 1:
        key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    if query.device.type != "cpu" and seen is not None and seen.shape[-2] > 1:
        return shifted_attention(
            query, key, value, key_keep=key_keep, visible=visible, causal=causal, scaling=scaling, dropout=dropout
        )
    mask = rescued(key_keep, seen)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout, scale=scaling)


def shifted_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    key_keep: torch.Tensor,
    visible: torch.Tensor | None,
    causal: bool,
    scaling: float,
    dropout: float = 0.0,
) -> torch.Tensor:
    """Return the same as `key_attention` without any mask per head: one more feature carries the drop.

    The query's extra feature is 1, a dropped key's is -2048 / scaling (or several add up to it). A query that loses all
    its keys loses the same from every logit, which the softmax ignores: the rescue comes for free. Repeat shared key
    heads before.
    """
    size = query.shape[-1]
    shares = 1 + int(_SHIFT / scaling // torch.finfo(key.dtype).max)
    pad = -(-(size + shares) // 8) * 8 - size  # fused kernels want head sizes in multiples of 8
    drop = torch.where(key_keep, 0.0, -_SHIFT / scaling / shares).to(key.dtype)
    one = F.pad(query.new_ones(()).expand(*query.shape[:3], shares), (0, pad - shares))
    shift = F.pad(drop.transpose(2, 3).expand(-1, -1, -1, shares), (0, pad - shares))
    seen = _and_causal(visible, query, key) if causal and visible is not None else visible
    out = F.scaled_dot_product_attention(
        torch.cat([query, one], -1),
        torch.cat([key, shift], -1),
        F.pad(value, (0, pad)),
        attn_mask=seen,
        dropout_p=dropout,
        is_causal=causal and visible is None,
        scale=scaling,
    )
    return out[..., :size]


def _and_causal(visible: torch.Tensor | None, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    queries, keys = query.shape[2], key.shape[2]
    causal = torch.ones((queries, keys), dtype=torch.bool, device=query.device).tril(keys - queries)[None, None]
    return causal if visible is None else causal & visible
