"""The hand-written attention's softmax: shortcuts for some lengths give what torch's own way gives, there and back."""

import pytest
import torch

from worker.engine.single.encoder.attention import SavedGroup, _softmax, _softmax_back

HEADS, SIZE = 6, 32
LENGTHS = (16, 32, 48, 64)  # less than a vector of bf16, one, one and a half, two


@pytest.mark.parametrize("length", LENGTHS)
def test_softmax_of_bf16_is_that_of_fp32_rounded(length: int) -> None:
    generator = torch.Generator().manual_seed(length)
    query, key = (torch.randn(HEADS, length, SIZE, generator=generator).bfloat16() for _ in range(2))
    bias = torch.zeros(HEADS, length, length, dtype=torch.bfloat16)
    bias[:, :, length - 3 :] = float("-inf")
    scores = torch.baddbmm(bias, query, key.transpose(1, 2), alpha=0.2)
    assert torch.equal(_softmax(query, key, bias, 0.2), torch.softmax(scores.float(), -1).bfloat16())


@pytest.mark.parametrize("length", LENGTHS)
def test_gradient_of_softmax_in_bf16_is_that_of_fp64_rounded(length: int) -> None:
    generator = torch.Generator().manual_seed(length)
    weights = torch.softmax(torch.randn(HEADS, length, length, generator=generator), -1).bfloat16()
    back = torch.randn(HEADS, length, length, generator=generator).bfloat16()
    group = SavedGroup(back, back, back, weights, None, weights, ())
    exact = torch._softmax_backward_data(back.double(), weights.double(), -1, torch.float64)
    found = _softmax_back(back, group)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), exact, rtol=2**-8, atol=1e-4)
