"""Where a slot starts: by seed and name alone, a low rank as the first rows of a high one, spread as in PEFT."""

import math

import pytest
import torch
from torch import Tensor, nn

from worker.engine.parameters import Parameters, Shape

WIDTH = 48


def drawn(rank: int, seed: int = 3, order: int = 1) -> dict[str, Tensor]:
    """What two adapters and a head start with."""
    shapes = [
        Shape("query.lora_A.weight", (rank, WIDTH), "kaiming"),
        Shape("query.lora_B.weight", (WIDTH, rank), "zero"),
        Shape("value.lora_A.weight", (rank, WIDTH), "kaiming"),
        Shape("classifier.weight", (3, WIDTH), "normal", 0.02, in_adapter=False),
        Shape("classifier.bias", (3,), "zero", in_adapter=False),
    ]
    parameters = Parameters(shapes[::order], torch.float32)
    parameters.initialise(seed)
    return parameters.tensors()


@pytest.mark.parametrize("rank", [1, 2, 8, 13])
def test_a_low_rank_starts_as_the_first_rows_of_a_high_one(rank: int) -> None:
    low, high = drawn(rank), drawn(32)
    for name in ("query.lora_A.weight", "value.lora_A.weight"):
        assert torch.equal(low[name], high[name][:rank])
    assert torch.equal(low["classifier.weight"], high["classifier.weight"])  # the head starts alike at any rank


@pytest.mark.parametrize("rank", [2, 32])
def test_the_spread_is_that_of_peft(rank: int) -> None:
    """PEFT calls kaiming_uniform_ with a of √5: a uniform start whose bound follows the input alone."""
    theirs = torch.empty(rank, WIDTH)
    nn.init.kaiming_uniform_(theirs, a=math.sqrt(5))
    bound = 1 / math.sqrt(WIDTH)
    assert float(theirs.abs().max()) <= bound
    ours = drawn(rank)["query.lora_A.weight"]
    assert 0.9 * bound < float(ours.abs().max()) <= bound
    assert float(ours.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_tensors_and_seeds_differ_and_order_is_of_no_matter() -> None:
    one, again, other = drawn(8), drawn(8, order=-1), drawn(8, seed=4)
    assert all(torch.equal(again[name], value) for name, value in one.items())
    assert not torch.equal(one["query.lora_A.weight"], one["value.lora_A.weight"])
    for name in ("query.lora_A.weight", "classifier.weight"):
        assert not torch.equal(one[name], other[name])


def test_what_is_to_add_nothing_at_first_is_zero() -> None:
    one = drawn(8)
    assert not one["query.lora_B.weight"].any()
    assert not one["classifier.bias"].any()
