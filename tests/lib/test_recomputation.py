"""What is computed again in backward sees the masks of the pass that it replays, or is refused."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import (
    CheckpointImpl,
    apply_activation_checkpointing,
    checkpoint_wrapper,
)
from torch.utils.checkpoint import checkpoint
from transformer_dropout import Consistency, DropoutSpec, InjectionError, Site, preset
from transformer_dropout.hf import families, inject_dropout, two_pass_loss

from tests.lib.tiny import batch, classifier

NAMES = ["hiddenkey_minus", "hiddenkey", "rdrop", "hiddencut_original"]


def method(name: str) -> DropoutSpec:
    sites = (Site("output", "element", 0.4), Site("hidden", "element", 0.3, layers="all", place="ffn_inner"))
    return DropoutSpec(sites, Consistency("kl_both")) if name == "output" else preset(name)


def wrapped(model: Any) -> None:
    layers = set(families.layer_modules(model))
    made = lambda module: checkpoint_wrapper(module, checkpoint_impl=CheckpointImpl.NO_REENTRANT)  # noqa: E731
    apply_activation_checkpointing(model, checkpoint_wrapper_fn=made, check_fn=lambda module: module in layers)


def enabled(model: Any) -> None:
    model.gradient_checkpointing_enable({"use_reentrant": False})


def reentrant(model: Any) -> None:
    model.gradient_checkpointing_enable({"use_reentrant": True})
    model.enable_input_require_grads()


def gradients(name: str, how: Any, before: bool, family: str = "bert", lora_dropout: float = 0.0) -> dict[str, Any]:
    model = classifier(family, **({"attention_dropout": 0.2} if family == "llama" else {})).double()
    inputs = batch() | {"labels": torch.tensor([0, 1, 1])}
    targets = ["query", "value"] if family == "bert" else ["q_proj", "v_proj"]
    lora = LoraConfig(r=2, target_modules=targets, lora_dropout=lora_dropout, init_lora_weights=False)
    torch.manual_seed(0)
    model = get_peft_model(model, lora).train()
    base = model.get_base_model()
    base.config.use_cache = False  # which a replay would fill again, with or without the library
    if how is not None and before:
        how(base)
    with inject_dropout(model, method(name), generator_seed=1) as injection:
        if how is not None and not before:
            how(base)
        torch.manual_seed(7)

        def run() -> tuple[torch.Tensor, Any]:
            out = model(**inputs)
            return out.loss, out

        loss, _ = two_pass_loss(injection, run, inputs)
        loss.backward()
    found = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    return {n.replace("._checkpoint_wrapped_module", ""): g for n, g in found.items()}


@pytest.mark.parametrize("lora_dropout", [0.0, 0.3])
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("family", ["bert", "llama"])
@pytest.mark.parametrize("how", [wrapped, enabled, reentrant])
@pytest.mark.parametrize("name", NAMES)
def test_layers_replay_their_pass(name: str, how: Any, family: str, before: bool, lora_dropout: float) -> None:
    plain = gradients(name, None, before, family, lora_dropout)
    replayed = gradients(name, how, before, family, lora_dropout)
    assert plain.keys() == replayed.keys()
    for key, gradient in plain.items():
        torch.testing.assert_close(replayed[key], gradient, atol=1e-9, rtol=1e-7, msg=lambda m, k=key: f"{k}: {m}")


def recomputed(module: Any) -> Any:
    return checkpoint_wrapper(module, checkpoint_impl=CheckpointImpl.NO_REENTRANT)


def inside(model: Any) -> None:
    """Every block of every layer, and the head, each in a wrapper of its own."""
    for layer in families.layer_modules(model):
        for name in ("attention", "intermediate", "output", "self_attn", "mlp"):
            if hasattr(layer, name):
                setattr(layer, name, recomputed(getattr(layer, name)))
    name = "classifier" if hasattr(model, "classifier") else "score"
    setattr(model, name, recomputed(getattr(model, name)))


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("family", ["bert", "llama"])
@pytest.mark.parametrize("name", [*NAMES, "output"])
def test_modules_inside_layers_replay_their_pass(name: str, family: str, before: bool) -> None:
    plain = gradients(name, None, before, family, 0.3)
    replayed = gradients(name, inside, before, family, 0.3)
    assert plain.keys() == replayed.keys()
    for key, gradient in plain.items():
        torch.testing.assert_close(replayed[key], gradient, atol=1e-9, rtol=1e-7, msg=lambda m, k=key: f"{k}: {m}")


def test_a_module_that_is_wrapped_in_the_middle_of_training_is_refused_in_backward() -> None:
    model, inputs = classifier("bert").train(), batch() | {"labels": torch.tensor([0, 1, 1])}
    with inject_dropout(model, preset("rdrop"), generator_seed=1) as injection:

        def run() -> tuple[torch.Tensor, Any]:
            out = model(**inputs)
            return out.loss, out

        two_pass_loss(injection, run, inputs)[0].backward()
        inside(model)
        loss, _ = two_pass_loss(injection, run, inputs)
        with pytest.raises(InjectionError, match="wrapped since"):
            loss.backward()


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_model_is_replayed_or_refused(name: str) -> None:
    found = []
    inputs = batch() | {"labels": torch.tensor([0, 1, 1])}
    for checkpointed in (False, True):
        model = classifier("bert").double().train()
        with inject_dropout(model, preset(name), generator_seed=1) as injection:

            def run() -> tuple[torch.Tensor, Any]:
                out = checkpoint(model, **inputs, use_reentrant=False) if checkpointed else model(**inputs)  # noqa: B023
                return out.loss, out

            loss, _ = two_pass_loss(injection, run, inputs)
            if checkpointed and name in ("rdrop", "hiddencut_original"):
                with pytest.raises(InjectionError, match="checkpoint its layers"):
                    loss.backward()
                return
            loss.backward()
            assert injection.step == 0
        found.append({n: p.grad for n, p in model.named_parameters()})
    for key, gradient in found[0].items():
        torch.testing.assert_close(found[1][key], gradient, atol=1e-9, rtol=1e-7)
