"""Stock transformers + PEFT beside a slot of the engine: the same start, rows and masks."""

import math
from collections.abc import Sequence

import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from torch import Tensor, nn
from transformer_dropout import DropoutSpec
from transformer_dropout.hf import inject_dropout, two_pass_loss
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, get_linear_schedule_with_warmup

from tests.worker.engine.tiny_pack import World
from worker.engine.batches import Batch
from worker.engine.place import Place


class Rival:
    """Stock PEFT on a stock model, started where a slot of the engine starts, with the library's dropout in it."""

    def __init__(self, place: Place, world: World, autocast: bool = False) -> None:
        """autocast: compute in bf16 as `TrainingArguments(bf16=True)` does."""
        self.autocast = autocast
        slot, arm = place.slot, place.slot.arm
        self.causal = arm.task == "causal_lm"
        loader = AutoModelForCausalLM if self.causal else AutoModelForSequenceClassification
        more = {} if self.causal else {"num_labels": 2}
        base = loader.from_pretrained(world.weights, dtype=torch.float32, **more)
        base.config.pad_token_id = 0
        kind = TaskType.CAUSAL_LM if self.causal else TaskType.SEQ_CLS
        config = LoraConfig(kind, r=arm.rank, lora_alpha=arm.alpha, target_modules=list(arm.target_modules))
        self.model = get_peft_model(base, config).train()
        self.names = {name: parameter for name, parameter in self.model.named_parameters() if parameter.requires_grad}
        for name, value in slot.parameters.tensors().items():
            self.parameter(name).data.copy_(value)
        method = DropoutSpec.from_dict(arm.method)
        self.injection = inject_dropout(self.model, method, generator_seed=slot.seed)
        training = arm.training
        decayed = [p for p in self.names.values() if p.dim() > 1]
        plain = [p for p in self.names.values() if p.dim() < 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": training.weight_decay}, {"params": plain, "weight_decay": 0.0}],
            lr=training.learning_rate,
        )
        self.schedule = get_linear_schedule_with_warmup(
            self.optimizer, math.ceil(training.warmup_ratio * slot.steps), slot.steps
        )
        self.clip = training.gradient_clip

    def parameter(self, name: str) -> nn.Parameter:
        """The trained parameter that the engine calls `name`."""
        stem, _, leaf = name.rpartition(".")
        root, _, inner = name.partition(".")  # heads of the RoBERTa kind are modules of several layers
        for found in (f"{stem}.default.{leaf}", f"{root}.modules_to_save.default.{inner}"):
            if f"base_model.model.{found}" in self.names:
                return self.names[f"base_model.model.{found}"]
        raise KeyError(name)

    def loss(self, batch: Batch) -> Tensor:
        """The loss of a step on a padded rectangle of the same rows."""
        inputs = self._padded(batch)

        def run() -> tuple[Tensor, object]:
            with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
                output = self.model(**inputs)
            return output.loss, output

        found: Tensor = two_pass_loss(self.injection, run, inputs)[0]
        return found

    @torch.no_grad()
    def evaluated(self, batches: Sequence[Batch]) -> float:
        """Mean loss over the rows of `batches` with dropout off."""
        self.model.eval()
        total = 0.0
        for batch in batches:
            with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
                total += float(self.model(**self._padded(batch)).loss) * len(batch.examples)
        self.model.train()
        return total / sum(len(batch.examples) for batch in batches)

    def _padded(self, batch: Batch) -> dict[str, Tensor]:
        lengths, flat = batch.packed.layout.lengths, batch.packed.input_ids[0]
        ids = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
        mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
        first = batch.packed.layout.first
        for row, length in enumerate(lengths):
            ids[row, :length] = flat[first[row] : first[row] + length]
            mask[row, :length] = 1
        if self.causal:
            for place, label in zip(batch.places.tolist(), batch.labels.tolist(), strict=True):
                row = int((first <= place).sum()) - 1
                labels[row, place - int(first[row]) + 1] = label
        return {"input_ids": ids, "attention_mask": mask, "labels": labels if self.causal else batch.labels}

    def step(self, batch: Batch) -> float:
        """Train on a batch."""
        self.optimizer.zero_grad()
        loss = self.loss(batch)
        loss.backward()
        nn.utils.clip_grad_norm_(self.names.values(), self.clip)
        self.optimizer.step()
        self.schedule.step()
        return float(loss.detach())


def step_equals(place: Place, rival: Rival, step: int) -> None:
    """Loss and gradients of a step are the rival's, within the margins of E1."""
    batch = place.data.batch(step)
    expected = rival.loss(batch)
    rival.model.zero_grad()
    expected.backward()
    place.slot.parameters.zero_grad()
    loss = place.slot.loss(batch, step)
    loss.backward()
    place.slot.parameters.collect()
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    for name, gradient in place.slot.parameters.gradients().items():
        reference = rival.parameter(name).grad
        assert reference is not None
        assert float((gradient - reference).norm()) <= 1e-4 * float(reference.norm()) + 1e-9, name
