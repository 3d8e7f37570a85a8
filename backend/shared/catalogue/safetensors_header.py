"""The header of a safetensors file, read as hostile data: tensor names, dtypes and shapes without loading weights.

Source: the format's README, https://github.com/huggingface/safetensors
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.shared.errors import InvalidInput

MAX_HEADER_BYTES = 100_000_000  # the cap of the official reader
_BITS = {"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U8": 8, "BOOL": 8}


@dataclass(frozen=True)
class TensorInfo:
    """One tensor of a weight file."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # JSON readers disagree on which of two equal keys counts, so a file with such keys means two things.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _tensor(name: str, entry: Any, data_bytes: int) -> TensorInfo:
    dtype, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    if dtype not in _BITS:
        raise ValueError(f"the tensor {name!r} has the unsupported type {dtype!r}")
    if not all(isinstance(n, int) and n >= 0 for n in (*shape, start, end)):
        raise ValueError(f"the tensor {name!r} has an odd shape or offset")
    if not start <= end <= data_bytes or (end - start) * 8 != math.prod(shape) * _BITS[dtype]:
        raise ValueError(f"the tensor {name!r} claims bytes that are not there")
    return TensorInfo(name, dtype, shape)


def read_header(path: Path, most_bytes: int = MAX_HEADER_BYTES) -> list[TensorInfo]:
    """The tensors of one file, in the file's order; its header may have `most_bytes`.

    Raises:
        InvalidInput: not a safetensors file, cut short, or a header that contradicts the file.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(most_bytes, size - 8):
                raise ValueError("its header length does not fit the file")
            header = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=_no_repeats)
        if not isinstance(header, dict):
            raise ValueError("its header is not a JSON object")
        data_bytes = size - 8 - length
        return [_tensor(name, entry, data_bytes) for name, entry in header.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(
            f"{path.name} is not a sound safetensors file ({error}); export or download it again."
        ) from error
