"""What a token sees and how loud: sliding windows and bounded logits are transformers' own, in both forms."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformer_dropout import preset
from transformers import AutoConfig, AutoModelForCausalLM

from tests.worker.engine.stacked.stacks import a_batch, a_slot, a_stack, some_targets, tiny_model
from tests.worker.engine.test_packing import LENGTHS, padded, some_rows
from worker.engine.batches import Batch, Reading
from worker.engine.single.passes import Host
from worker.engine.stacked.passes import StackHost

READING = Reading("causal_lm", True, 0)


@torch.no_grad()
def stock(model: nn.Module) -> Tensor:
    """Logits before every completion token, by transformers alone, [U, C]."""
    rows = some_rows(causal=True)
    logits = model.eval()(**padded(rows, left=False)).logits
    return torch.cat([logits[row, n // 2 - 1 : n - 1] for row, n in enumerate(LENGTHS) if n > 1])


@torch.no_grad()
def packed(model: nn.Module, batch: Batch) -> Tensor:
    """The same by the form that loops."""
    host = Host(copy.deepcopy(model), READING, some_targets(model), ())
    return host.logits(host.features(batch, None, None), {}, None)


@torch.no_grad()
def stacked(model: nn.Module, batch: Batch) -> Tensor:
    """The same by a stack of two, whose adapters add nothing."""
    host = StackHost(copy.deepcopy(model), READING, some_targets(model), ())
    stack = a_stack(host, [a_slot(host, preset("none"), noise=0.0) for _ in range(2)])
    _, logits = stack.outputs(stack.read(batch), stack.every, None)
    return logits[1]


def gemma(**bounds: float | None) -> nn.Module:
    """A decoder that bounds logits; attention explicit, as its authors ask."""
    config = AutoConfig.for_model(
        "gemma2",
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        query_pre_attn_scalar=1,
        initializer_range=0.3,  # loud logits, which a bound changes
        intermediate_size=64,
        vocab_size=32,
        pad_token_id=0,
        sliding_window=5,
        **bounds,
    )
    torch.manual_seed(0)
    model: nn.Module = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32)
    return model


@pytest.mark.parametrize("window", [1, 2, 5, 16, 17])
@pytest.mark.parametrize("form", [packed, stacked])
def test_windows_are_as_wide_as_transformers(form: object, window: int) -> None:
    model = tiny_model("mistral", "causal_lm")
    whole = stock(model)
    model.config.sliding_window = window
    expected = stock(model)
    assert not torch.allclose(expected, whole, atol=1e-5)
    torch.testing.assert_close(form(model, a_batch(READING)), expected, atol=2e-6, rtol=1e-5)  # type: ignore[operator]


@pytest.mark.parametrize(
    "bounds",
    [
        {"attn_logit_softcapping": 0.05, "final_logit_softcapping": None},
        {"attn_logit_softcapping": None, "final_logit_softcapping": 0.05},
    ],
)
def test_bounded_logits_are_bounded(bounds: dict[str, float | None]) -> None:
    """The first bound is on attention, the second on words; each changes the outcome by much more than rounding."""
    free = stock(gemma(attn_logit_softcapping=None, final_logit_softcapping=None))
    expected = stock(gemma(**bounds))
    assert float((expected - free).abs().max()) > 1e-4
    torch.testing.assert_close(packed(gemma(**bounds), a_batch(READING)), expected, atol=2e-6, rtol=1e-5)


def test_rows_are_as_long_as_the_windows_need() -> None:
    assert max(LENGTHS) > 17
    assert len(a_batch(READING).labels) == sum(n - n // 2 for n in LENGTHS if n > 1)
    assert np.count_nonzero(np.array(LENGTHS) > 5) >= 3
