"""The stacked form computes what the form that loops computes: every method, family, task and pair of ranks."""

import pytest
import torch
from transformer_dropout import PRESETS, Consistency, DropoutSpec, Site, preset

from backend.shared.specs import Task
from tests.worker.engine.stacked.stacks import a_batch, a_slot, a_stack, gradient, two_hosts
from tests.worker.engine.test_packing import FAMILIES
from tests.worker.models.tiny import DECODERS
from worker.engine.single.step import SingleSlot
from worker.engine.stacked.stack import Stack

pytestmark = pytest.mark.slow

METHODS = {name: preset(name) for name in PRESETS} | {
    "spans a query, windows and first tokens": DropoutSpec(
        (
            Site("attention_logits", "span", 0.3, per_row=True, keep_first=True, layers="all"),
            Site("hidden", "span", 0.3, rescale="normalized", place="ffn_inner", span_length="stochastic"),
            Site("attention_weights", "column", 0.3, window=2, rescale="none", layers="all"),
            Site("input", "column", 0.2, rescale="inverted"),
        ),
        native=True,
    ),
    "elements and diagonals": DropoutSpec(
        (
            Site("attention_logits", "element", 0.3, keep_diagonal=True, layers="all"),
            Site("attention_logits", "column", 0.2, keep_first=True, layers="all"),
            Site("attention_weights", "element", 0.3, rescale="normalized", keep_first=True, layers="all"),
            Site("adapter_input", "element", 0.2),
            Site("adapter_rank", "element", 0.2),
            Site("output", "element", 0.2),
        )
    ),
    "two kinds of weight drops": DropoutSpec((Site("attention_weights", "element", 0.2),), native=True),
    "to the clean pass": DropoutSpec((Site("hidden", "element", 0.2),), Consistency("js_paper", 0.7)),
    "both ways": DropoutSpec((Site("hidden", "element", 0.2),), Consistency("js", 0.7)),
}


def compare(loop: list[SingleSlot], stack: Stack, batch: object, step: int = 5) -> None:
    """Losses and gradients of one step of both forms."""
    losses = stack.losses(batch, step)  # type: ignore[arg-type]
    stack.tensors.backward(losses.sum())
    for at, slot in enumerate(loop):
        slot.parameters.zero_grad()
        expected = slot.loss(batch, step)  # type: ignore[arg-type]
        expected.backward()
        reference = slot.parameters.collect()
        assert float(losses[at].detach()) == pytest.approx(float(expected.detach()), rel=1e-5), slot.method
        assert float((gradient(stack, at) - reference).norm()) <= 1e-4 * float(reference.norm()) + 1e-9, slot.method


@pytest.mark.parametrize(("family", "task"), [("bert", "classification"), ("llama", "causal_lm")])
def test_every_method_in_one_stack(family: str, task: Task) -> None:
    loop, stacked = two_hosts(family, task)
    batch = a_batch(loop.reading)
    about = [(method, (2, 4, 8)[at % 3]) for at, method in enumerate(METHODS.values())]
    stack = a_stack(stacked, [a_slot(stacked, method, rank) for method, rank in about])
    compare([a_slot(loop, method, rank) for method, rank in about], stack, batch)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family(family: str) -> None:
    task: Task = "causal_lm" if family in DECODERS else "regression" if family == "roberta" else "classification"
    loop, stacked = two_hosts(family, task)
    methods = [preset("none"), preset("hiddenkey", 0.3), preset("adapter_dropout", 0.3), preset("dropattention", 0.3)]
    if not stacked.hooked.native_elsewhere:
        methods.append(preset("native_dropout"))
    batch = a_batch(loop.reading)
    stack = a_stack(stacked, [a_slot(stacked, method) for method in methods])
    compare([a_slot(loop, method) for method in methods], stack, batch)


def test_rates_differ_between_neighbours_of_one_method() -> None:
    loop, stacked = two_hosts("bert", "classification")
    about = [
        preset(name, rate) for name in ("hiddenkey", "dropattention", "hiddencut_span") for rate in (0.1, 0.3, 0.3)
    ]
    stack = a_stack(stacked, [a_slot(stacked, method) for method in about])
    compare([a_slot(loop, method) for method in about], stack, a_batch(loop.reading))


@pytest.mark.parametrize(
    ("family", "task", "targets"),
    [("bert", "classification", ("query", "value")), ("llama", "causal_lm", ("q_proj", "v_proj"))],
)
def test_fifty_steps_stay_together(family: str, task: Task, targets: tuple[str, ...]) -> None:
    loop, stacked = two_hosts(family, task, targets)
    batch = a_batch(loop.reading)
    about = [
        (preset("none"), 2, {"weight_decay": 0.0}),
        (preset("hiddenkey"), 8, {"learning_rate": 0.005, "gradient_clip": 0.1}),
        (preset("adapter_dropout"), 4, {"warmup_ratio": 0.3}),
        (preset("dropattention"), 4, {"weight_decay": 0.5}),
    ]
    slots = [a_slot(loop, method, rank, 0.0, **training) for method, rank, training in about]
    stack = a_stack(stacked, [a_slot(stacked, method, rank, 0.0, **training) for method, rank, training in about])
    for step in range(50):
        losses = stack.train_step(batch).tolist()
        expected = [slot.train_step(batch) for slot in slots]
        assert losses == pytest.approx(expected, rel=1e-5 if step == 0 else 1e-3), step
    for at, slot in enumerate(slots):
        stored = stack.store(at)
        assert torch.allclose(stored.parameters.values, slot.parameters.values, atol=2e-3)
        assert torch.allclose(stored.optimizer.mean, slot.optimizer.mean, atol=2e-3)
