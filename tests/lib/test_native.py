"""The base model's own dropout drawn from the injection's masks: same rates, places and shares, and a way back."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import nn
from transformer_dropout import DropoutSpec, Site, preset
from transformer_dropout.hf import FAMILIES, families, inject_dropout
from transformer_dropout.masks import Draw, Rows, native_attention_keep, native_keep

from tests.lib.tiny import ENCODERS, batch, classifier

NATIVE = preset("native_dropout")
# What each family calls its own rates; those of OPT and Llama are numbers on modules.
RATES: dict[str, dict[str, float]] = {
    "bert": {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.2, "classifier_dropout": 0.4},
    "roberta": {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.2, "classifier_dropout": 0.4},
    "xlm-roberta": {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.2, "classifier_dropout": 0.4},
    "electra": {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.2, "classifier_dropout": 0.4},
    "distilbert": {"dropout": 0.3, "attention_dropout": 0.2, "seq_classif_dropout": 0.4},
    "gpt2": {"resid_pdrop": 0.3, "attn_pdrop": 0.2, "embd_pdrop": 0.3},
    "gpt_neox": {"hidden_dropout": 0.3, "attention_dropout": 0.2},
    "phi3": {"resid_pdrop": 0.3, "attention_dropout": 0.2},
}
OTHERS = {name: {"attention_dropout": 0.2} for name in FAMILIES if name not in RATES}
OTHERS["opt"] = {"attention_dropout": 0.2, "dropout": 0.0}


@torch.no_grad()
def logits(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    found: torch.Tensor = model(**inputs).logits
    return found


@pytest.mark.parametrize("family", RATES)
def test_masks_follow_the_seed_and_the_step_alone(family: str) -> None:
    model, inputs = classifier(family, **RATES[family]).train(), batch()
    state = torch.get_rng_state()
    with inject_dropout(model, NATIVE, generator_seed=4) as injection:
        first, second = logits(model, inputs), logits(model, inputs)
        injection.step = -1
        assert torch.equal(logits(model, inputs), first)
        assert not torch.equal(first, second)
        with injection.second_pass():
            assert not torch.equal(logits(model, inputs), first)
        alone = {name: value[:1] for name, value in inputs.items()}  # the first row has no padding
        injection.step = -1
        torch.testing.assert_close(logits(model, alone), first[:1], atol=1e-5, rtol=1e-4)
    assert torch.equal(torch.get_rng_state(), state)  # nothing came from torch's generator
    with inject_dropout(model, NATIVE, generator_seed=5):
        assert not torch.equal(logits(model, inputs), first)


@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
@pytest.mark.parametrize("family", FAMILIES)
def test_it_leaves_without_a_trace_and_is_off_in_eval(family: str, kernel: str) -> None:
    model, inputs = classifier(family, kernel=kernel, **(RATES | OTHERS)[family]), batch()
    clean = logits(model.eval(), inputs)
    state = {name: dict(module.__dict__) for name, module in model.named_modules()}
    with inject_dropout(model, NATIVE, generator_seed=4) as injection:
        assert injection.report.native_disabled == ()
        assert torch.equal(logits(model.eval(), inputs), clean)
        dropped = logits(model.train(), inputs)
        assert torch.isfinite(dropped).all()
        assert not torch.equal(dropped, clean)
        with injection.clean_pass():
            torch.testing.assert_close(logits(model, inputs), clean, atol=1e-6, rtol=1e-5)
    assert torch.equal(logits(model.eval(), inputs), clean)
    for name, module in model.named_modules():
        assert module.__dict__.keys() == state[name].keys()
        assert "forward" not in module.__dict__
    model.train()
    assert not torch.equal(logits(model, inputs), logits(model, inputs))  # torch's own dropout is back


def test_every_place_keeps_its_rate() -> None:
    """Each module's output is its input, times 0 in the share of its rate and 1 / (1 - rate) elsewhere."""
    model = classifier("bert", **RATES["bert"]).train()
    inputs = {"input_ids": batch()["input_ids"][:1].repeat(8, 1)}
    seen: dict[str, list[torch.Tensor]] = {}

    def look(name: str) -> Any:
        return lambda _module, args, output: seen.setdefault(name, []).append(torch.stack([args[0], output]))

    modules = {name: m for name, m in model.named_modules() if isinstance(m, nn.Dropout)}
    handles = [module.register_forward_hook(look(name)) for name, module in modules.items()]
    with inject_dropout(model, NATIVE, generator_seed=4) as injection, torch.no_grad():
        assert injection.report.native_drawn == tuple(f"{name} {module.p:g}" for name, module in modules.items())
        for _ in range(30):
            model(**inputs)
    assert set(seen) == {name for name in modules if "attention.self" not in name}  # attention's goes to the kernel
    for name, pairs in seen.items():
        rate = modules[name].p
        x, out = torch.stack(pairs, 1)
        kept = out != 0
        torch.testing.assert_close(out[kept], x[kept] / (1 - rate))
        assert abs((~kept).float().mean().item() - rate) < 4 * math.sqrt(rate * (1 - rate) / kept.numel()), name
        assert not torch.equal(kept[0], kept[1])
    for handle in handles:
        handle.remove()


