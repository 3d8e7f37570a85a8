"""Refusals of a model's JSON files: nothing in a folder may make a loader run code, and the family must be known.

Source of the keys: CVE-2026-4372 and CVE-2026-5241 (attention settings and nested configs that ran code), and
transformers' `auto_map`.
"""

import json
from pathlib import Path
from typing import Any

from backend.shared.catalogue.families import FAMILIES, REFUSED
from backend.shared.errors import InvalidInput

MAX_CONFIG_BYTES = 1 << 20
MAX_DEPTH = 64
_CODE_KEYS = ("auto_map", "trust_remote_code", "custom_pipelines", "custom_generate")
CHECKED_FILES = ("config.json", "tokenizer_config.json", "generation_config.json", "processor_config.json")


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object from a small file.

    Raises:
        InvalidInput: too large, not UTF-8, not JSON, or not an object.
    """
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise InvalidInput(f"{path.name} is larger than 1 MiB; a model's settings are never that long.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path.name} is not valid JSON ({error}).") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"{path.name} must hold a JSON object.")
    return found


def refuse_code(config: Any, file: str, where: str = "", depth: int = 0) -> None:
    """Refuse any key, at any depth, that asks a loader to run code from the folder.

    Raises:
        InvalidInput: naming the key and the file.
    """
    if depth > MAX_DEPTH:
        raise InvalidInput(f"{file} is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(config, dict):
        for key, value in config.items():
            if key in _CODE_KEYS or key.startswith("_attn_implementation"):
                raise InvalidInput(
                    f"{file} sets `{where}{key}`, which can make a loader run code from the model's folder. "
                    "Only models whose code is part of transformers are accepted; remove the key if you trust the rest."
                )
            refuse_code(value, file, f"{where}{key}.", depth + 1)
    elif isinstance(config, list):
        for item in config:
            refuse_code(item, file, where, depth + 1)


def check_family(config: dict[str, Any]) -> str:
    """The `model_type`, if it can be trained here.

    Raises:
        InvalidInput: not a supported family, or quantised weights; the sentence says why.
    """
    family = config.get("model_type")
    if not isinstance(family, str):
        raise InvalidInput("config.json has no `model_type`; it is not a transformers model.")
    if family in REFUSED:
        raise InvalidInput(f"Models of the family {family} cannot be trained here: it {REFUSED[family]}.")
    if family not in FAMILIES:
        raise InvalidInput(f"The model family {family} is not supported. Supported: {', '.join(sorted(FAMILIES))}.")
    if config.get("quantization_config") is not None:
        raise InvalidInput("The model's weights are quantised; take the checkpoint in bf16, fp16 or fp32.")
    return family
