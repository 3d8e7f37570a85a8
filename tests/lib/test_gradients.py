"""The gradient facts of arXiv 2403.00812 §3 in float64: where DropKey and DropAttention differ, by how much."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformer_dropout.functional import attention, attention_weights, drop_hidden, rescued

KINDS = {
    "dropkey": ("logits", "normalized"),
    "sg": ("weights", "normalized"),
    "grad": ("weights", "normalized_grad"),
}


def weights_and_gradient(
    kind: str, scores: torch.Tensor, keep: torch.Tensor, visible: torch.Tensor, cotangent: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    position, rescale = KINDS[kind]
    leaf = scores.clone().requires_grad_()
    if position == "logits":
        weights = attention_weights(leaf, visible=rescued(keep, visible))
    else:
        weights = attention_weights(leaf, visible=visible, keep=keep, rescale=rescale)
    weights.backward(cotangent)
    assert leaf.grad is not None
    return weights.detach(), leaf.grad


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), length=st.integers(2, 7), causal=st.booleans())
def test_logit_gradients(seed: int, length: int, causal: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    shape = (2, 2, length, length)
    scores = torch.randn(shape, generator=generator, dtype=torch.float64) * 2
    cotangent = torch.randn(shape, generator=generator, dtype=torch.float64)
    keep = torch.rand(shape, generator=generator) > 0.4
    visible = torch.ones(length, length, dtype=torch.bool)
    visible = (visible.tril() if causal else visible)[None, None]
    mask = rescued(keep, visible)
    plain = attention_weights(scores, visible=visible)

    forward = {}
    gradient = {}
    for kind in KINDS:
        forward[kind], gradient[kind] = weights_and_gradient(kind, scores, keep, visible, cotangent)
    w_dropped = forward["dropkey"]

    # same forward in all three: w m / sum(w m)
    torch.testing.assert_close(w_dropped, plain * mask / (plain * mask).sum(-1, keepdim=True))
    torch.testing.assert_close(forward["sg"], w_dropped, rtol=0, atol=1e-15)
    torch.testing.assert_close(forward["grad"], w_dropped, rtol=0, atol=1e-15)
    # DropKey: exactly 0 on dropped logits; w' (gbar - a) elsewhere
    a = (w_dropped * cotangent).sum(-1, keepdim=True)
    assert not gradient["dropkey"][~mask.expand(shape)].any()
    torch.testing.assert_close(gradient["dropkey"], w_dropped * (cotangent - a))
    # with gradient through the sum it is DropKey
    torch.testing.assert_close(gradient["grad"], gradient["dropkey"], rtol=0, atol=1e-15)
    # with the sum detached the difference is exactly a (w' - w), so -w a on dropped entries
    torch.testing.assert_close(gradient["sg"] - gradient["dropkey"], a * (w_dropped - plain))
    dropped = visible & ~mask
    torch.testing.assert_close(gradient["sg"][dropped], (-plain * a)[dropped])
    # every row of the logit gradient sums to zero
    for kind in KINDS:
        torch.testing.assert_close(
            gradient[kind].sum(-1), torch.zeros(shape[:-1], dtype=torch.float64), atol=1e-12, rtol=0
        )


def test_the_stop_gradient_form_equals_autograd_through_a_detached_sum() -> None:
    torch.manual_seed(0)
    scores = torch.randn(2, 2, 5, 5, dtype=torch.float64)
    cotangent = torch.randn_like(scores)
    keep = torch.rand(2, 2, 1, 5) > 0.3
    visible = torch.ones(1, 1, 5, 5, dtype=torch.bool)
    _, ours = weights_and_gradient("sg", scores, keep, visible, cotangent)
    leaf = scores.clone().requires_grad_()
    masked = torch.softmax(leaf, -1) * rescued(keep, visible)
    (masked / masked.sum(-1, keepdim=True).detach()).backward(cotangent)
    torch.testing.assert_close(ours, leaf.grad)


@pytest.mark.parametrize("whole_keys", [True, False])
def test_value_gradients_are_equal_and_dropped_keys_get_none(whole_keys: bool) -> None:
    torch.manual_seed(1)
    inputs = [torch.randn(2, 2, 6, 4, dtype=torch.float64) for _ in range(3)]
    keep = torch.rand(2, 2, 1 if whole_keys else 6, 6) > 0.4
    keep[..., 0] = True  # nobody is rescued
    cotangent = torch.randn_like(inputs[0])
    gradients = {}
    for kind, (position, rescale) in KINDS.items():
        query, key, value = (t.clone().requires_grad_() for t in inputs)
        drop = {"logit_keep": keep} if position == "logits" else {"weight_keep": keep, "rescale": rescale}
        out, _ = attention(query, key, value, scaling=0.5, **drop)  # type: ignore[arg-type]
        out.backward(cotangent)
        gradients[kind] = (query.grad, key.grad, value.grad)
    for kind in ("sg", "grad"):
        torch.testing.assert_close(gradients[kind][2], gradients["dropkey"][2], rtol=0, atol=1e-14)
    if whole_keys:
        gone = ~keep[:, :, 0, :]
        for gradient in gradients["dropkey"][1:]:
            assert gradient is not None
            assert not gradient[gone].any()
    query_sg, query_dropkey = gradients["sg"][0], gradients["dropkey"][0]
    assert query_sg is not None
    assert query_dropkey is not None
    assert (query_sg - query_dropkey).abs().max() > 1e-3


def test_inverted_weights_leak_gradient_through_the_softmax() -> None:
    torch.manual_seed(2)
    scores = torch.randn(1, 1, 1, 5, dtype=torch.float64, requires_grad=True)
    keep = torch.tensor([True, True, False, True, True]).view(1, 1, 1, 5)
    weights = attention_weights(scores, visible=None, keep=keep, rescale="inverted", rate=0.2)
    torch.testing.assert_close(weights, torch.softmax(scores, -1) * keep / 0.8)
    weights.backward(torch.randn_like(weights))
    assert scores.grad is not None
    assert scores.grad[0, 0, 0, 2] != 0


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_hidden_gradient_is_the_scale_where_kept_and_zero_where_dropped(dtype: torch.dtype) -> None:
    torch.manual_seed(3)
    x = torch.randn(7, 16, dtype=dtype, requires_grad=True)
    x.data[0, 0] = torch.inf  # dropped: no NaN may come of it
    keep = torch.rand(7, 16) > 0.5
    keep[0, 0] = False
    out = drop_hidden(x, keep, 2.0)
    cotangent = torch.randn_like(out)
    out.backward(cotangent)
    expected = [
        [2 * v if k else 0.0 for v, k in zip(vs, ks, strict=True)]
        for vs, ks in zip(x.tolist(), keep.tolist(), strict=True)
    ]
    torch.testing.assert_close(out.detach(), torch.tensor(expected, dtype=dtype))
    assert x.grad is not None
    torch.testing.assert_close(x.grad, cotangent * keep * 2)
    assert not x.grad[~keep].any()


def test_hidden_gradcheck_with_a_scale_by_token() -> None:
    x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    keep = torch.tensor([True, False, True, True, False])[:, None]
    scale = torch.tensor([1.5, 1.5, 1.0, 2.0, 1.0])[:, None]
    assert torch.autograd.gradcheck(lambda t: drop_hidden(t, keep, scale), (x,))
    assert torch.autograd.gradcheck(lambda t: drop_hidden(t, keep.expand(5, 3).contiguous(), 1.25), (x,))
