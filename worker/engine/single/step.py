"""One optimizer step of a slot by itself."""

import torch
from torch import Tensor
from transformer_dropout.masks import Draw
from transformer_dropout.spec import CONSISTENCY

from worker.engine.batches import Batch
from worker.engine.losses import TwoPasses, total_loss
from worker.engine.single.drops import Drops
from worker.engine.single.passes import Host
from worker.engine.slot import Slot


class SingleSlot(Slot):
    """A slot that takes its own steps, made with a `Host`."""

    host: Host

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
        self.count(batch)
        return float(loss.detach())

    def loss(self, batch: Batch, step: int) -> Tensor:
        """The loss of step number `step` (from 0) with its graph: task and consistency, dropout on."""
        tie, smoothing = self.method.consistency, self.arm.training.label_smoothing
        features, logits = self.outputs(batch, self.drops(batch, step, 0))
        if tie.kind == "none":
            return total_loss(self.arm.task, batch.labels, tie, logits, None, smoothing)
        kind = CONSISTENCY[tie.kind]
        drops = None if kind.second_clean else self.drops(batch, step, 1)
        with torch.set_grad_enabled(not kind.second_detached):
            other_features, other_logits = self.outputs(batch, drops)
        passes = TwoPasses(logits, other_logits, features, other_features)
        return total_loss(self.arm.task, batch.labels, tie, logits, passes, smoothing)
