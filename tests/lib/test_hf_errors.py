"""What goes wrong at the Hugging Face door is said in words, and the model stays as it was."""

from typing import Any

import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model
from torch import nn
from transformer_dropout import (
    DropoutError,
    DropoutSpec,
    InjectionError,
    ShapeError,
    Site,
    UnsupportedModelError,
    preset,
)
from transformer_dropout.hf import attention, disable_native_dropout, inject_dropout, injection_of
from transformers import AttentionInterface

from tests.lib.tiny import batch, classifier, config


def snapshot(model: nn.Module) -> list[object]:
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks), getattr(m, "p", None)) for m in model.modules()]
    return [hooks, model.config._attn_implementation, injection_of(model)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        (preset("adapter_dropout"), InjectionError, "get_peft_model"),
        (preset("adapter_rank"), InjectionError, "get_peft_model"),
        (DropoutSpec((Site("hidden", "element", 0.1, layers=(5,)),)), DropoutError, "layers are 0 to 1"),
    ],
)
def test_what_finds_no_place_is_an_error_and_changes_nothing(
    spec: DropoutSpec, error: type[Exception], words: str
) -> None:
    model = classifier("bert")
    before = snapshot(model)
    with pytest.raises(error, match=words):
        inject_dropout(model, spec)
    assert snapshot(model) == before


def test_a_failure_half_way_is_undone() -> None:
    model = classifier("bert")
    before = snapshot(model)
    model.bert.encoder.layer[1].output.dense = None
    with pytest.raises(UnsupportedModelError, match=r"no 'output\.dense'"):
        inject_dropout(model, preset("hiddenkey"))
    assert snapshot(model)[1:] == before[1:]
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.modules())
    assert model.dropout.p == 0.1


def test_no_head_to_drop_before() -> None:
    bare = transformers.AutoModel.from_config(config("bert"))
    with pytest.raises(UnsupportedModelError, match="has no head"):
        inject_dropout(bare, preset("output_dropout"))
    with inject_dropout(bare.train(), preset("hiddenkey_minus", rate=0.4)) as injection:  # the rest works without one
        bare(**batch())
        assert injection.step == 0


def test_two_methods_at_once_are_refused() -> None:
    model = classifier("bert")
    with inject_dropout(model, preset("dropkey")), pytest.raises(InjectionError, match="remove"):
        inject_dropout(model, preset("hiddencut"))
    inject_dropout(model, preset("hiddencut")).remove()


def test_other_kernels_are_refused_with_the_remedy() -> None:
    model = classifier("bert")
    model.config._attn_implementation = "flex_attention"
    with pytest.raises(UnsupportedModelError, match="attn_implementation='sdpa' or 'eager'"):
        inject_dropout(model, preset("dropkey"))
    with inject_dropout(model, preset("hiddencut")):  # which needs no kernel of ours
        pass


def test_a_name_without_a_mask_function_is_refused() -> None:
    """Trap 1 of the attention interface: transformers would build no mask, and padding would go unseen."""
    AttentionInterface.register("lonely", attention.attention_forward)
    with pytest.raises(UnsupportedModelError, match="AttentionMaskInterface"):
        attention.check_registered("lonely")
    for kernel in ("sdpa", "eager"):
        attention.check_registered(attention.register(kernel))


def test_wrapping_after_injecting_is_noticed() -> None:
    model = classifier("bert")
    inject_dropout(model, preset("hiddencut"))
    wrapped = get_peft_model(model, LoraConfig(target_modules=["output.dense"], r=2))
    with pytest.raises(InjectionError, match="wrap the model first"):
        wrapped.train()(**batch())


@pytest.mark.parametrize(
    ("inputs", "error", "words"),
    [
        (
            {"input_ids": torch.ones(2, 4, dtype=torch.long), "attention_mask": torch.ones(2, 5)},
            ShapeError,
            "2 rows of 4",
        ),
        (
            {"input_ids": torch.ones(1, 3, dtype=torch.long), "attention_mask": torch.tensor([[1, 0, 1]])},
            ShapeError,
            "gaps",
        ),
        ({"attention_mask": torch.ones(1, 3)}, InjectionError, "without input_ids"),
    ],
)
def test_bad_inputs(inputs: dict[str, Any], error: type[Exception], words: str) -> None:
    model = classifier("bert").train()
    with inject_dropout(model, preset("hiddencut")), pytest.raises(error, match=words):
        model.bert(**inputs)


def test_not_a_transformers_model() -> None:
    with pytest.raises(UnsupportedModelError, match="no config"):
        inject_dropout(nn.Linear(2, 2), preset("hiddencut"))


def test_native_dropout_is_off_on_the_record_and_comes_back() -> None:
    model = classifier("opt", dropout=0.1, attention_dropout=0.2, layerdrop=0.3).train()
    inputs = batch()
    native = disable_native_dropout(model)
    assert torch.equal(model(**inputs).logits, model(**inputs).logits)
    assert {word.split(" ")[-1] for word in native.disabled} == {"0.1", "0.2", "0.3"}
    assert disable_native_dropout(model).disabled == ()
    native.restore()
    assert model.model.decoder.layers[0].dropout == 0.1
    assert model.model.decoder.layerdrop == 0.3
    assert model.config.dropout == 0.1  # saved with the model, so never touched

    model = classifier("bert").train()
    with inject_dropout(model, preset("none")) as injection:
        assert len(injection.report.native_disabled) == 1 + 2 * 3 + 1
        assert torch.equal(model(**inputs).logits, model(**inputs).logits)
    with inject_dropout(model, preset("native_dropout")) as injection:
        assert injection.report.native_disabled == ()
        assert not torch.equal(model(**inputs).logits, model(**inputs).logits)


def test_removing_twice_is_harmless() -> None:
    model = classifier("bert")
    injection = inject_dropout(model, preset("hiddenkey"))
    injection.remove()
    injection.remove()
    assert injection_of(model) is None
