"""Heads, prompts, precisions and head sizes that models come with: supported as they should be, or refused by name."""

from typing import Any

import pytest
import torch
import transformers
from peft import LoraConfig, PromptTuningConfig, TaskType, get_peft_model
from torch.nn import functional as F
from transformer_dropout import Consistency, DropoutSpec, InjectionError, Site, preset
from transformer_dropout.fused import shifted_attention
from transformer_dropout.hf import inject_dropout, two_pass_loss

from tests.lib.reference import attention_reference, kl
from tests.lib.tiny import FAMILIES, batch, classifier, config, language_model

HIDDEN = (Site("hidden", "element", 0.4, layers="all"),)


def step(model: Any, inputs: dict[str, torch.Tensor], kind: str = "kl", weight: float = 1.0) -> tuple[float, Any, Any]:
    """A step's loss less its task loss, and the outputs of both passes."""
    seen = []
    with inject_dropout(model.train(), DropoutSpec(HIDDEN, Consistency(kind, weight)), generator_seed=3) as injection:

        def run() -> tuple[torch.Tensor, Any]:
            out = model(**inputs)
            seen.append(out)
            return out.loss, out

        loss, first = two_pass_loss(injection, run, inputs)
        loss.backward()
    (second,) = [out for out in seen if out is not first]
    return loss.item() - first.loss.item(), first, second


def test_several_labels_a_text_are_choices_of_two() -> None:
    model = classifier("bert", num_labels=3)
    inputs = batch() | {"labels": torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])}
    term, first, second = step(model, inputs)
    expected = 0.0
    for p, q in zip(first.logits.sigmoid().flatten().tolist(), second.logits.sigmoid().flatten().tolist(), strict=True):
        expected += (kl([p, 1 - p], [q, 1 - q]) + kl([q, 1 - q], [p, 1 - p])) / 2 / 9
    assert term == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("kind", ["kl", "js_paper"])
def test_question_answering_ties_starts_and_ends(kind: str) -> None:
    torch.manual_seed(0)
    model = transformers.BertForQuestionAnswering(config("bert"))
    model.qa_outputs.weight.data.mul_(20.0)  # the term of a fresh head is fp32's noise
    inputs = batch() | {"start_positions": torch.tensor([1, 0, 2]), "end_positions": torch.tensor([3, 1, 3])}
    term, first, second = step(model, inputs, kind, 100.0)
    expected = 0.0
    for name in ("start_logits", "end_logits"):
        for p, q in zip(first[name].softmax(-1).tolist(), second[name].softmax(-1).tolist(), strict=True):
            expected += (kl(p, q) if kind == "js_paper" else (kl(p, q) + kl(q, p)) / 2) / 6
    assert term == pytest.approx(100 * expected, rel=1e-2)


def test_several_answers_at_once_are_tied_as_classes() -> None:
    torch.manual_seed(0)
    model = transformers.BertForMultipleChoice(config("bert"))
    inputs = {"input_ids": torch.randint(3, 60, (2, 3, 6)), "labels": torch.tensor([0, 2])}
    term, first, second = step(model, inputs, weight=1e6)
    both = [out.logits.log_softmax(-1) for out in (first, second)]
    expected = 0.5 * ((both[0].exp() - both[1].exp()) * (both[0] - both[1])).sum(-1).mean()
    assert term == pytest.approx(1e6 * expected.item(), rel=1e-2)


@pytest.mark.parametrize("task", ["causal", "classification"])
@pytest.mark.parametrize("kind", ["kl", "kl_both", "js_paper"])
def test_prompt_tuning_ties_the_positions_that_it_makes(task: str, kind: str) -> None:
    inputs = batch()
    if task == "causal":
        inputs["labels"] = torch.where(inputs["attention_mask"] == 1, inputs["input_ids"], -100)
        base, name = language_model("llama"), TaskType.CAUSAL_LM
    else:
        inputs["labels"] = torch.tensor([0, 1, 1])
        base, name = classifier("bert"), TaskType.SEQ_CLS
    model = get_peft_model(base, PromptTuningConfig(task_type=name, num_virtual_tokens=3))
    term, _, _ = step(model, inputs, kind, 10.0)
    assert term - step(model, inputs, kind, 0.0)[0] > 1e-6
    assert model.prompt_encoder["default"].embedding.weight.grad.abs().max() > 0
    with inject_dropout(model, preset("neftune")), pytest.raises(InjectionError, match="inputs_embeds"):
        model(**inputs)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["hiddenkey_minus", "dropattention", "attention_dropout", "native_dropout"])
@pytest.mark.parametrize("family", FAMILIES)
def test_autocast_on_a_cpu(family: str, name: str, dtype: torch.dtype) -> None:
    options = {"attention_dropout": 0.2}
    if family in ("bert", "roberta", "xlm-roberta", "electra", "gpt2"):
        options = {}
    base = classifier(family, **options)
    targets = "all-linear"
    model = get_peft_model(base, LoraConfig(r=2, target_modules=targets, init_lora_weights=False)).train()
    spec = preset(name) if name == "native_dropout" else preset(name, rate=0.3)
    with inject_dropout(model, spec, generator_seed=3) as injection:
        if family == "opt":  # whose own hidden dropout stays torch's
            torch.manual_seed(1)
        full = model(**batch()).logits
        injection.step = -1
        if family == "opt":
            torch.manual_seed(1)
        with torch.autocast("cpu", dtype=dtype):
            half = model(**batch()).logits
        half.float().sum().backward()
    scale = full.abs().max().item()
    torch.testing.assert_close(half.float() / scale, full / scale, atol=0.15, rtol=0.1)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("size", [64, 1016, 1024, 2048, 8192])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_large_heads_stay_finite_where_keys_are_shifted(dtype: torch.dtype, size: int) -> None:
    generator = torch.Generator().manual_seed(2)
    query, key, value = (torch.randn(1, 2, 4, size, generator=generator).to(dtype).requires_grad_() for _ in range(3))
    keep = torch.tensor([True, False, True, False]).expand(1, 2, 1, 4).clone()
    keep[:, 1] = False
    out = shifted_attention(query, key, value, key_keep=keep, visible=None, causal=True, scaling=size**-0.5)
    out.sum().backward()
    assert all(torch.isfinite(t.grad).all() for t in (query, key, value) if t.grad is not None)
    seen = torch.ones(4, 4, dtype=torch.bool).tril()[None, None]
    visible = torch.where((keep & seen).any(-1, keepdim=True), keep & seen, seen)
    expected = F.scaled_dot_product_attention(query.float(), key.float(), value.float(), attn_mask=visible)
    torch.testing.assert_close(out.float()[:, 0], expected[:, 0], atol=5e-2, rtol=5e-2)
    if size == 64 and dtype == torch.float32:
        loops = attention_reference(query, key, value, scaling=0.125, visible=seen, logit_keep=keep)
        torch.testing.assert_close(out.double()[:, 0], loops[:, 0], atol=1e-5, rtol=1e-4)
