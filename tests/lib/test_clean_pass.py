"""The clean pass of a consistency loss drops nothing: no site, no native dropout, no `lora_dropout` of PEFT."""

import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from torch import nn
from transformer_dropout import Consistency, DropoutSpec, Site
from transformer_dropout.hf import inject_dropout, two_pass_loss
from transformer_dropout.spec import CONSISTENCY

from tests.lib.tiny import batch, classifier

SITES = {
    "hidden": DropoutSpec((Site("hidden", "element", 0.3),), Consistency("js_hiddencut", 2.0)),
    "native": DropoutSpec((Site("hidden", "element", 0.3),), Consistency("js_paper", 2.0), native=True),
}


def adapted() -> nn.Module:
    """A classifier with adapters that say something, behind PEFT's own dropout."""
    torch.manual_seed(0)
    config = LoraConfig(TaskType.SEQ_CLS, r=4, lora_dropout=0.5, target_modules=["query", "value"])
    model: nn.Module = get_peft_model(classifier("bert"), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.3)
    return model


@pytest.mark.parametrize("name", SITES)
def test_it_is_the_pass_of_evaluation(name: str) -> None:
    model = adapted().eval()
    expected = model(**batch()).logits
    model.train()
    with inject_dropout(model, SITES[name], generator_seed=1) as injection:
        with injection.clean_pass():
            assert torch.equal(model(**batch()).logits, expected)
        assert not torch.allclose(model(**batch()).logits, expected, atol=1e-3)
        with injection.clean_pass():  # rates are back in between, and off again
            assert torch.equal(model(**batch()).logits, expected)
    rates = {module.p for part, module in model.named_modules() if "lora_dropout" in part and hasattr(module, "p")}
    assert rates == {0.5}


@pytest.mark.parametrize("name", SITES)
def test_a_steps_term_is_taken_against_it(name: str) -> None:
    """The consistency term of a step is that between its first pass and evaluation's outcome."""
    model = adapted()
    inputs = batch() | {"labels": torch.tensor([0, 1, 1])}
    clean = model.eval()(**inputs)
    model.train()
    with inject_dropout(model, SITES[name], generator_seed=1) as injection:

        def run() -> tuple[torch.Tensor, object]:
            out = model(**inputs)
            return out.loss, out

        loss, first = two_pass_loss(injection, run, inputs)
    p, q = (torch.log_softmax(logits, -1) for logits in (first.logits, clean.logits))
    if name == "native":  # the paper's: KL of the dropped pass from the clean one, which is not trained
        term, task = (p.exp() * (p - q)).sum(-1).mean(), first.loss
    else:  # HiddenCut's: both from their mean, and both trained
        middle = torch.log((p.exp() + q.exp()) / 2)
        term = 0.5 * ((middle.exp() * (middle - p)).sum(-1) + (middle.exp() * (middle - q)).sum(-1)).mean()
        task = {"first": first.loss, "mean": (first.loss + clean.loss) / 2, "sum": first.loss + clean.loss}[
            CONSISTENCY["js_hiddencut"].task_on_both
        ]
    assert loss.item() == pytest.approx((task + 2.0 * term).item(), rel=1e-5)
    assert term.item() > 1e-4
