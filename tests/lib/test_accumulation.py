"""Accumulated batches give the gradient of the whole batch, task loss and consistency term alike, for every head."""

from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from transformer_dropout import Consistency, DropoutSpec, Site, consistency
from transformer_dropout.hf import ConsistencyTrainer, inject_dropout, two_pass
from transformers.trainer_pt_utils import LabelSmoother

from tests.lib.test_trainer import Rows, arguments
from tests.lib.tiny import batch, classifier, config, language_model

SMOOTHED_BY_ITEMS = "num_items_in_batch" in signature(LabelSmoother.__call__).parameters
BARELY = (Site("hidden", "element", 1e-6, layers="all"),)  # rounds to nothing dropped: every split sees the same model


def head(name: str) -> tuple[Any, dict[str, torch.Tensor]]:
    """A model and four rows of 9, 6, 4 and 2 tokens."""
    inputs = batch(rows=4)
    real = inputs["attention_mask"] == 1
    if name in ("classification", "regression"):
        labels = torch.tensor([0, 1, 1, 0])
        model = classifier("bert", num_labels=2 if name == "classification" else 1)
        return model, inputs | {"labels": labels if name == "classification" else labels.float()}
    if name == "llama classification":
        return classifier("llama"), inputs | {"labels": torch.tensor([0, 1, 1, 0])}
    if name == "causal":
        return language_model("llama"), inputs | {"labels": torch.where(real, inputs["input_ids"], -100)}
    torch.manual_seed(0)
    if name == "masked":
        labels = torch.where(real & (torch.rand(real.shape) < 0.6), inputs["input_ids"], -100)
        return transformers.BertForMaskedLM(config("bert")), inputs | {"labels": labels}
    model = transformers.BertForTokenClassification(config("bert", num_labels=3))
    return model, inputs | {"labels": torch.where(real, inputs["input_ids"] % 3, -100)}


def change(folder: Path, name: str, kind: str, weight: float, rows: int, **options: Any) -> tuple[torch.Tensor, float]:
    """What one SGD step changes, over four rows in batches of `rows`, and the logged loss."""
    model, inputs = head(name)
    before = torch.cat([p.detach().clone().flatten() for p in model.parameters()])
    inject_dropout(model, DropoutSpec(BARELY, Consistency(kind, weight)), generator_seed=1)
    more = {"per_device_train_batch_size": rows, "gradient_accumulation_steps": 4 // rows, "max_steps": 1}
    more |= {"learning_rate": 0.1, "optim": "sgd", "max_grad_norm": 0.0, "lr_scheduler_type": "constant"}
    trainer = ConsistencyTrainer(model=model, args=arguments(folder, **(more | options)), train_dataset=Rows(inputs))
    trainer.train()
    after = torch.cat([p.detach().flatten() for p in model.parameters()])
    return before - after, next(x["loss"] for x in trainer.state.log_history if "loss" in x)


@pytest.fixture(autouse=True)
def known_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terms that depend on the first pass alone, so that they need no dropout to be more than 0."""
    monkeypatch.setattr(consistency, "_divergence", lambda kind, first, second: -first[..., 0])
    monkeypatch.setattr(two_pass, "regression_loss", lambda kind, first, second: first.square().mean())


@pytest.mark.parametrize("smoothing", [0.0, pytest.param(0.1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["kl", pytest.param("js_hiddencut", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["classification", "regression", "llama classification", "causal", "masked", "tokens"])
def test_two_and_two_rows_are_four(tmp_path: Path, name: str, kind: str, smoothing: float) -> None:
    if smoothing and (name == "regression" or kind != "kl"):
        pytest.skip("smooths classes only, and one kind will do")
    options = {"label_smoothing_factor": smoothing}
    found = {
        (weight, rows): change(tmp_path, name, kind, weight, rows, **options)
        for weight in (0.0, 3.0)
        for rows in (4, 2, 1)
    }
    # whose own losses are means over each batch's tokens: of older transformers a smoothed causal one, too
    by_batch = name in ("tokens", "masked") or (smoothing > 0 and name == "causal" and not SMOOTHED_BY_ITEMS)
    task, term = found[0.0, 4][0], found[3.0, 4][0] - found[0.0, 4][0]
    assert term.abs().max() > 1e-3
    for rows in (2, 1):
        own = found[0.0, rows][0]
        if not by_batch:
            torch.testing.assert_close(own, task, atol=1e-5, rtol=1e-3)
            torch.testing.assert_close(found[3.0, rows][0] - own, term, atol=1e-5, rtol=1e-3)
            assert found[3.0, rows][1] == pytest.approx(found[3.0, 4][1], rel=1e-3)
        share = (found[3.0, rows][0] - own).norm() / own.norm()
        assert share == pytest.approx(term.norm() / task.norm(), rel=0.25)
