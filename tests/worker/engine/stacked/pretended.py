"""One step and one evaluation of a stack on a device that is not there; run by test_device in a process of its own.

torch's pretended tensors know shapes and devices only. An operation that mixes devices is refused, and so is every look
at a value, which on a real device would wait for it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    FakeTensorDeviceMismatchError,
    FakeTensorMode,
    unset_fake_temporarily,
)
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from backend.shared.specs import Task
from tests.worker.engine.stacked.stacks import HEADS, a_batch, a_slot, a_stack, reading_of, some_targets, tiny_model
from tests.worker.engine.stacked.test_against_loop import METHODS
from worker.engine.batches import Batch
from worker.engine.pass_state import SLICE_PASS
from worker.engine.stacked import layout, stack
from worker.engine.stacked.layout import LaneBatch
from worker.engine.stacked.passes import StackHost

NAME = "pretended"
FAMILIES: tuple[tuple[str, Task], ...] = (
    ("bert", "classification"),
    ("roberta", "regression"),
    ("distilbert", "classification"),
    ("llama", "causal_lm"),
    ("gpt2", "causal_lm"),
    ("opt", "classification"),
)


def notices() -> None:
    """The device notices what it is here to notice."""
    there = torch.ones(2, device=NAME)
    for wrong, expected in (
        (lambda: there + torch.ones(2), FakeTensorDeviceMismatchError),
        (lambda: float(there.sum()), DataDependentOutputException),
        (lambda: there[there > 0], Exception),
    ):
        try:
            wrong()
        except expected:
            continue
        raise AssertionError(f"{expected.__name__} did not come")


def step(mode: FakeTensorMode, family: str, task: Task, dtype: torch.dtype) -> None:
    """Every method in one stack: a training step, a vacated slot, a pass with dropout on without gradient."""
    model = tiny_model(family, task).to(dtype)
    batch = a_batch(reading_of(task, family))
    with mode:
        notices()
        moved(model)
        take(model, batch, family, task, dtype)


def really(mode: FakeTensorMode) -> None:
    """Lay batches out with real tensors, for that is the host's work, and pretend from the upload on."""
    lay_out, send = stack.lane_batch, layout.upload

    def laid_out(*given: Any) -> LaneBatch:
        with unset_fake_temporarily():
            return lay_out(*given)

    def sent(arrays: Sequence[np.ndarray], device: torch.device) -> list[Tensor]:
        with mode:
            return send(arrays, device)

    stack.lane_batch, layout.upload = laid_out, sent  # type: ignore[assignment]


def moved(model: nn.Module) -> None:
    """Put all parameters and buffers on the device."""
    for module in model.modules():
        for name, found in list(module.named_parameters(recurse=False)):
            module._parameters[name] = nn.Parameter(torch.empty(found.shape, dtype=found.dtype, device=NAME))
        for name, buffer in list(module.named_buffers(recurse=False)):
            module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype, device=NAME)


def take(model: nn.Module, batch: Batch, family: str, task: Task, dtype: torch.dtype) -> None:
    """The step and the pass."""
    head = [] if task == "causal_lm" else [n for n, _ in model.named_parameters() if n.startswith(HEADS)]
    host = StackHost(model, reading_of(task, family), some_targets(model), head)
    methods = [m for m in METHODS.values() if not (m.native and host.hooked.native_elsewhere)]
    slots = [a_slot(host, method, (2, 4)[at % 2], 0) for at, method in enumerate(methods)]
    taken = a_stack(host, slots, stream="counter")
    losses = taken.train_step(batch)
    taken.vacate(0)
    with torch.no_grad():
        read = taken.read(batch)
        drops = taken.drops(read, taken.every, 1, SLICE_PASS)
        logits = taken.logits(taken.features(read, taken.every, drops), taken.every, drops)
    for found in (losses, logits, taken.tensors.values, taken.tensors.grad, taken.optimizer.square):
        assert found.device.type == NAME
        assert found.dtype == torch.float32
    assert taken.tensors.leaf(f"{host.targets[0].name}.lora_A.weight").dtype == dtype


def main() -> None:
    """Families of every kind, in both precisions."""
    _setup_privateuseone_for_python_backend(NAME)
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    really(mode)
    for family, task in FAMILIES:
        for dtype in (torch.float32, torch.bfloat16):
            step(mode, family, task, dtype)


if __name__ == "__main__":
    main()
