"""The hand-written encoder equals the stock modules, loss and gradients, for every method and any target modules."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformer_dropout import PRESETS, DropoutSpec, Site, preset
from transformers import AutoModelForSequenceClassification

from backend.shared.specs import ArmKeySpec, DatasetRef, ModelRef, RunSpec, TrainingSpec
from backend.shared.trainer_protocol import PackedRun
from tests.worker.engine.test_packing import LENGTHS, some_rows
from tests.worker.models.tiny import tiny_config
from worker.data.rows import Rows
from worker.engine.batches import Batch, Reading, make_batch
from worker.engine.parameters import Parameters
from worker.engine.single.passes import Host
from worker.engine.single.step import SingleSlot

READING = Reading("classification", False, 0)
METHODS = {name: preset(name) for name in PRESETS} | {
    "spans a query, windows and first tokens": DropoutSpec(
        (
            Site("attention_logits", "span", 0.3, per_row=True, keep_first=True),
            Site("hidden", "span", 0.3, rescale="normalized", place="ffn_inner"),
            Site("attention_weights", "column", 0.3, window=2, rescale="none"),
            Site("input", "column", 0.2, rescale="inverted"),
        ),
        native=True,
    ),
    "two kinds of weight drops": DropoutSpec((Site("attention_weights", "element", 0.2),), native=True),
}


def two_hosts(family: str, targets: tuple[str, ...]) -> tuple[Host, Host]:
    """The same model by hand and through its stock modules."""
    config = tiny_config(family)
    config.num_labels, config.num_hidden_layers = 3, 3
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(config)
    head = [name for name, _ in model.named_parameters() if name.startswith("classifier")]
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n.endswith(targets) and "encoder" in n]
    return Host(copy.deepcopy(model), READING, names, head), Host(model, READING, names, head, by_hand=False)


def loss_and_gradient(host: Host, method: DropoutSpec, batch: Batch) -> tuple[float, Tensor]:
    """Of one training step at a point where the adapter is not zero."""
    layers = host.hooked.attention_layers
    arm = ArmKeySpec(
        model=ModelRef(id="m", revision="0"),
        dataset=DatasetRef(id="d", content_hash="0"),
        task="classification",
        train_rows=6,
        validation_rows=6,
        probe_rows=6,
        method=method.resolve(layers, decoder=False).to_dict(),
        rank=4,
        alpha=8,
        target_modules=("query",),
        training=TrainingSpec(),
    )
    run = PackedRun(run_id="r", fence=0, spec=RunSpec(arm=arm, seed=3), folder=str(Path("unused")))
    slot = SingleSlot(run, host, layers, 10)
    values = np.random.default_rng(1).standard_normal(slot.parameters.count) * 0.1
    slot.parameters.load(torch.from_numpy(values.astype(np.float32)))
    slot.parameters.zero_grad()
    loss = slot.loss(batch, 5)
    loss.backward()
    return float(loss.detach()), slot.parameters.collect().clone()


@pytest.mark.parametrize("family", ["bert", "roberta"])
@pytest.mark.parametrize("targets", [("query", "value"), ("key", "dense"), ("1.attention.self.query",)])
def test_by_hand_equals_stock_modules(family: str, targets: tuple[str, ...]) -> None:
    hand, stock = two_hosts(family, targets)
    assert hand.encoder is not None
    assert stock.encoder is None
    rows = Rows(some_rows().input_ids, some_rows().labels)
    batch = make_batch(rows, np.arange(len(LENGTHS)), READING)
    for name, method in METHODS.items():
        (loss, gradient), (expected, reference) = (loss_and_gradient(host, method, batch) for host in (hand, stock))
        assert loss == pytest.approx(expected, rel=1e-5), name
        assert float((gradient - reference).norm() / reference.norm()) < 1e-4, name


def test_evaluation_does_not_depend_on_what_was_trained_before() -> None:
    hand, _ = two_hosts("bert", ("query", "value"))
    rows = Rows(some_rows().input_ids, some_rows().labels)
    batch = make_batch(rows, np.arange(len(LENGTHS)), READING)
    parameters = Parameters(hand.shapes(4), hand.dtype)
    parameters.initialise(0)
    adapters = hand.adapters(parameters, 2.0)
    with torch.no_grad():
        before = hand.features(batch, adapters, None)
    loss_and_gradient(hand, preset("neftune"), batch)
    loss_and_gradient(hand, preset("native_dropout"), batch)
    with torch.no_grad():
        assert torch.equal(hand.features(batch, adapters, None), before)
