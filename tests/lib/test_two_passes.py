"""What a step's loss is, by hand: smoothed labels, both passes, and a language model's term one token ahead."""

from pathlib import Path
from statistics import mean

import pytest
import torch
from torch.nn import functional as F
from transformer_dropout import Consistency, preset
from transformer_dropout.hf import ConsistencyTrainer, inject_dropout, two_pass_loss
from transformer_dropout.spec import CONSISTENCY

from tests.lib.reference import consistency_reference
from tests.lib.test_trainer import Rows, arguments
from tests.lib.tiny import batch, classifier, language_model

SMOOTHING, WEIGHT = 0.3, 100.0
KINDS = [name for name, kind in CONSISTENCY.items() if kind.passes == 2]


def smoothed(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with labels of which a share is spread over all classes, a mean over what is labelled."""
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten(), label_smoothing=SMOOTHING, ignore_index=-100)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", ["classification", "causal"])
@pytest.mark.parametrize("smooth", [False, True])
def test_a_steps_loss_is_that_of_both_its_passes(tmp_path: Path, kind: str, task: str, smooth: bool) -> None:
    inputs = batch(rows=4)
    if task == "classification":
        model, labels = classifier("bert"), torch.tensor([0, 1, 1, 0])
    else:
        model, labels = language_model("llama"), torch.where(inputs["attention_mask"] == 1, inputs["input_ids"], -100)
        labels[:, :2] = -100  # a prompt
    inputs["labels"] = labels
    injection = inject_dropout(model, preset("hiddenkey", 0.3, Consistency(kind, WEIGHT)), generator_seed=1)
    more = {"max_steps": 1, "label_smoothing_factor": SMOOTHING if smooth else 0.0}
    trainer = ConsistencyTrainer(model=model, args=arguments(tmp_path, **more), train_dataset=Rows(inputs))
    model.train()
    found = trainer.compute_loss(model, inputs)
    injection.step = -1
    given = {name: value for name, value in inputs.items() if name != "labels"}
    first = model(**given).logits
    with injection.clean_pass() if CONSISTENCY[kind].second_clean else injection.second_pass():
        second = model(**given).logits
    if task == "causal":
        first, second, labels = first[:, :-1], second[:, :-1], labels[:, 1:]
    counted = labels != -100
    own, other = (
        smoothed(x, labels) if smooth else F.cross_entropy(x[counted], labels[counted]) for x in (first, second)
    )
    both = CONSISTENCY[kind].task_on_both
    expected = {"first": own, "mean": (own + other) / 2, "sum": own + other}[both]
    pairs = zip(first[counted].tolist(), second[counted].tolist(), strict=True)
    term = mean(consistency_reference(kind, one, other) for one, other in pairs)
    assert found.item() == pytest.approx((expected + WEIGHT * term).item(), rel=2e-5)
    assert WEIGHT * term > 1e-3 * expected.item()


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_is_on_the_term_alone(kind: str) -> None:
    """What a trainer divides by its accumulated batches leaves the task loss as it is."""
    model = classifier("bert").train()
    inputs = batch() | {"labels": torch.tensor([0, 1, 1])}
    injection = inject_dropout(model, preset("hiddenkey", 0.3, Consistency(kind, WEIGHT)), generator_seed=1)

    def run() -> tuple[torch.Tensor, object]:
        out = model(**inputs)
        return out.loss, out

    found = {}
    for share in (0.0, 0.25, 1.0):
        injection.step = -1
        found[share] = two_pass_loss(injection, run, inputs, share=share)[0].item()
    term = found[1.0] - found[0.0]
    assert term > 1e-3
    assert found[0.25] - found[0.0] == pytest.approx(0.25 * term, rel=1e-3)
