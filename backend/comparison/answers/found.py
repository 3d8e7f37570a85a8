"""What was found before it is told: a headline, why, and which arm at which clock is advised."""

from dataclasses import dataclass, field

from backend.comparison import schema

from .card import State


@dataclass(frozen=True)
class Found:
    """What to do. why: the numbers it rests on.  arm: the one advised, at `clock`; None where nothing can be advised.

    step: near which it is stopped.  to_the_end: who to use where one must train to the end.  decides: the arm whose
    difference is still open.
    """

    headline: str
    why: str
    state: State
    arm: schema.ArmComparison | None = None
    clock: schema.Clock = "last"
    step: float | None = None
    to_the_end: list[schema.ArmComparison] = field(default_factory=list)
    decides: schema.ArmComparison | None = None
