"""GGUF weights to a safetensors folder, once per revision, in the cache."""

import shutil
from pathlib import Path

from safetensors.torch import save_file
from torch import float32
from transformers import AutoModelForCausalLM, AutoTokenizer

from backend.shared.files import is_sound, locked, new_folder, seal_folder


def converted(file: Path, model_id: str, revision: str, home: Path) -> Path:
    """The folder that stands for a GGUF file: its weights in fp32, its config and its tokenizer.

    The first call takes some 20 s for 135 million parameters, and 1.5 GB of memory. What was converted is hashed each
    time that a trainer loads it (half a second for as many), and made anew where it was harmed.
    """
    folder = home / "cache" / "models" / f"{model_id}-{revision}"
    with locked(folder.with_suffix(".lock")):
        if not is_sound(folder):
            shutil.rmtree(folder, ignore_errors=True)
            with new_folder(folder) as building:
                _convert(file, building)
                seal_folder(building)
    return folder


def _convert(file: Path, folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, local_files_only=True)
    tokenizer.save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, local_files_only=True, dtype=float32)
    tied = set(model.all_tied_weights_keys)  # written once, under the name that the others point to
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name not in tied}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = model.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config  # the weights are plain now
    config.save_pretrained(folder)
