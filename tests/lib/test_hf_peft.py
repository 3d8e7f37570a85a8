"""With PEFT: what gets gradients, where adapters drop, and that each hooked tensor is exactly what the masks say."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformer_dropout import DropoutSpec, Site, preset
from transformer_dropout.hf import families, inject_dropout, injection_of, two_pass_loss
from transformer_dropout.masks import vector_keep
from transformer_dropout.spec import Consistency

from tests.lib.tiny import batch, classifier, language_model

TARGETS = {"bert": ["query", "value"], "llama": ["q_proj", "v_proj"]}


def adapted(family: str, layers: int = 2, **options: Any) -> Any:
    model = classifier(family, layers=layers)
    lora = LoraConfig(task_type=TaskType.SEQ_CLS, r=4, lora_alpha=8, target_modules=TARGETS[family], **options)
    model = get_peft_model(model, lora).train()
    torch.manual_seed(2)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    return model


def recorded(module: torch.nn.Module, model: Any, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Input and output of a module in one pass, hooks included."""
    seen: dict[str, torch.Tensor] = {}

    def look(_: object, args: tuple[Any, ...], output: torch.Tensor) -> None:
        seen["in"], seen["out"] = args[0].detach(), output.detach()

    handle = module.register_forward_hook(look)
    model(**inputs)
    handle.remove()
    return seen["in"], seen["out"]


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_only_adapters_and_the_head_get_gradients(family: str) -> None:
    model = adapted(family)
    with inject_dropout(model, preset("hiddenkey", rate=0.3), generator_seed=1) as injection:
        assert [site.modules for site in injection.report.sites] == ([2, 2] if family == "bert" else [1, 1])
        inputs = batch() | {"labels": torch.tensor([0, 1, 0])}

        def run() -> tuple[torch.Tensor, Any]:
            out = model(**inputs)
            return out.loss, out

        loss, _ = two_pass_loss(injection, run, inputs)
        loss.backward()
        assert injection.step == 0
    touched = {name for name, p in model.named_parameters() if p.grad is not None}
    assert touched == {name for name, p in model.named_parameters() if p.requires_grad}
    assert all("lora_" in name or "classifier" in name or "score" in name for name in touched)


def test_value_adapters_agree_and_query_adapters_differ_between_dropkey_and_dropattention(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Site, "stream", property(lambda _: 0))  # both drop the same keys
    found = {}
    for position in ("attention_logits", "attention_weights"):
        model = adapted("bert", layers=1).double()
        with inject_dropout(model, DropoutSpec((Site(position, "column", 0.4),)), generator_seed=1):
            model(**batch()).logits.sum().backward()
        found[position] = {n: p.grad for n, p in model.named_parameters() if "lora_" in n}
    for name, gradient in found["attention_logits"].items():
        other = found["attention_weights"][name]
        if ".value." in name:
            torch.testing.assert_close(gradient, other, atol=1e-12, rtol=1e-9)
        else:
            assert (gradient - other).abs().max() > 1e-6


@pytest.mark.parametrize("family", ["bert", "llama"])
@pytest.mark.parametrize("position", ["adapter_input", "adapter_rank"])
def test_adapter_sites_multiply_their_own_mask_in(family: str, position: str) -> None:
    model = adapted(family)
    site = Site(position, "element", 0.4, layers="all")
    inputs = batch()
    downs = [[module.lora_A["default"] for module in layer] for layer in families.adapted_modules(model)]
    assert [len(layer) for layer in downs] == [2, 2]
    with inject_dropout(model, DropoutSpec((site,)), generator_seed=1) as injection:
        assert injection.report.sites[0].modules == 4
        masks = []
        for number, down in enumerate(downs[1]):
            injection.step = -1
            seen, out = recorded(down, model, inputs)
            context = injection.clock.current
            assert context is not None
            features = seen.shape[-1] if position == "adapter_input" else out.shape[-1]
            mask = vector_keep(site, 0.4, context.draw, 1, context.rows, features, number)
            masks.append(mask.keep)
            target = seen if position == "adapter_input" else out
            assert torch.equal(target == 0, ~mask.keep)
            if position == "adapter_rank":
                torch.testing.assert_close(out, (seen @ down.weight.T) * mask.keep / 0.6)
    assert not torch.equal(masks[0], masks[1])  # query and value draw their own


