"""What a run's record says: which places were hooked in how many layers, and what the numbers depend on."""

from typing import Literal

import torch
import transformers
from transformer_dropout import __version__ as library_version
from transformer_dropout.spec import CONSISTENCY

from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from worker.engine.pass_state import ADAPTER
from worker.engine.precision import processor
from worker.engine.slot import Slot

STREAMS = {
    "philox": "philox4x64 (numpy), 16-bit thresholds",
    "counter": "triple32 counter (on the device), 16-bit thresholds",
}


def hook_report(slot: Slot) -> tuple[dict[str, object], ...]:
    """Sites × layers of a run; raises TrainingError where an active site, or the whole method, reaches nothing."""
    hooked = slot.host.hooked
    if slot.method.native and hooked.native_elsewhere:
        raise TrainingError(
            FailureCode.BAD_INPUT,
            f"Native dropout of this model cannot be kept on: {hooked.native_elsewhere[0]} is applied by a function, "
            "not by a module. Leave native dropout out for this model.",
        )
    _check_effect(slot)
    found: list[dict[str, object]] = [{"position": "adapter", "modules": len(slot.host.targets)}]
    for site in slot.method.sites:
        if not site.active:
            continue
        layers = [layer for layer in site.layers or () if isinstance(layer, int) and site.rate_at(layer) > 0]
        modules = len(layers)
        if site.position in ADAPTER:
            modules = sum(target.layer in layers for target in slot.host.targets)
        if modules == 0:
            raise TrainingError(
                FailureCode.BAD_INPUT,
                f"The site {site.position} by {site.structure} reaches no module of this model; "
                "change its layers, its rates or the target modules.",
            )
        found.append({"position": site.position, "structure": site.structure, "layers": layers, "modules": modules})
    if slot.method.native:
        found.append({"position": "native", "modules": hooked.native_dropouts})
    return tuple(found)


def idle_notes(slot: Slot) -> list[tuple[Literal["info", "warning"], str]]:
    """What a method asks for that changes nothing, though something else may."""
    method, notes = slot.method, list[tuple[Literal["info", "warning"], str]]()
    if method.native and slot.host.hooked.native_dropouts == 0:
        words = "The base model's own configuration turns no dropout on: native dropout changes nothing."
        notes.append(("warning", words))
    if method.sites and not slot.drops_anything:
        notes.append(("warning", "Every rate of this arm is 0: nothing is dropped, and it trains as plain LoRA does."))
    tie = method.consistency
    if tie.kind != "none" and tie.weight == 0 and CONSISTENCY[tie.kind].task_on_both == "first":
        words = "The consistency loss weighs 0: its second pass costs time and changes nothing."
        notes.append(("warning", words))
    return notes


def _check_effect(slot: Slot) -> None:
    """Refuse a method that would train plain LoRA under another name."""
    method, native = slot.method, slot.host.hooked.native_dropouts
    if slot.drops_anything:
        return
    if method.native and native == 0:
        equal = " and the two passes of the consistency loss are equal" if method.consistency.kind != "none" else ""
        raise TrainingError(
            FailureCode.BAD_INPUT,
            "The base model has no dropout of its own (every rate of its configuration is 0), so native dropout drops "
            f"nothing{equal}. Give the arm sites, or leave it out for this model.",
        )
    if method.consistency.kind != "none":
        raise TrainingError(
            FailureCode.BAD_INPUT,
            "Every rate of this arm is 0, so the two passes of its consistency loss are equal and the loss is exactly "
            "0. Take a rate above 0, or leave the consistency loss out.",
        )


def report_device(device: torch.device) -> dict[str, object]:
    """What the numbers were computed on."""
    if device.type != "cuda":
        return {"device": str(device), "device_name": processor()}
    about = torch.cuda.get_device_properties(device)
    return {
        "device": str(device),
        "device_name": about.name,
        "device_memory": about.total_memory,
        "device_capability": f"{about.major}.{about.minor}",
        "cuda": torch.version.cuda,
    }


def run_record(slot: Slot, stack: object = 1, stream: str = "philox") -> dict[str, object]:
    """The resolved set-up of a run. stack: the shape of the stack it is in, 1 where slots are looped over."""
    host = slot.host
    return {
        "precision": "fp32" if host.dtype == torch.float32 else "bf16",
        **report_device(host.device),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "mask_stream": STREAMS[stream],
        "stack": stack,
        "method": slot.method.to_dict(),
        "targets": [target.name for target in host.targets],
        "head": list(host.head_names),
        "outputs": host.head.outputs,
        "versions": {
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "transformer_dropout": library_version,
        },
    }
