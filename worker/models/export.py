"""A trained adapter as a folder that stock PEFT loads.

Source of the format: PEFT 0.21, `docs/source/developer_guides/checkpoint.md`. The configuration is PEFT's own, imported
where it is needed: its import takes seconds; a trainer does it before it says that it is ready.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from safetensors.torch import save
from torch import Tensor, nn

from backend.shared.catalogue.families import matches
from backend.shared.files import write_atomically
from backend.shared.specs import ArmKeySpec
from worker.models.base import Base, save_tokenizer
from worker.models.targets import head_modules, target_linears

PREFIX = "base_model.model."
WEIGHTS = "adapter_model.safetensors"
_TASK_TYPES = {"classification": "SEQ_CLS", "regression": "SEQ_CLS", "causal_lm": "CAUSAL_LM"}


def adapter_config(base: Base, arm: ArmKeySpec) -> dict[str, Any]:
    """The content of `adapter_config.json`."""
    from peft import LoraConfig

    targets = target_linears(base, arm.target_modules)
    config = LoraConfig(
        task_type=_TASK_TYPES[base.task],
        base_model_name_or_path=base.facts.hub_id or base.facts.id,
        inference_mode=True,
        r=arm.rank,
        lora_alpha=int(arm.alpha) if float(arm.alpha).is_integer() else arm.alpha,
        lora_dropout=0.0,  # dropout belongs to training; the adapter is what was left
        fan_in_fan_out=not isinstance(targets[0][1], nn.Linear),  # GPT-2's Conv1D keeps its weight transposed
        target_modules=_target_names(base, arm, [name for name, _ in targets]),
        modules_to_save=list(head_modules(base)) or None,
    )
    content: dict[str, Any] = config.to_dict()
    return {key: sorted(value) if isinstance(value, set) else value for key, value in content.items()}


def _target_names(base: Base, arm: ArmKeySpec, found: list[str]) -> list[str]:
    """The study's own short names where they name these modules and no others, else the full names."""
    heads = head_modules(base)
    named = [
        name
        for name, module in base.model.named_modules()
        if any(matches(name, target) for target in arm.target_modules)
        and not any(name == head or name.startswith(head + ".") for head in heads)
        and next(module.parameters(), None) is not None
    ]
    return list(arm.target_modules) if named == found else found


def export_adapter(folder: Path, base: Base, arm: ArmKeySpec, tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Write an adapter in PEFT's format, with its tokenizer, and return the SHA-256 of each file.

    `tensors` maps names as in the model (`...query.lora_A.weight` [r, in], `...query.lora_B.weight` [out, r],
    `classifier.weight`) to their values. The same tensors give the same bytes.

    Raises:
        ValueError: a tensor is missing or there is one too many.
    """
    named = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}
    adapters = {
        f"{name}.lora_{side}.weight" for name, _ in target_linears(base, arm.target_modules) for side in ("A", "B")
    }
    odd = set(named) ^ (adapters | set(base.head))
    if odd:
        raise ValueError(f"an adapter's tensors do not fit its model: {', '.join(sorted(odd)[:5])}")
    files = {
        "adapter_config.json": json.dumps(adapter_config(base, arm), indent=2, sort_keys=True).encode(),
        WEIGHTS: _packed(named),
    }
    with TemporaryDirectory() as made:
        save_tokenizer(base.tokenizer, Path(made))
        files |= {path.name: path.read_bytes() for path in sorted(Path(made).iterdir()) if path.is_file()}
    for name, content in files.items():
        write_atomically(folder / name, content)
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def export_beside(folder: Path, other: Path, files: Mapping[str, str], tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Write other values of an adapter that lies in `other`, with these files; what they share is not written twice."""
    content = _packed({name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()})
    write_atomically(folder / WEIGHTS, content)
    for name in files.keys() - {WEIGHTS}:
        (folder / name).unlink(missing_ok=True)
        try:
            os.link(other / name, folder / name)
        except OSError:  # a file system without hard links
            shutil.copyfile(other / name, folder / name)
    return {**files, WEIGHTS: hashlib.sha256(content).hexdigest()}


def _packed(named: Mapping[str, Tensor]) -> bytes:
    """Tensors by name as the content of the file that PEFT reads."""
    weights = {PREFIX + name: tensor.detach().cpu().contiguous() for name, tensor in named.items()}
    content: bytes = save(weights, metadata={"format": "pt"})
    return content
