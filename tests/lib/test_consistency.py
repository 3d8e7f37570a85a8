"""Consistency losses against loops, their gradients, and what each one trains."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformer_dropout.consistency import consistency_loss, regression_loss, task_loss
from transformer_dropout.errors import ShapeError, SpecError
from transformer_dropout.spec import CONSISTENCY

from tests.lib.reference import consistency_reference

KINDS = [name for name, kind in CONSISTENCY.items() if kind.passes == 2]
logits = st.lists(st.lists(st.floats(-8, 8), min_size=3, max_size=3), min_size=1, max_size=4)


@settings(max_examples=50)
@given(first=logits, shift=st.lists(st.floats(-5, 5), min_size=12, max_size=12), kind=st.sampled_from(KINDS))
def test_equals_the_loops(first: list[list[float]], shift: list[float], kind: str) -> None:
    second = [[x + shift[3 * i + j] for j, x in enumerate(row)] for i, row in enumerate(first)]
    expected = sum(consistency_reference(kind, a, b) for a, b in zip(first, second, strict=True)) / len(first)
    found = consistency_loss(kind, torch.tensor(first), torch.tensor(second)).item()
    assert found == pytest.approx(expected, abs=1e-5, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_zero_when_equal_and_finite_when_extreme(kind: str) -> None:
    same = torch.randn(4, 5)
    assert consistency_loss(kind, same, same.clone()).item() == pytest.approx(0.0, abs=1e-7)
    far = torch.tensor([[100.0, -100.0]], requires_grad=True)
    loss = consistency_loss(kind, far, -far.detach())
    loss.backward()
    assert math.isfinite(loss.item())
    assert far.grad is not None
    assert torch.isfinite(far.grad).all()
    assert loss.dtype == torch.float32
    assert consistency_loss(kind, far.detach().bfloat16(), far.detach().bfloat16()).dtype == torch.float32


def test_js_is_symmetric_and_bounded() -> None:
    a, b = torch.randn(50, 4) * 20, torch.randn(50, 4) * 20
    for kind in ("kl", "js", "js_hiddencut"):
        assert consistency_loss(kind, a, b).item() == pytest.approx(consistency_loss(kind, b, a).item(), rel=1e-5)
    assert consistency_loss("js", a, b).item() <= math.log(2)


def test_kl_gradient_with_the_second_pass_detached() -> None:
    first = torch.randn(1, 6, dtype=torch.float64, requires_grad=True)
    second = torch.randn(1, 6, dtype=torch.float64, requires_grad=True)
    consistency_loss("kl", first, second).backward()
    p, q = torch.softmax(first.detach(), -1), torch.softmax(second.detach(), -1)
    ratio = (p / q).log()
    assert second.grad is None
    assert first.grad is not None
    torch.testing.assert_close(first.grad, 0.5 * ((p - q) + p * (ratio - (p * ratio).sum())), atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_detached_is_what_the_table_says(kind: str) -> None:
    for loss in (consistency_loss, regression_loss):
        first, second = (torch.randn(3, 4, requires_grad=True) for _ in range(2))
        loss(kind, first, second).backward()
        assert first.grad is not None
        assert (second.grad is None) == CONSISTENCY[kind].second_detached


def test_only_labelled_positions_count_and_the_mean_ignores_the_batch_size() -> None:
    a, b = torch.randn(2, 5, 7), torch.randn(2, 5, 7)
    labels = torch.full((2, 5), -100)
    labels[0, 1:3] = 4
    found = consistency_loss("kl", a, b, labels=labels)
    assert found.item() == pytest.approx(consistency_loss("kl", a[0, 1:3], b[0, 1:3]).item(), rel=1e-5)
    assert consistency_loss("kl", a, b, mask=labels != -100).item() == pytest.approx(found.item())
    doubled = consistency_loss("kl", torch.cat([a, a]), torch.cat([b, b]))
    assert doubled.item() == pytest.approx(consistency_loss("kl", a, b).item(), rel=1e-5)
    assert consistency_loss("kl", a, b, labels=torch.full((2, 5), -100)).item() == 0.0


def test_regression_and_task_losses() -> None:
    assert regression_loss("kl", torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0])).item() == 2.0
    first, second = torch.tensor(1.0), torch.tensor(3.0)
    assert task_loss("kl", first, second) == first
    assert task_loss("kl_both", first, second).item() == 2.0
    assert task_loss("js_hiddencut", first, second).item() == 4.0
    with pytest.raises(ShapeError, match="second pass"):
        task_loss("kl_both", first, None)


def test_refusals() -> None:
    with pytest.raises(SpecError, match="kl_both"):
        consistency_loss("none", torch.zeros(1, 2), torch.zeros(1, 2))
    with pytest.raises(ShapeError, match="two passes"):
        consistency_loss("kl", torch.zeros(1, 2), torch.zeros(1, 3))
    with pytest.raises(ShapeError, match="do not fit"):
        consistency_loss("kl", torch.zeros(1, 2), torch.zeros(1, 2), labels=torch.zeros(2))
