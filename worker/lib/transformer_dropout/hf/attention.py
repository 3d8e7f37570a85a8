"""The attention function that transformers calls in place of its own: the model's kernel, unless keys are dropped."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, AttentionMaskInterface
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from transformer_dropout.blocked import dropped_attention
from transformer_dropout.errors import UnsupportedModelError
from transformer_dropout.functional import attention, rescued
from transformer_dropout.fused import key_attention
from transformer_dropout.masks import AttentionKeep, attention_keep, native_attention_keep
from transformer_dropout.spec import Site

from . import families
from .context import Clock, ForwardContext, untraced

# Read by transformers' dispatcher: no part of a name may contain sdpa, flash, flex_attention or a slash.
NAMES = {"sdpa": "transformer_dropout", "eager": "transformer_dropout_explicit"}
_PLACE = "_transformer_dropout_place"


@dataclass(frozen=True)
class AttentionPlace:
    """What one self-attention module needs to know: its layer, its sites, and the model's own kernel."""

    clock: Clock
    layer: int
    logits: tuple[Site, ...]
    weights: tuple[Site, ...]
    kernel: Callable[..., Any]
    explicit: bool
    native: bool  # draw the base model's own dropout here too

    def active(self, query: torch.Tensor, dropout: float) -> bool:
        """Whether anything is dropped here that the model's own kernel would not drop."""
        redrawn = self.native and dropout > 0.0 and query.device.type == "cpu"
        return bool(self.logits or self.weights) or redrawn

    @property
    def compensation(self) -> tuple[str, float]:
        """Rescale and rate of the weights site (a method has one at most)."""
        if not self.weights:
            return "none", 0.0
        return self.weights[0].rescale or "normalized", self.weights[0].rate_at(self.layer)

    def attach(self, module: nn.Module) -> None:
        """Put this place on its module, where `attention_forward` finds it."""
        setattr(module, _PLACE, self)


def kernel_name(config: Any) -> str:
    """Return the kernel that a model's config asks for, 'sdpa' say, whether we stand in for it or not."""
    name = str(getattr(config, "_attn_implementation", None) or "eager")
    return {ours: theirs for theirs, ours in NAMES.items()}.get(name, name)


def own_kernel(module: nn.Module) -> Callable[..., Any]:
    """Return the kernel that a self-attention module would use without us (also when it already uses us).

    Raises UnsupportedModelError for kernels whose masks cannot be combined with a drop mask.
    """
    name = kernel_name(module.config)
    if name == "sdpa":
        found: Callable[..., Any] = ALL_ATTENTION_FUNCTIONS["sdpa"]
        return found
    kernel = getattr(sys.modules[type(module).__module__], "eager_attention_forward", None)
    if name != "eager" or kernel is None:
        raise UnsupportedModelError(
            f"attention '{name}' of {type(module).__name__} cannot take a drop mask; "
            "load the model with attn_implementation='sdpa' or 'eager'"
        )
    own: Callable[..., Any] = kernel
    return own


def takes_masks(model: nn.Module) -> bool:
    """Return whether the model's attention kernel is one that we can stand in for."""
    return kernel_name(families.attention_modules(model)[0].config) in NAMES


def register(kernel: str) -> str:
    """Register our function and the mask builder of `kernel` ('sdpa' or 'eager') under one name, and return the name.

    Without a mask builder of the same name transformers would build no mask at all and padding would go unseen.
    """
    if kernel not in NAMES:
        raise UnsupportedModelError(
            f"attention '{kernel}' cannot take a drop mask; load the model with attn_implementation='sdpa' or 'eager'"
        )
    name = NAMES[kernel]
    AttentionInterface.register(name, attention_forward)
    AttentionMaskInterface.register(name, ALL_MASK_ATTENTION_FUNCTIONS[kernel])
    return name


def check_registered(name: str) -> None:
    """Raise UnsupportedModelError unless `name` has both an attention function and a mask builder."""
    if name not in ALL_ATTENTION_FUNCTIONS or name not in ALL_MASK_ATTENTION_FUNCTIONS:
        raise UnsupportedModelError(
            f"attention '{name}' has no mask function registered under the same name, so padding would be ignored; "
            "register one with AttentionMaskInterface.register"
        )


def detach(module: nn.Module) -> None:
    """Take the place off again."""
    if hasattr(module, _PLACE):
        delattr(module, _PLACE)


