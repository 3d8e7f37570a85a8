"""Which of the adapters that a run keeps is meant: that of its last step, or that of its best evaluation."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

Clock = Literal["last", "stopped"]


def pick(artifacts: Sequence[Mapping[str, Any]], run_id: str, clock: Clock | None = None) -> str:
    """Id of the adapter of a clock among a run's artifacts; by default that of the last step, else the one there is.

    Raises LookupError where there is none of it.
    """
    adapters = [one for one in artifacts if one["clocks"]]
    if not adapters:
        raise LookupError(f"the run {run_id} has left no adapter; only a run that has succeeded does")
    wanted = [one for one in adapters if (clock or "last") in one["clocks"]]
    if not wanted and clock is not None:
        kept = " and ".join(f"{one['clocks'][0]} (step {one['step']})" for one in adapters)
        raise LookupError(f"the run {run_id} keeps no adapter of the clock {clock}; it keeps {kept}")
    return str((wanted or adapters)[-1]["id"])
