"""The tensors of an added adapter that a run starts from, under the names of this run's own parameters."""

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from backend.shared.catalogue.adapters import adapter_weights, content_hash, find_adapter
from backend.shared.catalogue.inspect_adapter import PREFIX
from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from backend.shared.specs import ArmKeySpec
from worker.models.base import Base
from worker.models.targets import target_linears


@dataclass(frozen=True)
class Start:
    """Values by parameter name, and a sentence about them for the run's log."""

    tensors: dict[str, Tensor]
    note: str


def starting_tensors(base: Base, arm: ArmKeySpec, home: Path) -> Start | None:
    """What the arm's adapter holds for its runs; None where they start afresh.

    The matrices [r, in] and [out, r] of every target are taken. A head is taken where all of it is there in the shape
    of this task; else it starts anew, and the note says so.

    Raises:
        TrainingError: the adapter is not on this machine, has other content than the study was made with, or does not
            sit on the very modules that the study trains.
    """
    if arm.start_from is None:
        return None
    facts, file = find_adapter(home, arm.start_from.id), adapter_weights(home, arm.start_from.id)
    if facts is None or not file.is_file():
        raise _bad(
            f"The adapter {arm.start_from.id} is not on this machine any more; add it again and make a new study."
        )
    if content_hash(facts.rank, facts.alpha, file) != arm.start_from.content_hash:
        raise _bad(f"The adapter {facts.id} has other content than the study was made with; make a new study.")
    stored = {name.removeprefix(PREFIX): tensor for name, tensor in load_file(file).items()}
    found: dict[str, Tensor] = {}
    for name, _ in target_linears(base, arm.target_modules):
        for side in ("A", "B"):
            leaf = f".lora_{side}.weight"
            tensor = stored.pop(name + leaf, stored.pop(name.partition(".")[2] + leaf, None))
            if tensor is None:
                raise _bad(f"The adapter {facts.id} has nothing for {name}, which this study trains.")
            found[name + leaf] = tensor
    left = [name for name in stored if ".lora_" in name]
    if left:
        raise _bad(
            f"The adapter {facts.id} sits on {left[0].rpartition('.lora_')[0]}, too, which this study does not train."
        )
    why_not = _why_not(base, stored)
    head = {} if why_not else {name: stored[name] for name in base.head}
    if not base.head:
        note = f"The run starts from the adapter {facts.id}."
    elif why_not:
        note = f"The run starts from the adapter {facts.id}; {why_not}, so the head starts anew."
    else:
        note = f"The run starts from the adapter {facts.id} and its head."
    return Start({**found, **head}, note)


def _why_not(base: Base, stored: dict[str, Tensor]) -> str:
    """Why the head of an adapter cannot be taken; nothing where it can."""
    wanted = {name: tuple(base.model.get_parameter(name).shape) for name in base.head}
    missing = sorted(set(wanted) - set(stored))
    if not stored and wanted:
        return "it holds no head"
    if missing:
        there = ", ".join(sorted(stored)[:3])
        return f"its head ({there[:150]}) has no {missing[0]}, which this model's head has"
    for name, shape in wanted.items():
        if tuple(stored[name].shape) != shape:
            of = " by ".join(map(str, stored[name].shape))
            return f"its head's {name} is {of}, and this task's is {' by '.join(map(str, shape))}"
    return ""


def _bad(sentence: str) -> TrainingError:
    return TrainingError(FailureCode.BAD_INPUT, sentence)
