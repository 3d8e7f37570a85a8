"""Situations around a method: tools and flags that must neither change it nor be changed by it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import cpu_offload
from peft import LoraConfig, get_peft_model
from transformer_dropout import Consistency, DropoutSpec, Site, preset
from transformer_dropout.hf import ConsistencyTrainer, inject_dropout, injection_of
from transformers import AutoModelForCausalLM, set_seed

from tests.lib.test_documents import packed, padded
from tests.lib.test_trainer import Rows, arguments, losses
from tests.lib.tiny import batch, classifier, language_model

SITES = (
    Site("attention_logits", "column", 0.4, layers="all"),
    Site("hidden", "element", 0.4, layers="all"),
    Site("output", "element", 0.4),
)


def adapted(**options: Any) -> Any:
    set_seed(0)
    chosen = {"r": 4, "target_modules": ["q_proj", "v_proj"], "init_lora_weights": False} | options
    return get_peft_model(language_model("llama"), LoraConfig(task_type="CAUSAL_LM", **chosen)).train()


@torch.no_grad()
def test_a_model_saved_with_a_method_in_it_loads_without_one(tmp_path: Path) -> None:
    model = language_model("llama")
    clean = model.eval()(**batch()).logits
    inject_dropout(model, DropoutSpec(SITES))
    model.save_pretrained(tmp_path)
    assert "transformer_dropout" not in json.dumps(json.loads((tmp_path / "config.json").read_text()))
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert again.config._attn_implementation == "sdpa"
    assert torch.equal(again.train()(**batch()).logits, clean)


@torch.no_grad()
def test_a_trainer_that_switches_all_dropout_off_leaves_the_method_on() -> None:
    """As TRL's DPO does with disable_dropout=True: every nn.Dropout's rate becomes 0."""
    model = adapted(lora_dropout=0.3)
    with inject_dropout(model, DropoutSpec(SITES), generator_seed=3) as injection:
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        first = model(**batch()).logits
        assert not torch.equal(model(**batch()).logits, first)
        injection.step = -1
        assert torch.equal(model(**batch()).logits, first)


@torch.no_grad()
@pytest.mark.parametrize("name", ["adapter_dropout", "adapter_rank"])
def test_packed_texts_lose_in_adapters_what_padded_ones_lose(name: str) -> None:
    model, real = adapted(), padded()["attention_mask"] == 1
    with inject_dropout(model, preset(name, rate=0.4), generator_seed=5) as injection:
        one = model(**padded(), use_cache=False).logits[real]
        injection.step = -1
        two = model(**packed(), use_cache=False).logits[0]
    torch.testing.assert_close(two, one, atol=1e-4, rtol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("family", ["bert", "llama"])
def test_a_row_of_nothing_but_padding_disturbs_nobody(family: str) -> None:
    model, inputs = classifier(family).train(), batch()
    inputs["attention_mask"][2] = 0
    with inject_dropout(model, DropoutSpec(SITES), generator_seed=3) as injection:
        found = model(**inputs).logits
        injection.step = -1
        fewer = model(**{name: values[:2] for name, values in inputs.items()}).logits
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found[:2], fewer, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_arguments_by_place_and_a_mask_of_ones_own() -> None:
    model = classifier("bert").train()
    ids = batch()["input_ids"][:1].expand(2, -1)
    mask = torch.ones(2, 9, dtype=torch.long)
    with inject_dropout(model, DropoutSpec(SITES), generator_seed=3) as injection:
        found = []
        for args, options in (((), {"input_ids": ids, "attention_mask": mask}), ((ids, mask), {})):
            injection.step = -1
            found.append(model(*args, **options).logits)
        injection.step = -1
        whole = mask[:, None, None, :].expand(-1, 1, 9, -1).bool()
        found.append(model(ids, attention_mask=whole).logits)
    assert torch.equal(found[0], found[1])
    torch.testing.assert_close(found[2], found[0], atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("spec", [DropoutSpec(SITES), preset("native_dropout")], ids=["sites", "native"])
def test_a_model_that_accelerate_offloads(spec: DropoutSpec) -> None:
    found = []
    for offloaded in (False, True):
        model = language_model("llama", attention_dropout=0.2).train()
        if offloaded:
            cpu_offload(model, execution_device=torch.device("cpu"))
        with inject_dropout(model, spec, generator_seed=3):
            found.append(model(**batch()).logits)
    torch.testing.assert_close(found[0], found[1])


def trained(folder: Path, spec: DropoutSpec, make: Any = adapted, **options: Any) -> tuple[Any, list[float]]:
    inputs = batch(rows=4)
    rows = {name: values.repeat(3, 1) for name, values in inputs.items()}
    rows["labels"] = torch.where(rows["attention_mask"] == 1, rows["input_ids"], -100)
    model = make()
    inject_dropout(model, spec, generator_seed=7)
    more = {"max_steps": 3, "per_device_train_batch_size": 4, "learning_rate": 1e-2, "seed": 0}
    trainer = ConsistencyTrainer(
        model=model, args=arguments(folder, **(more | options)), train_dataset=Rows(rows), eval_dataset=Rows(rows)
    )
    trainer.train()
    return trainer, losses(trainer)


EVALUATED = {"eval_strategy": "steps", "eval_steps": 1}
BEST = EVALUATED | {"save_strategy": "steps", "save_steps": 1, "load_best_model_at_end": True}


@pytest.mark.parametrize("kind", ["kl", "js_paper"])
@pytest.mark.parametrize(
    "options",
    [BEST, EVALUATED | {"bf16_full_eval": True}, EVALUATED | {"eval_on_start": True}, {"dataloader_num_workers": 1}],
    ids=["best", "bf16 evaluation", "evaluated first", "workers"],
)
def test_flags_that_must_not_change_what_is_trained(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    spec = DropoutSpec(SITES, Consistency(kind))
    _, plain = trained(tmp_path / "plain", spec)
    trainer, flagged = trained(tmp_path / "flagged", spec, **options)
    assert flagged == plain
    injection = injection_of(trainer.model)
    assert injection is not None
    assert injection.step == 2
    assert [site.modules for site in injection.report.sites] == [2, 1, 2]  # still there after the best was loaded
    trainer.model.train()
    assert not torch.equal(trainer.model(**batch()).logits, trainer.model.eval()(**batch()).logits)


def two_active() -> Any:
    model = adapted()
    model.add_adapter("second", LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    model.base_model.set_adapter(["default", "second"])
    return model


@pytest.mark.parametrize(
    "make",
    [
        two_active,
        lambda: adapted(modules_to_save=["lm_head"]),
        lambda: adapted(modules_to_save=["embed_tokens", "down_proj"]),
        lambda: adapted(trainable_token_indices=[3, 4]),
        lambda: adapted(layer_replication=[(0, 2), (0, 2)]),
        lambda: adapted(target_modules="all-linear", use_rslora=True, lora_bias=True),
    ],
    ids=[
        "two adapters",
        "saved head",
        "saved embeddings and block",
        "trained tokens",
        "replicated layers",
        "everywhere",
    ],
)
def test_what_peft_can_do_to_a_model(tmp_path: Path, make: Any) -> None:
    """Every trained parameter feels the method, and weight 0 is the method without its loss."""
    spec = DropoutSpec((*SITES[:2], Site("input", "span", 0.2)), Consistency("kl_both", 50.0))
    trainer, with_term = trained(tmp_path, spec, make)
    _, without = trained(tmp_path, DropoutSpec(spec.sites, Consistency("kl_both", 0.0)), make)
    assert with_term[0] > without[0]
    layers = injection_of(trainer.model).report.layer_count  # type: ignore[union-attr]
    sites = injection_of(trainer.model).report.sites  # type: ignore[union-attr]
    assert {site.position: site.modules for site in sites} == {"attention_logits": layers, "hidden": layers, "input": 1}
