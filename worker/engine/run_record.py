"""What a run's record says: which places were hooked in how many layers, and what the numbers depend on."""

import torch
import transformers
from transformer_dropout import __version__ as library_version

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
    """Sites × layers of a run; raises TrainingError where an active site reaches nothing."""
    hooked = slot.host.hooked
    if slot.method.native and hooked.native_elsewhere:
        raise TrainingError(
            FailureCode.BAD_INPUT,
            f"Native dropout of this model cannot be kept on: {hooked.native_elsewhere[0]} is applied by a function, "
            "not by a module. Leave native dropout out for this model.",
        )
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
