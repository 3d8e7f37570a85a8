"""E0 of the stacked form: a lane's numbers depend on its own run and on the stack's shape, never on other lanes."""

import pytest
import torch
from torch import Tensor
from transformer_dropout import Consistency, DropoutSpec, Site, preset

from backend.shared.specs import Task
from tests.worker.engine.stacked.stacks import a_batch, a_slot, a_stack, two_hosts
from worker.engine.batches import Batch
from worker.engine.slot import Slot
from worker.engine.stacked.random_bits import Stream
from worker.engine.stacked.shape import StackShape
from worker.engine.stacked.stack import Stack

pytestmark = pytest.mark.slow

STEPS = 50
ABOUT = [
    ("hiddenkey", preset("hiddenkey"), 2, {"learning_rate": 0.02}),
    ("dropattention", preset("dropattention"), 8, {"weight_decay": 0.3}),
    ("adapter_dropout", preset("adapter_dropout"), 4, {"gradient_clip": 0.1}),
    ("rdrop", DropoutSpec((Site("hidden", "element", 0.1),), Consistency("kl_both")), 4, {"warmup_ratio": 0.4}),
]
WORLDS = [("bert", "classification"), ("llama", "causal_lm")]


def kept(slot: Slot) -> list[Tensor]:
    """Everything that a slot trains or remembers."""
    return [slot.parameters.values, slot.optimizer.mean, slot.optimizer.square]


def run(stack: Stack, batch: Batch, steps: int) -> list[list[float]]:
    """Losses by step."""
    return [stack.train_step(batch).tolist() for _ in range(steps)]


@pytest.mark.parametrize(("family", "task"), WORLDS)
@pytest.mark.parametrize("stream", ["philox", "counter"])
def test_a_run_in_a_stack_of_four_is_the_run_alone_in_that_shape(family: str, task: Task, stream: Stream) -> None:
    _, host = two_hosts(family, task)
    batch = a_batch(host.reading)
    slots = [a_slot(host, method, rank, **more) for _, method, rank, more in ABOUT]
    shape = StackShape.of(slots)
    assert shape == StackShape(slots=4, rank=8, detached=1, paired=1)
    together = a_stack(host, slots, stream=stream)
    losses = run(together, batch, STEPS)
    assert len({row[0] for row in losses}) == STEPS
    for at, (name, method, rank, more) in enumerate(ABOUT):
        alone = a_stack(host, [a_slot(host, method, rank, **more)], shape, stream)
        assert [row[0] for row in run(alone, batch, STEPS)] == [row[at] for row in losses], name
        assert all(map(torch.equal, kept(alone.store(0)), kept(together.store(at)))), name


@pytest.mark.parametrize("what", ["poisoned", "vacated"])
def test_a_slot_that_goes_bad_or_away_leaves_the_others_bit_equal(what: str) -> None:
    _, host = two_hosts("bert", "classification")
    batch = a_batch(host.reading)

    def stack() -> Stack:
        return a_stack(host, [a_slot(host, method, rank, **more) for _, method, rank, more in ABOUT])

    undisturbed, disturbed = stack(), stack()
    expected = run(undisturbed, batch, 12)
    found = run(disturbed, batch, 5)
    if what == "poisoned":
        disturbed.tensors.values[0, 0] = torch.nan
        disturbed.tensors.refresh()
        found += run(disturbed, batch, 4)
        assert all(row[0] != row[0] for row in found[5:])
    disturbed.vacate(0)
    found += run(disturbed, batch, 12 - len(found))
    for at in (1, 2, 3):
        assert [row[at] for row in found] == [row[at] for row in expected]
        assert all(map(torch.equal, kept(disturbed.store(at)), kept(undisturbed.store(at))))
    assert disturbed.live == [1, 2, 3]
    assert torch.isfinite(disturbed.tensors.values).all()


def test_padding_of_ranks_stays_zero_and_counts_for_nothing() -> None:
    _, host = two_hosts("bert", "classification")
    batch = a_batch(host.reading)
    stack = a_stack(host, [a_slot(host, preset("none"), rank, weight_decay=0.5) for rank in (2, 8)])
    run(stack, batch, 10)
    slot = stack.slots[0]
    assert slot is not None
    shapes = slot.parameters.shapes
    for rows in (stack.tensors.values, stack.optimizer.mean, stack.optimizer.square, stack.tensors.grad):
        own = stack.tensors.flat(shapes, rows[0])
        assert torch.equal(stack.tensors.padded(shapes, own), rows[0])
        assert torch.count_nonzero(own) > 0
    assert stack.tensors.count > len(stack.tensors.flat(shapes, stack.tensors.values[0]))


def test_going_on_from_what_was_stored_is_going_on() -> None:
    _, host = two_hosts("bert", "classification")
    batch = a_batch(host.reading)
    whole = a_stack(host, [a_slot(host, method, rank, **more) for _, method, rank, more in ABOUT])
    expected = run(whole, batch, 12)
    first = a_stack(host, [a_slot(host, method, rank, **more) for _, method, rank, more in ABOUT])
    found = run(first, batch, 7)
    slots = [first.store(at) for at in range(4)]
    for slot in slots:
        slot.progress.step = 7
    second = a_stack(host, slots)
    assert found + run(second, batch, 5) == expected
    for at in range(4):
        assert all(map(torch.equal, kept(second.store(at)), kept(whole.store(at))))
