"""A consistency loss that nobody adds, or that trains nothing, is an error at the first step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F
from transformer_dropout import Consistency, DropoutSpec, InjectionError, Site, preset
from transformer_dropout.consistency import consistency_loss
from transformer_dropout.hf import ConsistencyMixin, inject_dropout, two_pass_loss
from transformers import Trainer

from tests.lib.test_trainer import Rows, arguments
from tests.lib.tiny import DECODERS, batch, classifier, language_model

KINDS = ("kl", "kl_both", "js_paper", "js", "js_hiddencut")
HIDDEN = (Site("hidden", "element", 0.3, layers="all"),)


def texts() -> dict[str, torch.Tensor]:
    """Three rows with a label a token."""
    inputs = batch()
    return inputs | {"labels": torch.where(inputs["attention_mask"] == 1, inputs["input_ids"], -100)}


def gradient(model: Any) -> torch.Tensor:
    found = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    model.zero_grad()
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", ["bert", "llama", "opt"])
def test_a_plain_trainer_is_refused_at_its_first_step(tmp_path: Path, family: str, kind: str) -> None:
    model = classifier(family)
    before = {name: p.clone() for name, p in model.named_parameters()}
    inject_dropout(model, DropoutSpec(HIDDEN, Consistency(kind)))
    rows = Rows(batch(rows=4) | {"labels": torch.tensor([0, 1, 1, 0])})
    trainer = Trainer(model=model, args=arguments(tmp_path, max_steps=3), train_dataset=rows)
    with pytest.raises(InjectionError, match="ConsistencyTrainer"):
        trainer.train()
    assert trainer.state.global_step == 0
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_two_passes_by_hand_are_taken_in_any_order_and_step_by_step() -> None:
    model, inputs = language_model("llama").train(), texts()
    with inject_dropout(model, DropoutSpec(HIDDEN, Consistency("kl_both"))) as injection:
        for ahead in (False, True):
            if ahead:
                with injection.second_pass(ahead=True):
                    second = model(**inputs)
            first = model(**inputs)
            if not ahead:
                with injection.second_pass():
                    second = model(**inputs)
            (first.loss + consistency_loss("kl_both", first.logits, second.logits)).backward()
        with pytest.raises(InjectionError, match="trained without it"):
            model(**inputs).loss.backward()
        model.eval()(**inputs).loss.backward()  # no step of the method
    with inject_dropout(model.train(), DropoutSpec(HIDDEN, Consistency("js_paper"))) as injection:
        with injection.clean_pass(), torch.no_grad():
            clean = model(**inputs)
        first = model(**inputs)
        (first.loss + consistency_loss("js_paper", first.logits, clean.logits)).backward()
    model(**inputs).loss.backward()  # after removal nothing is demanded


class Fused(Trainer):
    """A trainer in TRL's manner: a loss without logits, and then logits of a pass without gradient."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        labels = inputs.pop("labels")
        hidden = model.base_model(**inputs).last_hidden_state
        logits = model.get_output_embeddings()(hidden)[:, :-1]
        loss = F.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
        with torch.no_grad():
            outputs = model(**inputs)
        return (loss, outputs) if return_outputs else loss


class NoGrad(Trainer):
    """A trainer whose loss has nothing to do with the model's output."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        with torch.no_grad():
            outputs = model(**inputs)
        loss = sum(p.sum() for p in model.parameters())
        return (loss, outputs) if return_outputs else loss


def loss_of(kind: type[Trainer], tmp_path: Path, model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    trainer = type("Mixed", (ConsistencyMixin, kind), {})(model=model, args=arguments(tmp_path, max_steps=1))
    found: torch.Tensor = trainer.compute_loss(model.train(), dict(inputs))
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", ["llama", "gemma2", "opt"])
def test_a_fused_loss_is_trained_with_the_term(tmp_path: Path, family: str, kind: str) -> None:
    """The trained pass is the backbone's alone, and the logits that are handed on have no gradient."""
    model, inputs = language_model(family), texts()
    found = {}
    for trainer in (Fused, Trainer):
        with inject_dropout(model, DropoutSpec(HIDDEN, Consistency(kind, 3.0)), generator_seed=1):
            loss = loss_of(trainer, tmp_path, model, inputs)
            loss.backward()
            found[trainer] = loss.item(), gradient(model)
    if family != "gemma2":  # whose own loss bounds its logits
        assert found[Fused][0] == pytest.approx(found[Trainer][0], rel=1e-5)
        torch.testing.assert_close(found[Fused][1], found[Trainer][1], atol=1e-5, rtol=1e-4)


