"""What is hooked is followed at every step, or the step is refused; the report says what is dropped now."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from torch import nn
from transformer_dropout import DropoutSpec, InjectionError, Site, UnsupportedModelError, preset
from transformer_dropout.hf import inject_dropout

from tests.lib.tiny import batch, classifier, language_model

LORA = {"r": 4, "lora_alpha": 8, "init_lora_weights": False}
OUTPUT = DropoutSpec((Site("output", "element", 0.5),))


def adapted(family: str = "bert", targets: tuple[str, ...] = ("query", "value"), **options: Any) -> Any:
    task = TaskType.SEQ_CLS if family == "bert" else TaskType.CAUSAL_LM
    model = classifier(family) if family == "bert" else language_model(family)
    return get_peft_model(model, LoraConfig(task_type=task, target_modules=list(targets), **(LORA | options)))


def dropped(model: Any) -> torch.Tensor:
    """What a trained pass changes against a clean one."""
    inputs = batch()
    clean = model.eval()(**inputs).logits
    found: torch.Tensor = (model.train()(**inputs).logits - clean).abs().max()
    return found


@pytest.mark.parametrize("name", ["adapter_dropout", "adapter_rank"])
def test_adapters_that_are_added_and_switched(name: str) -> None:
    model, inputs = adapted(), batch()
    with inject_dropout(model, preset(name, rate=0.5), generator_seed=1) as injection:
        first = model.train()(**inputs).logits
        assert injection.report.sites[0].modules == 4
        model.add_adapter("second", LoraConfig(target_modules=["query"], **LORA))
        for adapter, modules in (("second", 2), ("default", 4)):
            model.set_adapter(adapter)
            assert injection.report.sites[0].modules == modules
            assert dropped(model) > 1e-4
        injection.step = -1
        assert torch.equal(model(**inputs).logits, first)  # the same masks as before
        model.delete_adapter("second")
        assert dropped(model) > 1e-4


def test_two_active_adapters_draw_masks_of_their_own() -> None:
    model = adapted("llama", ("q_proj", "v_proj"))
    model.add_adapter("second", LoraConfig(target_modules=["q_proj"], **LORA))
    model.base_model.set_adapter(["default", "second"])
    zeros = {}
    with inject_dropout(model, preset("adapter_dropout", rate=0.5), generator_seed=1) as injection:
        for name, down in model.get_base_model().model.layers[0].self_attn.q_proj.lora_A.items():
            down.register_forward_hook(lambda _, args, out, name=name: zeros.update({name: args[0] == 0}))
        model.train()(**batch())
        assert injection.report.sites[0].modules == 6
    assert not torch.equal(zeros["default"], zeros["second"])


@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
@pytest.mark.parametrize("start", ["sdpa", "eager"])
@pytest.mark.parametrize("how", ["method", "config"])
@pytest.mark.parametrize("name", ["dropkey", "dropattention"])
def test_another_kernel(name: str, start: str, kernel: str, how: str) -> None:
    inputs, spec = batch(), preset(name, rate=0.5)
    with inject_dropout(language_model("llama", kernel=kernel), spec, generator_seed=1) as injection:
        expected = injection.model.train()(**inputs).logits
    model = language_model("llama", kernel=start).train()
    injection = inject_dropout(model, spec, generator_seed=1)
    if how == "method":
        model.set_attn_implementation(kernel)
    else:
        model.config._attn_implementation = kernel
    assert torch.equal(model(**inputs).logits, expected)
    model.eval()(**inputs)
    injection.remove()
    assert model.config._attn_implementation == kernel


def test_a_kernel_without_masks_is_refused_at_the_step() -> None:
    model = language_model("llama").train()
    with inject_dropout(model, preset("dropkey", rate=0.5)):
        model.config._attn_implementation = "flex_attention"
        with pytest.raises(UnsupportedModelError, match="'sdpa' or 'eager'"):
            model(**batch())
    assert model.config._attn_implementation == "flex_attention"


def test_embeddings_that_are_resized() -> None:
    for spec in (preset("neftune"), OUTPUT):
        model = language_model("llama").train()
        with inject_dropout(model, spec, generator_seed=1):
            assert dropped(model) > 1e-4
            model.resize_token_embeddings(80)
            assert dropped(model) > 1e-4


@pytest.mark.parametrize("family", ["llama", "gpt2", "opt", "gemma2"])
def test_a_head_that_is_replaced_adapted_or_passed_by(family: str) -> None:
    """TRL's fused loss multiplies the backbone's output by the head's weight without calling it."""
    model, inputs = language_model(family).train(), batch()
    with inject_dropout(model, OUTPUT, generator_seed=1) as injection:
        expected = model(**inputs).logits
        injection.step = -1
        hidden = model.base_model(**inputs).last_hidden_state
        assert (hidden[inputs["attention_mask"] == 1] == 0).float().mean() == pytest.approx(0.5, abs=0.1)
        if family != "gemma2":
            torch.testing.assert_close(hidden @ model.get_output_embeddings().weight.T, expected)
        model.set_output_embeddings(copy.deepcopy(model.get_output_embeddings()))
        injection.step = -1
        assert torch.equal(model(**inputs).logits, expected)
        injection.step = -1
        assert model(**inputs, logits_to_keep=2).logits.shape[1] == 2
    if family == "llama":
        wrapped = adapted("llama", ("q_proj", "lm_head"))
        with inject_dropout(wrapped, OUTPUT, generator_seed=1):
            assert dropped(wrapped) > 1e-4


