"""Tiny stacks on the processor, and the same slots in the form that loops."""

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformer_dropout import DropoutSpec
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
from transformers.pytorch_utils import Conv1D

from backend.shared.specs import ArmKeySpec, DatasetRef, ModelRef, RunSpec, Task, TrainingSpec
from backend.shared.trainer_protocol import PackedRun
from tests.worker.engine.test_packing import LENGTHS, some_rows
from tests.worker.models.tiny import DECODERS, tiny_config
from worker.data.rows import Rows
from worker.engine.batches import Batch, Reading, make_batch
from worker.engine.single.passes import Host
from worker.engine.single.step import SingleSlot
from worker.engine.stacked.passes import StackHost
from worker.engine.stacked.random_bits import Stream
from worker.engine.stacked.shape import StackShape
from worker.engine.stacked.stack import Stack

HEADS = ("classifier", "score", "pre_classifier")


def reading_of(task: Task, family: str) -> Reading:
    """How a family is read."""
    return Reading(task, family in DECODERS, 0)


def tiny_model(family: str, task: Task, layers: int = 2) -> nn.Module:
    """A random model with the head of its task."""
    config = tiny_config(family)
    config.num_labels = 1 if task == "regression" else 3
    setattr(config, {"gpt2": "n_layer", "distilbert": "n_layers"}.get(family, "num_hidden_layers"), layers)
    torch.manual_seed(0)
    kind = AutoModelForCausalLM if task == "causal_lm" else AutoModelForSequenceClassification
    model: nn.Module = kind.from_config(config, dtype=torch.float32)
    return model


def some_targets(model: nn.Module, wanted: Sequence[str] = ()) -> list[str]:
    """Linear layers inside the transformer layers, or those whose names end so."""
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D)
        and any(part.isdigit() for part in name.split("."))
        and (not wanted or name.endswith(tuple(wanted)))
    ]


def two_hosts(family: str, task: Task, wanted: Sequence[str] = ()) -> tuple[Host, StackHost]:
    """The same model in the form that loops, through its stock modules, and stacked."""
    model = tiny_model(family, task)
    head = [] if task == "causal_lm" else [n for n, _ in model.named_parameters() if n.startswith(HEADS)]
    targets, reading = some_targets(model, wanted), reading_of(task, family)
    return (
        Host(copy.deepcopy(model), reading, targets, head, by_hand=False),
        StackHost(model, reading, targets, head),
    )


def a_batch(reading: Reading) -> Batch:
    """Six ragged rows."""
    causal = reading.task == "causal_lm"
    rows = some_rows(causal)
    labels = rows.labels.astype(np.float32) if reading.task == "regression" else rows.labels
    data = Rows(rows.input_ids, labels, rows.token_type_ids, rows.completion_start)
    return make_batch(data, np.arange(len(LENGTHS)), reading)


def a_slot(host: Host, method: DropoutSpec, rank: int = 4, noise: float = 0.1, **training: object) -> SingleSlot:
    """A slot at a point where its adapter is not zero."""
    layers = host.hooked.attention_layers
    arm = ArmKeySpec(
        model=ModelRef(id="m", revision="0"),
        dataset=DatasetRef(id="d", content_hash="0"),
        task=host.reading.task,
        train_rows=6,
        validation_rows=6,
        probe_rows=6,
        method=method.resolve(layers, host.hooked.decoder).to_dict(),
        rank=rank,
        alpha=8,
        target_modules=("query",),
        training=TrainingSpec.model_validate({"learning_rate": 0.01, **training}),
    )
    slot = SingleSlot(
        PackedRun(run_id="r", fence=0, spec=RunSpec(arm=arm, seed=3), folder=str(Path("unused"))), host, layers, 50
    )
    if noise:
        values = np.random.default_rng(rank).standard_normal(slot.parameters.count) * noise
        slot.parameters.load(torch.from_numpy(values.astype(np.float32)))
    return slot


def a_stack(
    host: StackHost, slots: Sequence[SingleSlot], shape: StackShape | None = None, stream: Stream = "philox"
) -> Stack:
    """A stack of slots made with `host`."""
    return Stack(host, slots, shape or StackShape.of(slots), stream)


def gradient(stack: Stack, at: int) -> Tensor:
    """What the last way back found for one slot, in the order of its own parameters."""
    slot = stack.slots[at]
    assert slot is not None
    return stack.tensors.flat(slot.parameters.shapes, stack.tensors.grad[at])
