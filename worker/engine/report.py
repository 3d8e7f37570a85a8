"""What a run's record says: which places were hooked in how many layers, and what the numbers depend on."""

import torch
import transformers
from transformer_dropout import __version__ as library_version

from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from worker.engine.drops import ADAPTER
from worker.engine.precision import processor
from worker.engine.slot import Slot

STREAM = "philox4x64 (numpy), 16-bit thresholds"


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


def run_record(slot: Slot) -> dict[str, object]:
    """The resolved set-up of a run."""
    host = slot.host
    return {
        "precision": "fp32" if host.dtype == torch.float32 else "bf16",
        "device": str(host.device),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "mask_stream": STREAM,
        "stack": 1,
        "method": slot.method.to_dict(),
        "targets": [target.name for target in host.targets],
        "head": list(host.head_names),
        "versions": {
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "transformer_dropout": library_version,
        },
    }