def test_a_classifier_that_is_replaced_or_switched() -> None:
    model = classifier("bert")
    with inject_dropout(model, OUTPUT, generator_seed=1):
        model.classifier = nn.Linear(32, 2)
        assert dropped(model) > 1e-4
    model = adapted()
    with inject_dropout(model, OUTPUT, generator_seed=1):
        task = TaskType.SEQ_CLS
        model.add_adapter("second", LoraConfig(task_type=task, target_modules=["query"], **LORA))
        for name in ("second", "default", "second"):
            model.set_adapter(name)
            assert dropped(model) > 1e-4


def test_a_classifier_that_is_passed_by_is_refused_in_backward() -> None:
    model = classifier("bert").train()
    with inject_dropout(model, OUTPUT):
        pooled = model.bert(**batch()).pooler_output
        with pytest.raises(InjectionError, match="before the head"):
            (pooled @ model.classifier.weight.T).sum().backward()
        model(**batch()).logits.sum().backward()


def test_adapters_that_are_merged() -> None:
    targets = ("q_proj", "down_proj")
    for name in ("hiddencut", "adapter_dropout"):
        model = adapted("llama", targets)
        with inject_dropout(model, preset(name, rate=0.5), generator_seed=1) as injection:
            assert dropped(model) > 1e-4
            merged = model.merge_and_unload()
            if name == "hiddencut":
                assert dropped(merged) > 1e-4
                assert injection.report.sites[0].modules == 1
            else:
                assert injection.report.sites[0].modules == 0
                with pytest.raises(InjectionError, match="no active LoRA adapter"):
                    dropped(merged)
        assert dropped(merged) == 0
        assert all(not m._forward_hooks and not m._forward_pre_hooks for m in merged.modules())


def off(model: Any) -> None:
    model.base_model.disable_adapter_layers()


def merge(model: Any) -> None:
    model.merge_adapter()


def replace_module(model: Any) -> None:
    model.get_base_model().bert.encoder.layer[1].output.dense = nn.Linear(48, 32)


def cut_layers(model: Any) -> None:
    encoder = model.get_base_model().bert.encoder
    encoder.layer = encoder.layer[:1]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("adapter_dropout", off),
        ("adapter_rank", merge),
        ("hiddencut", replace_module),
        ("hiddencut", cut_layers),
        ("dropkey", cut_layers),
    ],
)
def test_what_is_not_reached_any_more_is_refused(name: str, change: Callable[[Any], None]) -> None:
    model = adapted().train()
    with inject_dropout(model, preset(name, rate=0.5)):
        model(**batch())
        change(model)
        with pytest.raises(InjectionError, match="of them were reached"):
            model(**batch())
        with pytest.raises(InjectionError, match="of them were reached"):  # again, not once
            model(**batch())
        model.eval()(**batch())


def test_noise_needs_embeddings_to_go_onto() -> None:
    model = classifier("bert").train()
    with inject_dropout(model, preset("neftune")), pytest.raises(InjectionError, match="inputs_embeds"):
        model(inputs_embeds=torch.randn(2, 5, 32))


def test_adapters_that_no_site_stands_for_are_refused_by_name() -> None:
    model = adapted("llama", ("q_proj", "lm_head"))
    with pytest.raises(UnsupportedModelError, match="lm_head is outside the layers"):
        inject_dropout(model, preset("adapter_dropout"))
    model = adapted("llama", ("q_proj",), alora_invocation_tokens=[1, 2])
    with pytest.raises(UnsupportedModelError, match="aLoRA"):
        inject_dropout(model, preset("adapter_dropout"))
    model = adapted("llama", ("q_proj",), use_dora=True)
    with pytest.raises(UnsupportedModelError, match="DoRA"):
        inject_dropout(model, preset("adapter_rank"))
    with inject_dropout(model, preset("hiddenkey_minus", rate=0.5)):
        assert dropped(model) > 1e-4


def test_wrapping_later_is_noticed_after_training_steps_too() -> None:
    model = classifier("bert").train()
    inject_dropout(model, preset("hiddencut"))
    model(**batch())
    wrapped = get_peft_model(model, LoraConfig(target_modules=["output.dense"], r=2))
    with pytest.raises(InjectionError, match="wrap the model first"):
        wrapped.train()(**batch())


@pytest.mark.slow
def test_a_model_that_was_compiled_and_run_before() -> None:
    torch.compiler.reset()
    model, inputs = classifier("bert").train(), batch()
    clean = model.eval()(**inputs).logits
    compiled = torch.compile(model.train(), backend="eager")
    compiled(**inputs)
    with inject_dropout(model, preset("hiddenkey_minus", rate=0.5), generator_seed=1) as injection:
        assert not torch.allclose(compiled(**inputs).logits, clean)
        assert injection.step == 0
    model.eval()
    torch.testing.assert_close(compiled(**inputs).logits, clean)
    model.train()
    with inject_dropout(model, preset("none")):
        torch.testing.assert_close(compiled(**inputs).logits, clean)
