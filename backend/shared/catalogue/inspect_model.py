"""What a model folder holds, told from its config and weight headers alone; refuses what must not or cannot be used."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.shared.catalogue.config_checks import check_family, check_folder, read_config
from backend.shared.catalogue.config_values import HEADS, LAYERS, WIDTH, check_values, check_weights, first
from backend.shared.catalogue.families import FAMILIES, linear_modules
from backend.shared.catalogue.gguf_header import GgufHeader, read_gguf
from backend.shared.catalogue.revision import revision_of
from backend.shared.catalogue.safetensors_header import TensorInfo, read_header
from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")
# llama.cpp's names for the linear maps of a Llama layer, and transformers'.
_GGUF_LLAMA = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


@dataclass(frozen=True)
class Naming:
    """How the catalogue calls a model, beside what its files say."""

    id: str
    title: str
    builtin: bool
    source: str
    licence: str
    hub_id: str | None = None


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a folder: all shards of the index where there is one, else model.safetensors.

    Raises:
        InvalidInput: no safetensors weights, a shard missing, or an index that points outside the folder.
    """
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = read_config(index).get("weight_map")
        names = sorted({str(name) for name in shards.values()}) if isinstance(shards, dict) else []
        for name in names:
            if Path(name).name != name or not name.endswith(".safetensors"):
                raise InvalidInput(f"{index.name} names the file {name!r}, which is not a safetensors file beside it.")
            if not (folder / name).is_file():
                raise InvalidInput(f"The weight file {name} that {index.name} names is missing.")
        if names:
            return [folder / name for name in names]
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    if any(file for pattern in _PICKLED for file in folder.glob(pattern)):
        raise InvalidInput(
            "The folder holds its weights as pickled files, which can run code when they are loaded. "
            "Save the model as safetensors (`save_pretrained`) and register that folder."
        )
    raise InvalidInput("The folder holds no model.safetensors.")


def _context_length(config: dict[str, Any], family: str) -> int:
    positions = first(config, ("max_position_embeddings", "n_positions", "n_ctx"))
    if not FAMILIES[family].positions_offset:
        return positions
    padding = config.get("pad_token_id", 1)
    return positions - (padding if isinstance(padding, int) else 1) - 1


def inspect_folder(folder: Path, naming: Naming, cache: Path) -> ModelFacts:
    """Check a folder of a transformers model and describe it.

    Raises:
        InvalidInput: what is wrong with it and what to do.
    """
    if not folder.is_dir():
        raise InvalidInput("There is no such folder.")
    if not (folder / "config.json").is_file():
        raise InvalidInput("The folder has no config.json; give the folder that `save_pretrained` wrote.")
    config = check_folder(folder)
    family = check_family(config)
    check_values(config)
    weights = weight_files(folder)
    if not (folder / "tokenizer.json").is_file():
        raise InvalidInput(
            "The folder has no tokenizer.json; write it there with "
            "`AutoTokenizer.from_pretrained(...).save_pretrained(folder)`."
        )
    tensors = [tensor for file in weights for tensor in read_header(file)]
    check_weights(config, tensors)
    modules = linear_modules((tensor.name, len(tensor.shape)) for tensor in tensors)
    if not modules:
        raise InvalidInput("The weights hold no layer that an adapter could sit on.")
    return ModelFacts(
        **vars(naming),
        family=family,
        revision=revision_of(folder, cache),
        layers=first(config, LAYERS),
        hidden_size=first(config, WIDTH),
        heads=first(config, HEADS),
        vocab_size=first(config, ("vocab_size",)),
        context_length=_context_length(config, family),
        parameters=sum(tensor.size for tensor in tensors),
        bytes=sum(file.stat().st_size for file in weights),
        linear_modules=modules,
        default_target_modules=FAMILIES[family].target_modules,
        tasks=FAMILIES[family].tasks,
    )


def inspect_gguf(file: Path, naming: Naming, cache: Path) -> ModelFacts:
    """Describe a Llama model in one GGUF file, in a folder of its own.

    Raises:
        InvalidInput: not GGUF, or of another architecture.
    """
    header = read_gguf(file)
    if header.settings.get("general.architecture") != "llama":
        raise InvalidInput(f"{file.name} is not a model of the Llama architecture.")
    return ModelFacts(
        **vars(naming),
        family="llama",
        revision=revision_of(file.parent, cache),
        layers=_setting(header, "block_count"),
        hidden_size=_setting(header, "embedding_length"),
        heads=_setting(header, "attention.head_count"),
        vocab_size=_setting(header, "vocab_size"),
        context_length=_setting(header, "context_length"),
        parameters=sum(tensor.size for tensor in header.tensors),
        bytes=file.stat().st_size,
        linear_modules=tuple(name for tensor in header.tensors if (name := _llama_module(tensor))),
        default_target_modules=FAMILIES["llama"].target_modules,
        tasks=FAMILIES["llama"].tasks,
    )


def linear_shapes(location: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the two-dimensional weights of a model folder or GGUF file, by the module's name in the catalogue."""
    if location.is_file():
        return {name: tensor.shape for tensor in read_gguf(location).tensors if (name := _llama_module(tensor))}
    tensors = (tensor for file in weight_files(location) for tensor in read_header(file))
    return {tensor.name.removesuffix(".weight"): tensor.shape for tensor in tensors if len(tensor.shape) == 2}


def _setting(header: GgufHeader, key: str) -> int:
    value = header.settings.get(f"llama.{key}")
    if not isinstance(value, int):
        raise InvalidInput(f"The GGUF file has no setting llama.{key}.")
    return value


def _llama_module(tensor: TensorInfo) -> str | None:
    found = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", tensor.name)
    if found is None or found[2] not in _GGUF_LLAMA:
        return None
    return f"model.layers.{found[1]}.{_GGUF_LLAMA[found[2]]}"