def test_a_term_without_gradient_is_refused(tmp_path: Path) -> None:
    model = language_model("llama")
    with inject_dropout(model, DropoutSpec(HIDDEN, Consistency("kl"))):
        with pytest.raises(InjectionError, match="trained pass"):
            loss_of(NoGrad, tmp_path, model, texts())


@pytest.mark.parametrize("family", DECODERS)
def test_logits_are_made_from_the_last_layer_where_a_trainer_keeps_them(family: str) -> None:
    """A loss that hands on no logits gets the same term, with the same gradient, as one that does."""
    model, inputs = language_model(family).train(), texts()
    found = []
    for hands_on in (True, False):
        with inject_dropout(model, DropoutSpec(HIDDEN, Consistency("kl", 3.0)), generator_seed=1) as injection:

            def run() -> tuple[torch.Tensor, Any]:
                out = model(**inputs)
                kept = dict(out)
                if not hands_on:  # noqa: B023
                    out.logits = None  # what the hooks saw is without them, too
                return out.loss, kept if hands_on else None  # noqa: B023

            loss, _ = two_pass_loss(injection, run, inputs)
            loss.backward()
            found.append((loss.item(), gradient(model)))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
    torch.testing.assert_close(found[0][1], found[1][1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_repeating_the_call_is_running_it_again(kind: str) -> None:
    model, inputs = language_model("llama").train(), texts()
    found = []
    for repeat in (False, True):
        with inject_dropout(model, DropoutSpec(HIDDEN, Consistency(kind, 3.0)), generator_seed=1) as injection:

            def run() -> tuple[torch.Tensor, Any]:
                out = model(**inputs)
                return out.loss, out

            loss, _ = two_pass_loss(injection, run, inputs, repeat=repeat)
            loss.backward()
            assert injection.step == 0
            found.append((loss.item(), gradient(model)))
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])


def test_two_trained_passes_in_one_loss_are_refused() -> None:
    model, inputs = language_model("llama").train(), texts()
    with inject_dropout(model, DropoutSpec(HIDDEN, Consistency("kl_both"))) as injection:

        def run() -> tuple[torch.Tensor, Any]:
            return model(**inputs).loss + model(**inputs).loss, None

        with pytest.raises(InjectionError, match="2 times"):
            two_pass_loss(injection, run, inputs)


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt_neox"])
@pytest.mark.parametrize("name", ["rdrop", "native_dropout"])
def test_native_dropout_that_a_model_does_not_have_is_refused(family: str, name: str) -> None:
    model = classifier(family, **({"hidden_dropout": 0.0} if family == "gpt_neox" else {}))
    with pytest.raises(InjectionError, match="no dropout of its own"):
        inject_dropout(model, preset(name))
    inject_dropout(classifier(family, attention_dropout=0.1), preset(name)).remove()


def test_native_dropout_beside_sites_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with inject_dropout(language_model("llama"), DropoutSpec(HIDDEN, native=True)):
        assert "native=True adds nothing" in caplog.text


def test_the_outputs_of_the_first_pass_are_handed_back(tmp_path: Path) -> None:
    class Bare(Trainer):
        def compute_loss(self, model: Callable[..., Any], inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
            return model(**inputs).loss

    model = language_model("llama")
    with inject_dropout(model, DropoutSpec(HIDDEN, Consistency("kl")), generator_seed=1) as injection:
        mixed = type("Mixed", (ConsistencyMixin, Bare), {})(model=model, args=arguments(tmp_path, max_steps=1))
        _, outputs = mixed.compute_loss(model.train(), texts(), return_outputs=True)
        injection.step = -1
        assert torch.equal(outputs.logits, model(**texts()).logits)
