"""Twenty steps of a slot's optimizer are those of torch's AdamW under transformers' linear schedule, for each form."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import (
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

from backend.shared.schedule import Schedule
from backend.shared.specs import ScheduleName, TrainingSpec
from worker.engine.optimizer import AdamW
from worker.engine.parameters import Parameters, Shape
from worker.engine.stacked.optimizer import StackAdamW

STEPS = 20
WARMUP = 0.17  # of 20 steps 3.4: rounded up, as transformers does
RATE, DECAY, CLIP = 0.05, 0.4, 1.0
SHAPES = [
    Shape("query.lora_A.weight", (2, 3), "kaiming"),
    Shape("query.lora_B.weight", (3, 2), "zero"),
    Shape("classifier.weight", (2, 3), "normal", 0.5, in_adapter=False),
    Shape("classifier.bias", (2,), "zero", in_adapter=False),
]

Update = Callable[[Tensor, int], Tensor]  # a gradient and its step, to the values after it


def gradients() -> list[Tensor]:
    """Some above the clipping norm, some far below it; two elements are ever so small that the epsilon shows."""
    draw = np.random.default_rng(3)
    elements = np.ones(20)
    elements[[4, 13]] = 1e-6
    sizes = [(1e-3, 0.1, 3.0)[at % 3] for at in range(STEPS)]
    return [torch.from_numpy((draw.standard_normal(20) * elements * size).astype(np.float32)) for size in sizes]


def started() -> Parameters:
    parameters = Parameters(SHAPES, torch.float32)
    parameters.load(torch.from_numpy(np.random.default_rng(1).standard_normal(20).astype(np.float32)))
    return parameters


def slot_of(parameters: Parameters, **other: float) -> AdamW:
    about = {"weight_decay": DECAY, "clip": CLIP, "rate": RATE, "warmup": WARMUP} | other
    schedule = Schedule.of(TrainingSpec(learning_rate=about["rate"], warmup_ratio=about["warmup"]), STEPS)
    return AdamW(parameters.values, parameters.decayed, about["weight_decay"], about["clip"], schedule)


def one_slot(parameters: Parameters) -> Update:
    """As a processor trains it."""
    optimizer = slot_of(parameters)

    def update(grad: Tensor, step: int) -> Tensor:
        optimizer.update(grad.clone(), step)
        return parameters.values

    return update


def in_a_stack(parameters: Parameters) -> Update:
    """As the middle one of three slots, beside a slot with settings of its own and a vacant one."""
    values = torch.stack([parameters.values * 2, parameters.values, torch.zeros(20)])
    stack = StackAdamW(values, parameters.decayed)
    slots = [slot_of(started(), weight_decay=0.0, clip=9.0, rate=0.2), slot_of(parameters), None]

    def update(grad: Tensor, step: int) -> Tensor:
        stack.update(torch.stack([grad * 3, grad, grad]), slots, step)
        assert not values[2].any()
        return values[1]

    return update


def of_torch(parameters: Parameters) -> Update:
    """What transformers' Trainer does with tensors of these shapes."""
    tensors = {name: nn.Parameter(value) for name, value in parameters.tensors().items()}
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in tensors.values() if p.dim() > 1], "weight_decay": DECAY},
            {"params": [p for p in tensors.values() if p.dim() < 2], "weight_decay": 0.0},
        ],
        lr=RATE,
    )
    schedule = get_linear_schedule_with_warmup(optimizer, math.ceil(WARMUP * STEPS), STEPS)

    def update(grad: Tensor, step: int) -> Tensor:
        start = 0
        for tensor in tensors.values():
            tensor.grad = grad[start : start + tensor.numel()].view(tensor.shape).clone()
            start += tensor.numel()
        nn.utils.clip_grad_norm_(tensors.values(), CLIP)
        optimizer.step()
        schedule.step()
        return torch.cat([tensor.detach().flatten() for tensor in tensors.values()])

    return update


@pytest.mark.parametrize("form", [one_slot, in_a_stack])
def test_twenty_steps_are_those_of_torch(form: Callable[[Parameters], Update]) -> None:
    ours, theirs = form(started()), of_torch(started())
    begun = started().values
    for step, grad in enumerate(gradients()):
        found, expected = ours(grad, step), theirs(grad, step)
        torch.testing.assert_close(found, expected, rtol=2e-6, atol=2e-6, msg=f"after step {step}")
    assert bool((begun != found).all())  # every kind of value moved, biases too


@pytest.mark.parametrize("form", [one_slot, in_a_stack])
@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_passed_over(form: Callable[[Parameters], Update], odd: float) -> None:
    """One element is enough: neither values nor state move, and later steps go on from there."""
    disturbed, calm = form(started()), form(started())
    last = started().values
    for step, grad in enumerate(gradients()):
        if step in (0, 9):
            bad = grad.clone()
            bad[7] = odd
            assert torch.equal(disturbed(bad, step), last)
        last = disturbed(grad, step).clone()
        assert torch.equal(last, calm(grad, step))


def test_the_norm_is_that_before_clipping() -> None:
    optimizer = slot_of(started())
    optimizer.update(torch.full((20,), 3.0), 0)
    assert optimizer.norm == pytest.approx(3.0 * math.sqrt(20))


def test_adapters_head_and_biases_lie_in_this_order() -> None:
    """What decays comes first: adapters and the head's matrices, not its biases."""
    parameters = Parameters(SHAPES[::-1], torch.float32)
    assert [shape.name for shape in parameters.shapes][2:] == ["classifier.weight", "classifier.bias"]
    assert (parameters.count, parameters.decayed) == (20, 18)


@pytest.mark.parametrize(("ratio", "steps", "warmup"), [(0.06, 32, 2), (0.1, 20, 2), (0.0, 20, 0), (0.17, 20, 4)])
def test_warm_up_is_rounded_up(ratio: float, steps: int, warmup: int) -> None:
    schedule = Schedule.of(TrainingSpec(learning_rate=1.0, warmup_ratio=ratio), steps)
    rates = [schedule.rate(step) for step in range(steps)]
    assert rates.index(max(rates)) == warmup
    assert rates[warmup] == 1.0


STOCK: dict[ScheduleName, Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LambdaLR]] = {
    "linear": lambda optimizer: get_linear_schedule_with_warmup(optimizer, 4, STEPS),
    "cosine": lambda optimizer: get_cosine_schedule_with_warmup(optimizer, 4, STEPS),
    "constant": lambda optimizer: get_constant_schedule_with_warmup(optimizer, 4),
}


@pytest.mark.parametrize("name", STOCK)
def test_the_rate_of_every_step_is_that_of_transformers(name: ScheduleName) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    stock = STOCK[name](optimizer)
    schedule = Schedule.of(TrainingSpec(learning_rate=0.3, warmup_ratio=WARMUP, schedule=name), STEPS)
    for step in range(STEPS):
        assert schedule.rate(step) == pytest.approx(stock.get_last_lr()[0], rel=1e-12, abs=1e-15)
        optimizer.step()
        stock.step()
