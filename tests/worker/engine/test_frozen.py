"""Frozen products: blocks laid out once change no bit of a bf16 product, stay near in fp32, and are not for giants."""

import pytest
import torch
from torch import nn

from worker.engine.single.encoder import frozen
from worker.engine.single.encoder.frozen import Frozen, can_block

OUT, INTO, TOKENS = 96, 64, 50
HAS_BF16 = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
BF16 = pytest.mark.skipif(not HAS_BF16, reason="oneDNN computes no bf16 on this processor")
BLOCKS = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch was built without oneDNN here")


def both(dtype: torch.dtype) -> tuple[Frozen, Frozen]:
    """The same layer with its weight in blocks and plain."""
    torch.manual_seed(0)
    weight, bias = torch.randn(OUT, INTO).to(dtype), torch.randn(OUT).to(dtype)
    return Frozen(weight, bias, True), Frozen(weight, bias, False)


@BF16
def test_blocks_change_no_bit_in_bf16() -> None:
    blocked, plain = both(torch.bfloat16)
    x, grad = torch.randn(TOKENS, INTO).bfloat16(), torch.randn(TOKENS, OUT).bfloat16()
    into = torch.randn(TOKENS, INTO).bfloat16()
    assert torch.equal(blocked(x), plain(x))
    assert torch.equal(blocked.back(grad), plain.back(grad))
    assert torch.equal(blocked.back(grad, into.clone()), plain.back(grad, into.clone()))


@BLOCKS
def test_blocks_are_near_in_fp32_and_rows_are_views_of_the_same_weight() -> None:
    blocked, plain = both(torch.float32)
    x, grad, into = torch.randn(TOKENS, INTO), torch.randn(TOKENS, OUT), torch.randn(TOKENS, INTO)
    torch.testing.assert_close(blocked(x), x @ plain.weight.t() + plain.bias)
    torch.testing.assert_close(blocked.back(grad, into.clone()), grad @ plain.weight + into)
    torch.testing.assert_close(plain.back(grad, into.clone()), grad @ plain.weight + into)
    part = blocked.rows(32, 96)
    torch.testing.assert_close(part(x), blocked(x)[:, 32:])
    assert part.weight.data_ptr() == blocked.weight[32:].data_ptr()


@BLOCKS
@pytest.mark.parametrize("dtype", [torch.float32, pytest.param(torch.bfloat16, marks=BF16)])
def test_gelu_at_once_is_near_gelu_afterwards(dtype: torch.dtype) -> None:
    blocked, plain = both(dtype)
    x = torch.randn(TOKENS, INTO).to(dtype)
    exact = nn.functional.gelu(x.double() @ plain.weight.double().t() + plain.bias.double())
    for layer in (blocked, plain):
        torch.testing.assert_close(
            layer.gelu(x).double(),
            exact,
            rtol=8 * torch.finfo(dtype).eps,
            atol=1e-2 if dtype == torch.bfloat16 else 1e-5,
        )


@BLOCKS
def test_models_too_large_for_a_second_copy_go_without(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [nn.Linear(INTO, OUT) for _ in range(3)]
    assert can_block(layers)
    monkeypatch.setattr(frozen, "BLOCKED_BYTES", 2 * 3 * 4 * OUT * INTO - 1)
    assert not can_block(layers)
    assert not can_block([nn.Linear(INTO, OUT).half()])