def test_attention_weights_keep_their_rate() -> None:
    model = classifier("bert", kernel="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.2).train()
    inputs = {"input_ids": batch()["input_ids"][:1].repeat(8, 1)}
    clean = model.eval()(**inputs, output_attentions=True).attentions[0]
    model.train()
    share = 0.0
    with inject_dropout(model, NATIVE, generator_seed=4), torch.no_grad():
        for _ in range(20):
            weights = model(**inputs, output_attentions=True).attentions[0]
            kept = weights != 0
            torch.testing.assert_close(weights[kept], clean[kept] / 0.8, atol=1e-6, rtol=1e-4)
            share += (~kept).float().mean().item() / 20
    assert share == pytest.approx(0.2, abs=4 * math.sqrt(0.16 / (20 * clean.numel())))


@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
def test_both_kernels_draw_the_same_and_sites_come_on_top(kernel: str) -> None:
    """DropKey with native dropout on: the model computed by hand from the two masks, in both kernels."""
    spec = DropoutSpec((Site("attention_logits", "column", 0.3),), native=True)
    weights = DropoutSpec((Site("attention_weights", "column", 0.3),), native=True)
    for method in (spec, weights):
        found = []
        for chosen in (kernel, "eager"):
            model = classifier("bert", kernel=chosen, **RATES["bert"]).train()
            with inject_dropout(model, method, generator_seed=4):
                found.append(logits(model, batch()))
        torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-4)
        with inject_dropout(model, DropoutSpec(method.sites), generator_seed=4):
            assert not torch.equal(logits(model, batch()), found[1])


def test_a_module_called_twice_draws_twice() -> None:
    """RoBERTa's head drops before and after its dense layer with one module."""
    model = classifier("roberta", classifier_dropout=0.5).train()
    kept: list[torch.Tensor] = []
    module = model.classifier.dropout
    module.register_forward_hook(lambda _m, args, out: kept.append((out != 0) | (args[0] == 0)))
    with inject_dropout(model, NATIVE, generator_seed=4) as injection:
        logits(model, batch())
        injection.step = -1
        logits(model, batch())
    assert not torch.equal(kept[0], kept[1])
    assert torch.equal(kept[0], kept[2])
    assert torch.equal(kept[1], kept[3])


def test_a_rate_that_changes_is_read_at_every_call() -> None:
    model, inputs = classifier("bert").train(), batch()
    clean = logits(model.eval(), inputs)
    model.train()
    with inject_dropout(model, NATIVE, generator_seed=4):
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        torch.testing.assert_close(logits(model, inputs), clean, atol=1e-6, rtol=1e-5)


def test_somebody_elses_forward_comes_back() -> None:
    """accelerate replaces forward on instances as well."""
    model = classifier("bert")
    theirs = model.dropout.forward
    model.dropout.forward = theirs
    with inject_dropout(model, NATIVE):
        assert model.dropout.forward is not theirs
    assert model.dropout.__dict__["forward"] is theirs


def test_copies_carry_their_own() -> None:
    model, inputs = classifier("bert").train(), batch()
    with inject_dropout(model, NATIVE, generator_seed=3) as injection:
        twin = copy.deepcopy(model)
        first = logits(model, inputs)
        assert torch.equal(logits(twin, inputs), first)
        twin.dropout.p = 0.0
        assert model.dropout.p == 0.1
        assert injection.step == 0


def test_kernels_that_take_no_mask_keep_torchs_attention_dropout() -> None:
    model = classifier("bert")
    model.config._attn_implementation = "flex_attention"
    with inject_dropout(model, NATIVE) as injection:
        assert model.config._attn_implementation == "flex_attention"
        assert injection.report.native_drawn


def test_adapters_keep_their_own_dropout() -> None:
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(classifier("bert"), LoraConfig(target_modules=["query"], r=2, lora_dropout=0.3))
    with inject_dropout(model, NATIVE) as injection:
        assert not any("lora_dropout" in name for name in injection.report.native_drawn)
        assert len(injection.report.native_drawn) == 1 + 2 * 3 + 1


@pytest.mark.parametrize("left", [False, True])
def test_masks_are_in_real_token_order(left: bool) -> None:
    draw, lengths = Draw(1, 2), (4, 2, 0)
    starts = tuple(5 - n if left else 0 for n in lengths)
    padded = native_keep(draw, 3, 0, 0.4, Rows(lengths, starts, 5), torch.Size((3, 5, 7)))
    packed = native_keep(draw, 3, 0, 0.4, Rows(lengths), torch.Size((6, 7)))
    real = Rows(lengths, starts, 5).real
    assert torch.equal(padded[real], packed)
    assert padded[~real].all()
    pairs = native_attention_keep(draw, 3, 0.4, Rows(lengths, starts, 5), 2).padded()
    alone = native_attention_keep(draw, 3, 0.4, Rows(lengths), 2).padded((0,), 4)
    first = slice(starts[0], starts[0] + 4)
    assert torch.equal(pairs[0, :, first, first], alone[0])
    full = native_keep(draw, 3, 1, 0.4, Rows(lengths), torch.Size((6, 7)))
    assert not torch.equal(full, packed)  # the second call of a pass


def test_encoders_have_native_dropout_to_draw() -> None:
    for family in ENCODERS:
        with inject_dropout(classifier(family), NATIVE) as injection:
            assert len(injection.report.native_drawn) >= 2 * families.layer_count(injection.model)
