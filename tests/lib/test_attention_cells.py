"""Every attention cell against the loop-written reference, over shapes, masks, grouped heads and dtypes."""

from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformer_dropout import blocked
from transformer_dropout.errors import ShapeError
from transformer_dropout.functional import attention, rescued
from transformer_dropout.fused import key_attention, shifted_attention

from tests.lib.reference import attention_reference

CELLS = [
    ("logits", "normalized"),
    ("weights", "normalized"),
    ("weights", "normalized_grad"),
    ("weights", "inverted"),
    ("weights", "none"),
]


def tensors(seed: int, batch: int, heads: int, shared: int, length: int, dtype: torch.dtype) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(batch, heads, length, 4)] + [(batch, heads // shared, length, 4)] * 2
    return [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]


def masks(
    seed: int, batch: int, heads: int, length: int, whole_keys: bool, causal: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """A keep-mask that drops half, and a visibility mask with padding on the right."""
    generator = torch.Generator().manual_seed(seed + 1)
    keep = torch.rand((batch, heads, 1 if whole_keys else length, length), generator=generator) > 0.5
    real = torch.arange(length)[None] < torch.randint(1, length + 1, (batch, 1), generator=generator)
    visible = real[:, None, None, :]
    return keep, visible & torch.ones(length, length, dtype=torch.bool).tril() if causal else visible


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    batch=st.integers(1, 2),
    heads=st.sampled_from([(1, 1), (2, 1), (4, 2), (4, 4)]),
    length=st.integers(1, 5),
    cell=st.sampled_from(CELLS),
    whole_keys=st.booleans(),
    causal=st.booleans(),
    softcap=st.sampled_from([None, 2.0]),
    dtype=st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_every_cell_equals_the_loops(
    seed: int,
    batch: int,
    heads: tuple[int, int],  # heads, and how many of them share a key head
    length: int,
    cell: tuple[str, str],
    whole_keys: bool,
    causal: bool,
    softcap: float | None,
    dtype: torch.dtype,
) -> None:
    query, key, value = tensors(seed, batch, *heads, length, dtype)
    keep, visible = masks(seed, batch, heads[0], length, whole_keys, causal)
    position, rescale = cell
    drop = {"logit_keep": keep} if position == "logits" else {"weight_keep": keep, "rescale": rescale, "rate": 0.5}
    out, _ = attention(query, key, value, scaling=0.5, visible=visible, softcap=softcap, **drop)  # type: ignore[arg-type]
    expected = attention_reference(query, key, value, scaling=0.5, visible=visible, softcap=softcap, **drop)  # type: ignore[arg-type]
    tolerance = 1e-5 if dtype == torch.float32 else 4e-2
    torch.testing.assert_close(out.double(), expected, atol=tolerance, rtol=tolerance)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10**6),
    heads=st.sampled_from([(2, 1), (4, 2), (2, 2)]),
    length=st.integers(1, 9),
    causal=st.booleans(),
    padded=st.booleans(),
    dtype=st.sampled_from([torch.float64, torch.float32, torch.bfloat16]),
)
def test_fused_routes_equal_the_explicit_one(
    seed: int, heads: tuple[int, int], length: int, causal: bool, padded: bool, dtype: torch.dtype
) -> None:
    query, key, value = tensors(seed, 2, *heads, length, dtype)
    keep, real = masks(seed, 2, heads[0], length, True, False)
    visible = real if padded else None
    ahead = torch.ones(length, length, dtype=torch.bool).tril()
    seen = real if padded else torch.ones(1, 1, 1, length, dtype=torch.bool)
    seen = seen & ahead if causal else seen
    expected = attention_reference(query, key, value, scaling=0.5, visible=seen, logit_keep=keep)
    tolerance = {torch.float64: 1e-9, torch.float32: 1e-5, torch.bfloat16: 4e-2}[dtype]
    out = key_attention(query, key, value, key_keep=keep, visible=visible, causal=causal, scaling=0.5)
    torch.testing.assert_close(out.double(), expected, atol=tolerance, rtol=tolerance)
    repeated = [t.repeat_interleave(heads[1], 1) for t in (key, value)]
    shifted = shifted_attention(query, *repeated, key_keep=keep, visible=visible, causal=causal, scaling=0.5)
    # a rescued row's logits carry the shift of 2048 and lose digits to it
    tolerance = max(tolerance, 1e-3 if dtype == torch.float32 else tolerance)
    torch.testing.assert_close(shifted.double(), expected, atol=tolerance, rtol=tolerance)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10**6),
    heads=st.sampled_from([(2, 1), (4, 2), (2, 2)]),
    length=st.integers(1, 6),
    block=st.sampled_from([1, 1 << 18]),
    padding=st.sampled_from(["none", "keys", "causal", "blind"]),
    whole_keys=st.booleans(),
    dtype=st.sampled_from([torch.float64, torch.float32, torch.bfloat16]),
)
def test_blocks_of_rows_equal_the_loops_and_autograd(
    seed: int, heads: tuple[int, int], length: int, block: int, padding: str, whole_keys: bool, dtype: torch.dtype
) -> None:
    inputs = tensors(seed, 3, *heads, length, dtype)
    keep, real = masks(seed, 3, heads[0], length, whole_keys, padding == "causal")
    seen = torch.ones_like(real) if padding == "none" else real
    if padding == "blind":  # queries that see no key at all
        seen = seen & (torch.arange(length) != 0)[None, None, :, None]
    options = {"visible": None if padding == "none" else seen, "scaling": 0.5}
    expected = attention_reference(*inputs, scaling=0.5, visible=seen, weight_keep=keep, rescale="inverted", rate=0.4)
    tolerance = {torch.float64: 1e-9, torch.float32: 1e-5, torch.bfloat16: 4e-2}[dtype]
    cotangent = torch.randn(expected.shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
    found = []
    with mock.patch.object(blocked, "_BLOCK", block):
        for route in ("blocks", "whole"):
            leaves = [t.clone().requires_grad_() for t in inputs]
            if route == "blocks":
                out = blocked.dropped_attention(*leaves, keep=keep, rate=0.4, **options)  # type: ignore[arg-type]
            else:
                out, _ = attention(*leaves, weight_keep=keep, rescale="inverted", rate=0.4, **options)  # type: ignore[arg-type]
            torch.testing.assert_close(out.double(), expected, atol=tolerance, rtol=tolerance)
            found.append(torch.autograd.grad(out, leaves, cotangent))
    exact_leaves = [t.double().requires_grad_() for t in inputs]
    exact, _ = attention(*exact_leaves, weight_keep=keep, rescale="inverted", rate=0.4, **options)  # type: ignore[arg-type]
    for truth, *both in zip(torch.autograd.grad(exact, exact_leaves, cotangent.double()), *found, strict=True):
        # A gradient is a sum of terms of either sign: what rounding costs goes by the largest, not by what is left.
        scale = max(1.0, float(truth.abs().max()))
        for ours in both:
            torch.testing.assert_close(ours.double(), truth, atol=2 * tolerance * scale, rtol=2 * tolerance)


@pytest.mark.parametrize(("position", "rescale"), CELLS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_everything_dropped_stays_finite(position: str, rescale: str, dtype: torch.dtype) -> None:
    query, key, value = (t.requires_grad_() for t in tensors(3, 2, 2, 1, 6, dtype))
    keep = torch.zeros(2, 2, 1, 6, dtype=torch.bool)
    drop = {"logit_keep": keep} if position == "logits" else {"weight_keep": keep, "rescale": rescale, "rate": 0.999}
    out, _ = attention(query, key, value, scaling=0.5, **drop)  # type: ignore[arg-type]
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert all(torch.isfinite(t.grad).all() for t in (query, key, value) if t.grad is not None)
    if rescale in ("inverted", "none"):
        assert not out.any()  # a zero row is their definition
    else:
        undropped, _ = attention(query, key, value, scaling=0.5)
        assert torch.equal(out, undropped)


def test_one_dominating_dropped_key() -> None:
    """A logit 100 above the others, dropped: w m / sum(w m) would be 0 / 0; the others share the weight."""
    query = torch.ones(1, 1, 1, 1)
    key = torch.tensor([100.0, 1.0, 0.0]).view(1, 1, 3, 1)
    value = torch.tensor([5.0, 1.0, 0.0]).view(1, 1, 3, 1)
    keep = torch.tensor([False, True, True]).view(1, 1, 1, 3)
    for drop in ({"logit_keep": keep}, {"weight_keep": keep, "rescale": "normalized"}):
        out, weights = attention(query, key, value, scaling=1.0, **drop)  # type: ignore[arg-type]
        assert weights.sum().item() == pytest.approx(1.0)
        assert out.item() == pytest.approx(1 / (1 + 2.718281828**-1), rel=1e-5)


def test_rescue_never_looks_ahead() -> None:
    visible = torch.ones(4, 4, dtype=torch.bool).tril()[None, None]
    keep = torch.tensor([False, False, True, True]).view(1, 1, 1, 4)
    seen = rescued(keep, visible)[0, 0]
    assert seen.tolist() == [
        [True, False, False, False],  # lost everything it sees: keeps it
        [True, True, False, False],
        [False, False, True, False],
        [False, False, True, True],
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_causal_row_whose_only_key_is_dropped_equals_the_undropped_row(dtype: torch.dtype) -> None:
    """For bool, float and missing masks; and no row before a changed token changes."""
    query, key, value = tensors(8, 1, 2, 1, 6, dtype)
    keep = torch.ones(1, 2, 1, 6, dtype=torch.bool)
    keep[..., 0] = False
    ahead = torch.ones(6, 6, dtype=torch.bool).tril()[None, None]
    changed = [t.clone() for t in (key, value)]
    for t in changed:
        t[:, :, 5] += 3
    for visible, causal in ((None, True), (ahead, False), (torch.ones(1, 1, 1, 6, dtype=torch.bool), True)):
        options = {"key_keep": keep, "visible": visible, "causal": causal, "scaling": 0.5}
        out = key_attention(query, key, value, **options)  # type: ignore[arg-type]
        undropped, _ = attention(query, key, value, scaling=0.5, visible=ahead)
        torch.testing.assert_close(out[:, :, 0], undropped[:, :, 0])
        after = key_attention(query, *changed, **options)  # type: ignore[arg-type]
        assert torch.equal(out[:, :, :5], after[:, :, :5])


def test_queries_that_see_nothing_give_zero() -> None:
    query, key, value = tensors(4, 1, 2, 1, 3, torch.float32)
    visible = torch.tensor([[False, False, False], [False, True, False], [True, True, True]])[None, None]
    for drop in ({}, {"weight_keep": torch.ones(1, 2, 1, 3, dtype=torch.bool)}):
        out, weights = attention(query, key, value, scaling=1.0, visible=visible, **drop)  # type: ignore[arg-type]
        assert not out[:, :, 0].any()
        assert not weights[:, :, 0].any()
        assert out[:, :, 1:].abs().min() > 0


def test_heads_that_do_not_fit_are_refused() -> None:
    query, key, value = tensors(5, 1, 3, 1, 4, torch.float32)
    with pytest.raises(ShapeError, match="multiple of key heads"):
        attention(query, key[:, :2], value[:, :2], scaling=1.0)
