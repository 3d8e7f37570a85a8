"""The shape of a stack: what decides which kernels run, and so the last bits of every number."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from transformer_dropout.spec import CONSISTENCY

from worker.engine.slot import Slot


@dataclass(frozen=True)
class StackShape:
    """Lanes of a step: `slots` that train, of rank up to `rank`, and second passes of a consistency loss.

    detached: second passes without gradient (forward only); paired: second passes that are trained as well.
    """

    slots: int
    rank: int
    detached: int = 0
    paired: int = 0

    @classmethod
    def of(cls, slots: Sequence[Slot]) -> "StackShape":
        """The smallest shape that these slots fit into."""
        ties = [second_pass(slot) for slot in slots]
        return cls(len(slots), max(slot.arm.rank for slot in slots), ties.count("detached"), ties.count("paired"))

    def fits(self, other: "StackShape") -> bool:
        """Whether slots of the smallest shape `other` have room in this one."""
        return all(own >= wanted for own, wanted in zip(self.record().values(), other.record().values(), strict=True))

    def record(self) -> dict[str, int]:
        """As the run's record and its checkpoints hold it."""
        return asdict(self)


def second_pass(slot: Slot) -> str:
    """Whether a slot's step has a second pass: 'detached', 'paired' or 'none'."""
    kind = CONSISTENCY[slot.method.consistency.kind]
    if kind.passes == 1:
        return "none"
    return "detached" if kind.second_detached else "paired"