@pytest.mark.parametrize("family", ["bert", "llama", "gemma2", "opt", "gpt2"])
@pytest.mark.parametrize("place", ["ffn_output", "ffn_inner"])
def test_hidden_sites_multiply_their_mask_in_where_the_table_says(family: str, place: str) -> None:
    model = classifier(family).train()
    inputs = batch()
    module = families.hidden_modules(model, place)[1]
    site = Site("hidden", "element", 0.4, layers=(1,), place=place)
    with inject_dropout(model, preset("none")):
        clean = recorded(module, model, inputs)
    with inject_dropout(model, DropoutSpec((site,)), generator_seed=1) as injection:
        dropped = recorded(module, model, inputs)
        context = injection.clock.current
        assert context is not None
    which = 1 if place == "ffn_output" else 0
    mask = vector_keep(site, 0.4, context.draw, 1, context.rows, clean[which].shape[-1])
    expected = clean[which].view(mask.keep.shape) * mask.keep / 0.6
    torch.testing.assert_close(dropped[which].view(mask.keep.shape), expected, atol=1e-5, rtol=1e-5)


def test_element_dropout_of_hidden_has_the_share_and_scale_of_torchs_own() -> None:
    """The stock hidden dropout at that one place, in distribution: same share of zeros, same value where kept."""
    model = classifier("bert").train()
    inputs = {"input_ids": batch()["input_ids"][:1]}
    module = families.hidden_modules(model)[0]
    with inject_dropout(model, preset("none")):
        _, clean = recorded(module, model, inputs)
    zeros = 0.0
    with inject_dropout(model, preset("hidden_dropout", rate=0.25), generator_seed=1):
        for _ in range(40):
            _, out = recorded(module, model, inputs)
            kept = out != 0
            torch.testing.assert_close(out[kept], clean[kept] / 0.75)
            zeros += (~kept).float().mean().item() / 40
    assert zeros == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("kind", ["kl", "kl_both", "js_paper", "js", "js_hiddencut"])
@pytest.mark.parametrize("task", ["classification", "regression", "features", "causal_lm"])
def test_two_pass_losses_on_every_task(kind: str, task: str) -> None:
    inputs: dict[str, Any] = batch()
    if task == "causal_lm":
        model = language_model("llama").train()
        inputs["labels"] = torch.where(inputs["attention_mask"] == 1, inputs["input_ids"], -100)
    elif task == "classification":
        model = classifier("bert").train()
        inputs["labels"] = torch.tensor([0, 1, 1])
    else:
        model = classifier("bert", num_labels=1).train()
        inputs["labels"] = torch.tensor([0.5, 1.0, -1.0])
    regression = "features" if task == "features" else "mse"
    if task == "features":
        inputs["output_hidden_states"] = True
    values = {}
    for weight in (0.0, 2.0):
        consistency = Consistency(kind, weight, regression)
        spec = DropoutSpec(preset("hiddenkey_minus", rate=0.3).sites, consistency)
        with inject_dropout(model, spec, generator_seed=1):
            calls = 0

            def run() -> tuple[torch.Tensor, Any]:
                nonlocal calls
                calls += 1
                out = model(**inputs)
                return out.loss, out

            loss, _ = two_pass_loss(injection_of(model), run, inputs)  # type: ignore[arg-type]
            assert calls == 2
            loss.backward()
            values[weight] = loss.item()
    assert values[2.0] > values[0.0]


def test_eval_and_plain_methods_run_one_pass() -> None:
    model = classifier("bert")
    for spec, training in ((preset("hiddenkey"), False), (preset("hiddenkey_minus"), True)):
        with inject_dropout(model, spec) as injection:
            model.train(training)
            calls: list[int] = []

            def run() -> tuple[torch.Tensor, Any]:
                calls.append(1)  # noqa: B023
                return torch.zeros(()), None

            two_pass_loss(injection, run, {})
            assert len(calls) == 1
