"""A slot in the pack with its data and its voice."""

from collections.abc import Callable
from dataclasses import dataclass, field

from backend.shared.schedule import evaluation_steps
from backend.shared.specs import Clock
from backend.shared.trainer_protocol import Examples
from worker.engine import ledger
from worker.engine.checkpoint import write_checkpoint
from worker.engine.losses import Tally
from worker.engine.reporter import Reporter
from worker.engine.seed_batches import SeedBatches
from worker.engine.slot import Slot
from worker.engine.text_scores import Answer

Ended = tuple[dict[str, float], Examples]  # final values, and the examples that are shown
AtEnd = Callable[["Place"], dict[str, float]]  # what is measured once beside the test rows, with the last evaluation


@dataclass
class Place:
    """A slot in the pack with its data and its voice."""

    slot: Slot
    data: SeedBatches
    reporter: Reporter
    evaluate_at: frozenset[int]
    at_end: AtEnd
    saved: int = -1  # step of the last checkpoint
    answers: list[Answer] = field(default_factory=list)  # filled with the last evaluation
    validation: Tally | None = None  # what the last evaluation counted of the validation set

    @classmethod
    def of(cls, slot: Slot, data: SeedBatches, reporter: Reporter, at_end: AtEnd = lambda place: {}) -> "Place":
        """A place at the step where its slot stands."""
        steps = evaluation_steps(slot.steps, slot.arm.training.evaluations)
        return cls(slot, data, reporter, steps, at_end, saved=slot.progress.step)

    @property
    def step(self) -> int:
        """Steps taken so far."""
        return self.slot.progress.step

    @property
    def over(self) -> bool:
        """Whether the run takes no further step: it stands at its last one, or was stopped early."""
        return self.step >= self.slot.steps or self.slot.progress.early

    def record(self, clock: Clock, split: str, tally: Tally) -> None:
        """Put what was judged of a split's rows into the run's ledger."""
        self.slot.ledger |= ledger.rows(clock, split, self.slot.arm.task, self.slot.host.head.outputs, tally)

    def save(self) -> None:
        """Checkpoint what the slot holds."""
        slot = self.slot
        folder = write_checkpoint(slot.folder, slot.progress, slot.arm.key(), slot.seed, slot.state())
        self.saved = self.step
        self.reporter.checkpoint(self.step, folder)
