"""E1: in fp32 the engine trains what stock transformers + PEFT train when the library drops the same things there."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from safetensors.torch import load_file
from torch import Tensor, nn
from transformer_dropout import PRESETS, DropoutSpec
from transformer_dropout.hf import inject_dropout, two_pass_loss
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, get_linear_schedule_with_warmup

from tests.worker.engine.tiny_pack import World, start, trained
from worker.engine.batches import Batch
from worker.engine.loop import Place
from worker.engine.warm import Warm

# Native dropout draws from torch's own generator in stock modules; test_by_hand holds ours to the modules' places.
METHODS = [name for name, found in PRESETS.items() if not found.native]
STEPS = 50


class Rival:
    """Stock PEFT on a stock model, started where a slot of the engine starts, with the library's dropout in it."""

    def __init__(self, place: Place, world: World) -> None:
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
        self.injection = inject_dropout(self.model, DropoutSpec.from_dict(arm.method), generator_seed=slot.seed)
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
        for found in (f"{stem}.default.{leaf}", f"{stem}.modules_to_save.default.{leaf}"):
            if f"base_model.model.{found}" in self.names:
                return self.names[f"base_model.model.{found}"]
        raise KeyError(name)

    def loss(self, batch: Batch) -> Tensor:
        """The loss of a step on a padded rectangle of the same rows."""
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
        inputs = {"input_ids": ids, "attention_mask": mask, "labels": labels if self.causal else batch.labels}

        def run() -> tuple[Tensor, object]:
            output = self.model(**inputs)
            return output.loss, output

        found: Tensor = two_pass_loss(self.injection, run, inputs)[0]
        return found

    def step(self, batch: Batch) -> float:
        """Train on a batch."""
        self.optimizer.zero_grad()
        loss = self.loss(batch)
        loss.backward()
        nn.utils.clip_grad_norm_(self.names.values(), self.clip)
        self.optimizer.step()
        self.schedule.step()
        return float(loss.detach())


def a_place(world: World, folder: Path, method: str, **training: object) -> Place:
    """A slot with its data, not yet trained."""
    from worker.engine.pack import prepare

    arm = world.arm(method, 0.15 if PRESETS[method].default_rate else None, **training)
    failures: list[object] = []
    places = prepare(start(world, folder, {"run": arm}).runs, Warm(world.home, torch.device("cpu")), failures.append)
    assert len(places) == 1, failures
    return places[0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_first_step_equals_peft(bert_world: World, llama_world: World, tmp_path: Path, kind: str, method: str) -> None:
    world = bert_world if kind == "bert" else llama_world
    place = a_place(world, tmp_path, method)
    noise = np.random.default_rng(5).standard_normal(place.slot.parameters.count) * 0.05
    place.slot.parameters.load(torch.from_numpy(noise.astype(np.float32)))  # B = 0 would hide half of the gradients
    rival = Rival(place, world)
    batch = place.data.batch(0)
    expected = rival.loss(batch)
    expected.backward()
    place.slot.parameters.zero_grad()
    loss = place.slot.loss(batch, 0)
    loss.backward()
    place.slot.parameters.collect()
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    for name, gradient in place.slot.parameters.gradients().items():
        reference = rival.parameter(name).grad
        assert reference is not None
        assert float((gradient - reference).norm()) <= 1e-4 * float(reference.norm()) + 1e-9, name


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["minilm", "llama_world"])
def test_fifty_steps_stay_with_peft(request: pytest.FixtureRequest, tmp_path: Path, kind: str, method: str) -> None:
    world: World = request.getfixturevalue(kind)
    rate = {"minilm": 2e-3, "llama_world": 1e-2}[kind]
    place = a_place(world, tmp_path, method, epochs=17, learning_rate=rate)
    rival = Rival(place, world)
    for step in range(STEPS):
        batch = place.data.batch(step)
        ours, theirs = place.slot.train_step(batch), rival.step(batch)
        assert ours == pytest.approx(theirs, rel=1e-5 if step == 0 else 1e-3), step


def test_the_exported_adapter_gives_the_recorded_loss(bert_world: World, tmp_path: Path) -> None:
    from peft import PeftModel

    told = trained(bert_world, tmp_path, {"run": bert_world.arm("hiddenkey", precision="bf16", learning_rate=5e-2)})
    folder = told.only("run", "adapter")[0].folder
    assert set(load_file(Path(folder) / "adapter_model.safetensors"))
    base = AutoModelForSequenceClassification.from_pretrained(bert_world.weights, dtype=torch.float32, num_labels=2)
    model = PeftModel.from_pretrained(base, folder).eval()
    place = a_place(bert_world, tmp_path / "again", "none")
    losses = []
    with torch.no_grad():
        for batch in place.data.validation:
            layout, flat = batch.packed.layout, batch.packed.input_ids[0]
            for row, length in enumerate(layout.lengths):
                ids = flat[layout.first[row] : layout.first[row] + length][None]
                losses.append(
                    float(nn.functional.cross_entropy(model(input_ids=ids).logits, batch.labels[row : row + 1]))
                )
    assert told.final("run")["validation/loss_fp32"] == pytest.approx(float(np.mean(losses)), abs=1e-5)
