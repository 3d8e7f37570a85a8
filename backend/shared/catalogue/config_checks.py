"""Refusals of a model's JSON files: nothing in a folder may make a loader run code, and the family must be known.

Source of the keys: CVE-2026-4372 and CVE-2026-5241 (attention settings and nested configs that ran code), and
transformers' `auto_map`. A model of a known family that brings code beside it (`auto_map`, as Phi-3 is shipped) is read
by transformers' own class: its loader is not shown the key.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.shared.catalogue.families import FAMILIES, REFUSED
from backend.shared.errors import InvalidInput

MAX_CONFIG_BYTES = 4 << 20
MAX_LISTED_BYTES = 64 << 20  # files that list tokens or tensors: ten thousands of either are no fault
MAX_DEPTH = 64
MAX_DIGITS = 40  # a tokenizer without a largest length says 10^30
_LISTS = ("tokenizer_config.json", "tokenizer.json", "added_tokens.json", "special_tokens_map.json")
_CODE_KEYS = ("trust_remote_code", "custom_pipelines", "custom_generate", "kernel_config", "use_kernels")
_KERNEL_KEYS = ("attn_implementation", "experts_implementation")
_KERNELS = ("", "eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention", "grouped_mm", "batched_mm")
CHECKED_FILES = ("config.json", "tokenizer_config.json", "generation_config.json", "processor_config.json")


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object from a file of bounded size, in which every number is one that a person may have meant.

    Raises:
        InvalidInput: too large, not UTF-8, not JSON, or not an object.
    """
    most = MAX_LISTED_BYTES if path.name in _LISTS or path.name.endswith(".index.json") else MAX_CONFIG_BYTES
    if path.stat().st_size > most:
        raise InvalidInput(
            f"{path.name} is larger than {most >> 20} MiB, the most that Dropscope reads of such a file."
        )
    try:
        found = json.loads(
            path.read_text(encoding="utf-8"), parse_int=_whole, parse_float=_finite, parse_constant=_finite
        )
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path.name} is not valid JSON ({error}).") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"{path.name} must hold a JSON object.")
    return found


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text):,} digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is not a number that can be computed with")
    return value


def refuse_code(config: Any, file: str, where: str = "", depth: int = 0, ignored: Sequence[str] = ()) -> None:
    """Refuse any key, at any depth, that asks a loader to run code from the folder or from elsewhere.

    `ignored` are such keys that the loader is not shown. A kernel that is part of transformers may be named: it is not
    shown either.

    Raises:
        InvalidInput: naming the key and the file.
    """
    if depth > MAX_DEPTH:
        raise InvalidInput(f"{file} is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(config, dict):
        for key, value in config.items():
            if _asks_for_code(key, value) and key not in ignored:
                raise InvalidInput(
                    f"{file} sets `{where}{key}`, which can make a loader run code from the model's folder. "
                    "Only models whose code is part of transformers are accepted; remove the key if you trust the rest."
                )
            if key == "quantization_config" and value is not None:
                raise InvalidInput("The model's weights are quantised; take the checkpoint in bf16, fp16 or fp32.")
            refuse_code(value, file, f"{where}{key}.", depth + 1, ignored)
    elif isinstance(config, list):
        for item in config:
            refuse_code(item, file, where, depth + 1, ignored)


def _asks_for_code(key: str, value: Any) -> bool:
    if key == "auto_map":
        return True
    if key in _CODE_KEYS:
        return value not in (None, False)
    if key.strip("_") == "attn_implementation_autoset":
        return not isinstance(value, bool)
    if key.strip("_").startswith(_KERNEL_KEYS):
        return not (value is None or (isinstance(value, str) and value in _KERNELS))
    return False


def check_folder(folder: Path) -> dict[str, Any]:
    """The content of `config.json`, once nothing in the folder's settings asks for code that is not transformers' own.

    Raises:
        InvalidInput: naming the key and the file, or a file that is not sound.
    """
    for name in CHECKED_FILES:
        if (folder / name).is_file():
            refuse_code(read_config(folder / name), name, ignored=("auto_map",))
    largest = folder / "tokenizer.json"
    if largest.is_file() and largest.stat().st_size > MAX_LISTED_BYTES:
        raise InvalidInput(
            f"tokenizer.json is larger than {MAX_LISTED_BYTES >> 20} MiB, the most that Dropscope reads."
        )
    return read_config(folder / "config.json")


def check_family(config: dict[str, Any]) -> str:
    """The `model_type`, if it can be trained here.

    Raises:
        InvalidInput: not a supported family; the sentence says why.
    """
    family = config.get("model_type")
    if not isinstance(family, str):
        raise InvalidInput("config.json has no `model_type`; it is not a transformers model.")
    if family in REFUSED:
        raise InvalidInput(f"Models of the family {family} cannot be trained here: it {REFUSED[family]}.")
    if family not in FAMILIES:
        raise InvalidInput(f"The model family {family} is not supported. Supported: {', '.join(sorted(FAMILIES))}.")
    return family
