"""A run in training: what it trains and how far it is. How it takes a step is said by each form."""

from pathlib import Path

from torch import Tensor
from transformer_dropout.spec import DropoutSpec

from backend.shared.schedule import Schedule
from backend.shared.specs import ArmKeySpec
from backend.shared.trainer_protocol import PackedRun
from worker.engine.batches import Batch
from worker.engine.checkpoint import Progress
from worker.engine.flops import step_flops
from worker.engine.hooked_base import HookedBase
from worker.engine.optimizer import AdamW
from worker.engine.parameters import Parameters

_LEDGER = "ledger."


class Slot:
    """State of one run. Two slots share nothing but the frozen base, so neither can disturb the other."""

    def __init__(self, run: PackedRun, host: HookedBase, layers: int, steps: int) -> None:
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
            Schedule.of(training, steps),
        )
        self.adapters = host.adapters(self.parameters, self.scaling)
        self.head = {name: self.parameters.leaf(name) for name in host.head_names}
        self.sizes = host.sizes(self.arm.rank, self.method.consistency.kind)
        self.progress = Progress()
        self.kept: Tensor | None = None  # the values [n] of the best evaluation so far
        self.ledger: dict[str, Tensor] = {}  # what was said of held-out rows, by the names of `worker.engine.ledger`
        self.folder = Path(run.folder)

    @property
    def drops_anything(self) -> bool:
        """Whether an output with dropout on can differ from one with dropout off."""
        native = self.method.native and self.host.hooked.native_dropouts > 0
        return native or self.method.noise_alpha > 0 or any(site.active for site in self.method.sites)

    def count(self, batch: Batch) -> None:
        """Count an optimizer step that was taken on `batch`."""
        self.progress.step += 1
        self.progress.tokens += batch.tokens
        self.progress.flops += step_flops(self.sizes, batch)

    def state(self) -> dict[str, Tensor]:
        """All that a checkpoint needs beside the progress."""
        found = {
            "values": self.parameters.values.clone(),
            "mean": self.optimizer.mean.clone(),
            "square": self.optimizer.square.clone(),
        }
        if self.kept_elsewhere is not None:
            found["kept"] = self.kept_elsewhere
        return found | {f"{_LEDGER}{name}": rows for name, rows in self.ledger.items()}

    @property
    def kept_elsewhere(self) -> Tensor | None:
        """The values of the best evaluation, unless the slot stands there."""
        return None if self.progress.best_step == self.progress.step else self.kept

    def restore(self, progress: Progress, tensors: dict[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        self.parameters.load(tensors["values"])
        self.optimizer.mean.copy_(tensors["mean"])
        self.optimizer.square.copy_(tensors["square"])
        self.progress = progress
        if progress.best_step >= 0:
            self.ledger = {n.removeprefix(_LEDGER): rows for n, rows in tensors.items() if n.startswith(_LEDGER)}
            self.kept = tensors["kept"] if progress.best_step < progress.step else tensors["values"].clone()

    def exported(self, values: Tensor | None = None) -> dict[str, Tensor]:
        """The trained tensors under the names of PEFT's file. values [n]: others than the present ones."""
        return {f"base_model.model.{name}": tensor for name, tensor in self.parameters.tensors(values).items()}
