"""One run's place in the pack: what it trains, how far it is, and one optimizer step of it."""

from pathlib import Path

import torch
from torch import Tensor
from transformer_dropout.masks import Draw
from transformer_dropout.spec import CONSISTENCY, DropoutSpec

from backend.shared.schedule import Schedule
from backend.shared.specs import ArmKeySpec
from backend.shared.trainer_protocol import PackedRun
from worker.engine.batches import Batch
from worker.engine.checkpoint import Progress
from worker.engine.flops import step_flops
from worker.engine.hooked_base import Host
from worker.engine.losses import TwoPasses, total_loss
from worker.engine.optimizer import AdamW
from worker.engine.parameters import Parameters
from worker.engine.single.drops import Drops


class Slot:
    """State of one run. Two slots share nothing but the frozen base, so neither can disturb the other."""

    def __init__(self, run: PackedRun, host: Host, layers: int, steps: int) -> None:
        self.run, self.host, self.steps = run, host, steps
        self.arm: ArmKeySpec = run.spec.arm
        self.seed = run.spec.seed
        self.method = DropoutSpec.from_dict(self.arm.method).resolve(layers, host.hooked.decoder)
        self.scaling = self.arm.alpha / self.arm.rank
        self.parameters = Parameters(host.shapes(self.arm.rank), host.dtype)
        self.parameters.initialise(self.seed)
        training = self.arm.training
        self.optimizer = AdamW(
            self.parameters.values,
            self.parameters.decayed,
            training.weight_decay,
            training.gradient_clip,
            Schedule.of(training.learning_rate, training.warmup_ratio, steps),
        )
        self.adapters = host.adapters(self.parameters, self.scaling)
        self.head = {name: self.parameters.leaf(name) for name in host.head_names}
        self.progress = Progress()
        self.folder = Path(run.folder)

    @property
    def drops_anything(self) -> bool:
        """Whether an output with dropout on can differ from one with dropout off."""
        native = self.method.native and self.host.hooked.native_dropouts > 0
        return native or self.method.noise_alpha > 0 or any(site.active for site in self.method.sites)

    def drops(self, batch: Batch, step: int, pass_index: int) -> Drops | None:
        """The masks of one pass; None where nothing is dropped."""
        if not self.drops_anything:
            return None
        places = batch.places if self.arm.task == "causal_lm" else None
        return Drops(self.method, Draw(self.seed, step, pass_index), batch.packed.layout, places)

    def outputs(self, batch: Batch, drops: Drops | None) -> tuple[Tensor, Tensor]:
        """Features [U, E] and logits [U, C] of one pass."""
        features = self.host.features(batch, self.adapters, drops)
        return features, self.host.logits(features, self.head, drops)

    def train_step(self, batch: Batch) -> float:
        """Take one optimizer step on `batch` and return its loss with dropout on."""
        step = self.progress.step
        self.parameters.zero_grad()
        loss = self.loss(batch, step)
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it without types
        self.optimizer.update(self.parameters.collect(), step)
        self.parameters.refresh()
        self.progress.step += 1
        self.progress.tokens += batch.tokens
        self.progress.flops += step_flops(self, batch)
        return float(loss.detach())

    def loss(self, batch: Batch, step: int) -> Tensor:
        """The loss of step number `step` (from 0) with its graph: task and consistency, dropout on."""
        tie = self.method.consistency
        features, logits = self.outputs(batch, self.drops(batch, step, 0))
        if tie.kind == "none":
            return total_loss(self.arm.task, batch.labels, tie, logits, None)
        kind = CONSISTENCY[tie.kind]
        drops = None if kind.second_clean else self.drops(batch, step, 1)
        with torch.set_grad_enabled(not kind.second_detached):
            other_features, other_logits = self.outputs(batch, drops)
        passes = TwoPasses(logits, other_logits, features, other_features)
        return total_loss(self.arm.task, batch.labels, tie, logits, passes)

    def state(self) -> dict[str, Tensor]:
        """All that a checkpoint needs beside the progress."""
        return {
            "values": self.parameters.values.clone(),
            "mean": self.optimizer.mean.clone(),
            "square": self.optimizer.square.clone(),
        }

    def restore(self, progress: Progress, tensors: dict[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        self.parameters.load(tensors["values"])
        self.optimizer.mean.copy_(tensors["mean"])
        self.optimizer.square.copy_(tensors["square"])
        self.progress = progress

    def exported(self) -> dict[str, Tensor]:
        """The trained tensors under the names of PEFT's file."""
        return {f"base_model.model.{name}": tensor for name, tensor in self.parameters.tensors().items()}