@untraced
def attention_forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return output `[B, Q, Hq, D]` and weights (or None), as transformers' attention interface asks.

    query `[B, Hq, Q, D]`, key and value `[B, Hkv, K, D]`. Where nothing is dropped (eval, other layers, cached
    decoding, cross-attention) the call goes to the model's own kernel unchanged.
    """
    place: AttentionPlace | None = getattr(module, _PLACE, None)
    context = None if place is None or not module.training else place.clock.here()
    if place is None or context is None or not place.active(query, dropout) or query.shape[2] != key.shape[2]:
        kernel = own_kernel(module) if place is None else place.kernel
        found: tuple[torch.Tensor, torch.Tensor | None] = kernel(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return found
    if place.logits or place.weights:
        context.reached += 1
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    causal = bool(kwargs.get("is_causal", getattr(module, "is_causal", False)))
    visible, causal = _visible(context, attention_mask, causal)
    heads = query.shape[1]
    softcap = kwargs.get("softcap")
    logit_keep = _combined(place.logits, place.layer, context, heads)
    weight_keep = _combined(place.weights, place.layer, context, heads)
    native_keep = None
    if place.native and dropout > 0.0 and query.device.type == "cpu":
        native_keep = _spread(native_attention_keep(context.draw, place.layer, dropout, context.drawn, heads), context)
    by_key = logit_keep is not None and logit_keep.shape[2] == 1 and weight_keep is None and softcap is None
    if by_key and logit_keep is not None and native_keep is None and not place.explicit:
        out = key_attention(
            query, key, value, key_keep=logit_keep, visible=visible, causal=causal, scaling=scale, dropout=dropout
        )
        return out.transpose(1, 2).contiguous(), None
    if causal:
        length = query.shape[2]
        ahead = torch.ones((length, length), dtype=torch.bool, device=query.device).tril()[None, None]
        visible = ahead if visible is None else visible & ahead
    rescale, rate = place.compensation
    # One mask that zeroes weights, the base model's own or a site's, and on a CPU: a route that stays in the cache.
    single, share = (native_keep, dropout) if weight_keep is None else (weight_keep, rate)
    inverted = native_keep is not None if weight_keep is None else rescale == "inverted" and dropout == 0.0
    if single is not None and inverted and query.device.type == "cpu" and softcap is None and not place.explicit:
        visible = visible if logit_keep is None else rescued(logit_keep, visible)
        out = dropped_attention(query, key, value, keep=single, rate=share, visible=visible, scaling=scale)
        return out.transpose(1, 2).contiguous(), None
    out, weights = attention(
        query,
        key,
        value,
        scaling=scale,
        visible=visible,
        logit_keep=logit_keep,
        weight_keep=weight_keep,
        rescale=rescale,
        rate=rate,
        softcap=softcap,
        dropout=dropout,
        dropout_keep=native_keep,
    )
    return out.transpose(1, 2).contiguous(), weights


def _visible(context: ForwardContext, mask: torch.Tensor | None, causal: bool) -> tuple[torch.Tensor | None, bool]:
    """Return what may be seen, as a bool mask or None, and whether causality must still be added.

    transformers gives no mask at all in the common cases (no padding; causal without padding), and one that includes
    causality otherwise. Without causality, padding is known from the rows and needs no `[B, 1, Q, K]` mask.
    """
    if mask is None:
        return None, causal
    if not causal and not context.custom_mask:
        rows = context.rows
        if rows.is_rectangle:
            return None, False
        real = rows.real
        return real.to(mask.device)[:, None, None, :], False
    if mask.dtype == torch.bool:
        return mask, False
    return mask > torch.finfo(mask.dtype).min / 2, False


def _spread(keep: AttentionKeep, context: ForwardContext) -> torch.Tensor:
    """Return a mask in the layout of the running pass's rows."""
    return keep.padded() if context.documents is None else keep.in_rows(context.rows.batch, context.rows.width or 0)


def _combined(sites: tuple[Site, ...], layer: int, context: ForwardContext, heads: int) -> torch.Tensor | None:
    """Return the keep-mask of all sites together, `[B, H, 1 or Q, K]`, or None where this layer has none."""
    combined: torch.Tensor | None = None
    for site in sites:
        keep = _spread(attention_keep(site, site.rate_at(layer), context.draw, layer, context.drawn, heads), context)
        combined = keep if combined is None else combined & keep
    return combined
