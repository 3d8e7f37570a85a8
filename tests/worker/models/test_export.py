"""Exported adapters against stock PEFT and transformers, on tiny random models of every supported family."""

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from backend.shared.catalogue.families import FAMILIES
from backend.shared.facts import ModelFacts
from backend.shared.specs import ArmKeySpec, DatasetRef, Task, TrainingSpec
from tests.worker.models.tiny import register_tiny, save_tiny
from worker.models import Base, export_adapter, load_base, target_linears
from worker.models.export import adapter_config

LABELS = 3


def arm_of(facts: ModelFacts, task: Task, targets: tuple[str, ...]) -> ArmKeySpec:
    return ArmKeySpec(
        model=facts.ref,
        dataset=DatasetRef(id="toy", content_hash="0"),
        task=task,
        train_rows=4,
        validation_rows=4,
        probe_rows=4,
        method={},
        rank=2,
        alpha=4,
        target_modules=targets,
        training=TrainingSpec(),
    )


def random_tensors(base: Base, arm: ArmKeySpec) -> dict[str, Tensor]:
    """An adapter and head that clearly change what the model says."""
    maker = torch.Generator().manual_seed(1)
    found = {}
    for name, module in target_linears(base, arm.target_modules):
        rows, columns = module.weight.shape
        inputs, outputs = (columns, rows) if isinstance(module, nn.Linear) else (rows, columns)
        found[f"{name}.lora_A.weight"] = torch.randn(arm.rank, inputs, generator=maker)
        found[f"{name}.lora_B.weight"] = torch.randn(outputs, arm.rank, generator=maker)
    for name in base.head:
        found[name] = torch.randn(base.model.get_parameter(name).shape, generator=maker)
    return found


def by_hand(base: Base, arm: ArmKeySpec, tensors: dict[str, Tensor]) -> nn.Module:
    """The base with alpha/rank · B A added to its weights and the head put in its place."""
    with torch.no_grad():
        for name, module in target_linears(base, arm.target_modules):
            delta = tensors[f"{name}.lora_B.weight"] @ tensors[f"{name}.lora_A.weight"] * (arm.alpha / arm.rank)
            module.weight += delta if isinstance(module, nn.Linear) else delta.T
        for name in base.head:
            base.model.get_parameter(name).copy_(tensors[name])
    return base.model


def export_and_compare(tmp_path: Path, family: str, task: Task, targets: tuple[str, ...] | None = None) -> None:
    folder = save_tiny(tmp_path / "model", family)
    facts = register_tiny(tmp_path / "home", folder, "tiny")
    arm = arm_of(facts, task, targets or facts.default_target_modules)
    base = load_base(facts.ref, task, LABELS, "fp32", tmp_path / "home")
    tensors = random_tensors(base, arm)
    export_adapter(tmp_path / "adapter", base, arm, tensors)

    ids = torch.tensor([[2, 5, 9, 14, 15, 16]])
    before = base.model(input_ids=ids).logits
    ours = by_hand(base, arm, tensors)(input_ids=ids).logits
    if task == "causal_lm":
        stock = AutoModelForCausalLM.from_pretrained(folder)
    else:
        stock = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=LABELS)
    theirs = PeftModel.from_pretrained(stock, tmp_path / "adapter").eval()(input_ids=ids).logits
    assert (ours - before).abs().max() > 0.01
    torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_classification_adapter_gives_the_same_logits_in_stock_peft(tmp_path: Path, family: str) -> None:
    export_and_compare(tmp_path, family, "classification")


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_causal_adapter_gives_the_same_logits_in_stock_peft(tmp_path: Path, family: str) -> None:
    export_and_compare(tmp_path, family, "causal_lm")


def test_ambiguous_targets_are_exported_by_full_name(tmp_path: Path) -> None:
    # In RoBERTa `dense` also names the head's first layer, which is trained in full and must get no adapter.
    export_and_compare(tmp_path, "roberta", "classification", ("dense", "query"))


def test_targets_are_those_peft_finds(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model", "bert")
    facts = register_tiny(tmp_path / "home", folder, "tiny")
    base = load_base(facts.ref, "classification", LABELS, "fp32", tmp_path / "home")
    for targets in (("query", "value"), ("dense",), ("layer.1.attention.self.key",), ("attention.output.dense",)):
        ours = [name for name, _ in target_linears(base, targets)]
        stock = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=LABELS)
        peft = get_peft_model(stock, LoraConfig(task_type="SEQ_CLS", target_modules=list(targets)))
        assert ours == peft.base_model.targeted_module_names


def test_gpt2_is_marked_as_transposed_and_the_head_as_trained(tmp_path: Path) -> None:
    facts = register_tiny(tmp_path / "home", save_tiny(tmp_path / "model", "gpt2"), "tiny")
    base = load_base(facts.ref, "classification", LABELS, "fp32", tmp_path / "home")
    config = adapter_config(base, arm_of(facts, "classification", ("c_attn",)))
    assert config["fan_in_fan_out"] is True
    assert config["modules_to_save"] == ["score"]
    assert config["target_modules"] == ["c_attn"]


def test_same_tensors_give_the_same_bytes_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    facts = register_tiny(tmp_path / "home", save_tiny(tmp_path / "model", "bert"), "tiny")
    base = load_base(facts.ref, "classification", LABELS, "fp32", tmp_path / "home")
    arm = arm_of(facts, "classification", ("query",))
    tensors = random_tensors(base, arm)
    first = export_adapter(tmp_path / "one", base, arm, tensors)
    second = export_adapter(tmp_path / "two", base, arm, dict(reversed(tensors.items())))
    assert first == second
    assert set(first) == {path.name for path in (tmp_path / "one").iterdir()}
    assert str(tmp_path) not in "".join((tmp_path / "one" / n).read_text("latin-1") for n in first)
    del tensors["classifier.bias"]
    with pytest.raises(ValueError, match=r"classifier\.bias"):
        export_adapter(tmp_path / "three", base, arm, tensors)
    assert json.loads((tmp_path / "one" / "adapter_config.json").read_text())["lora_alpha"] == 4


def test_default_targets_are_pefts() -> None:
    stock = TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
    known = {family: tuple(stock[family]) for family in FAMILIES if family in stock}
    assert len(known) >= 11
    assert known == {family: FAMILIES[family].target_modules for family in known}
