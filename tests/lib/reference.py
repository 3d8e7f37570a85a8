"""The framework in loops over Python numbers, sharing no code with the library: what the tests hold it against.

After arXiv 2403.00812 Eq. 1-9 and the rescue rule of `transformer_dropout.functional`.
"""

import math

import torch


def attention_row(
    logits: list[float],
    visible: list[bool],
    logit_keep: list[bool] | None,
    weight_keep: list[bool] | None,
    rescale: str,
    rate: float,
) -> list[float]:
    """Weights of one query over its keys."""
    seen = _rescued(logit_keep, visible)
    weights = _softmax(logits, seen)
    if weight_keep is None:
        return weights
    if rescale in ("inverted", "none"):
        scale = 1 / (1 - rate) if rescale == "inverted" else 1.0
        return [w * scale if keep else 0.0 for w, keep in zip(weights, weight_keep, strict=True)]
    kept = _rescued(weight_keep, seen)
    # w m / sum(w m) with the exponentials of the kept keys alone, so that it cannot be 0 / 0
    return _softmax(logits, kept)


def attention_reference(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    scaling: float,
    visible: torch.Tensor,
    logit_keep: torch.Tensor | None = None,
    weight_keep: torch.Tensor | None = None,
    rescale: str = "normalized",
    rate: float = 0.0,
    softcap: float | None = None,
) -> torch.Tensor:
    """Output `[B, Hq, Q, D]` in float64, one number at a time."""
    batch, heads, queries, size = query.shape
    keys = key.shape[2]
    shared = heads // key.shape[1]
    out = torch.zeros(batch, heads, queries, size, dtype=torch.float64)
    masks = [None if m is None else m.expand(batch, heads, queries, keys) for m in (visible, logit_keep, weight_keep)]
    for b in range(batch):
        for h in range(heads):
            for i in range(queries):
                logits = [_logit(query[b, h, i], key[b, h // shared, j], scaling, softcap) for j in range(keys)]
                seen, lk, wk = (None if m is None else m[b, h, i].tolist() for m in masks)
                row = attention_row(logits, seen, lk, wk, rescale, rate)
                for d in range(size):
                    out[b, h, i, d] = sum(row[j] * value[b, h // shared, j, d].item() for j in range(keys))
    return out


def kl(p: list[float], q: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def softmax(logits: list[float]) -> list[float]:
    return _softmax(logits, [True] * len(logits))


def consistency_reference(kind: str, first: list[float], second: list[float]) -> float:
    """The loss of one example from its two rows of logits."""
    p, q = softmax(first), softmax(second)
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return {
        "kl": (kl(p, q) + kl(q, p)) / 2,
        "kl_both": (kl(p, q) + kl(q, p)) / 2,
        "js_paper": kl(p, q),
        "js": (kl(p, middle) + kl(q, middle)) / 2,
        "js_hiddencut": (kl(middle, p) + kl(middle, q)) / 2,
    }[kind]


def _logit(query: torch.Tensor, key: torch.Tensor, scaling: float, softcap: float | None) -> float:
    dot = sum(a * b for a, b in zip(query.tolist(), key.tolist(), strict=True)) * scaling
    return math.tanh(dot / softcap) * softcap if softcap else dot


def _rescued(keep: list[bool] | None, visible: list[bool]) -> list[bool]:
    if keep is None:
        return visible
    both = [a and b for a, b in zip(keep, visible, strict=True)]
    return both if any(both) else visible


def _softmax(logits: list[float], seen: list[bool]) -> list[float]:
    if not any(seen):
        return [0.0] * len(logits)
    top = max(g for g, s in zip(logits, seen, strict=True) if s)
    exps = [math.exp(g - top) if s else 0.0 for g, s in zip(logits, seen, strict=True)]
    return [e / sum(exps) for e in exps]
