"""The header of a GGUF file: its settings and tensor names, without the weights and without long word lists.

Source: the format's specification, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from backend.shared.catalogue.safetensors_header import TensorInfo
from backend.shared.errors import InvalidInput

MAX_STRING = 1 << 20
MAX_ITEMS = 1 << 20
_FIXED = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
QUANTISATION = {0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 30: "BF16"}


@dataclass(frozen=True)
class GgufHeader:
    """Settings by key (an array is given as its length) and the tensors, shapes as in PyTorch."""

    settings: dict[str, Any]
    tensors: list[TensorInfo]


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _string(file: BinaryIO) -> str:
    length = _number(file, "<Q")
    if length > MAX_STRING:
        raise ValueError("a string is too long")
    return file.read(length).decode("utf-8")


def _value(file: BinaryIO, kind: int) -> Any:
    if kind in _FIXED:
        return _number(file, _FIXED[kind])
    if kind == _STRING:
        return _string(file)
    if kind != _ARRAY:
        raise ValueError(f"unknown value type {kind}")
    item, count = _number(file, "<I"), _number(file, "<Q")
    if count > MAX_ITEMS:
        raise ValueError("an array is too long")
    if item in _FIXED:
        file.seek(struct.calcsize(_FIXED[item]) * count, 1)
    elif item == _STRING:
        for _ in range(count):
            file.seek(_number(file, "<Q"), 1)
    else:
        raise ValueError(f"an array of type {item}")
    return count


def read_gguf(path: Path) -> GgufHeader:
    """Settings and tensors of a GGUF file of version 2 or 3.

    Raises:
        InvalidInput: not a GGUF file, cut short, or of a weight type that is not read here.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF" or _number(file, "<I") not in (2, 3):
                raise ValueError("no GGUF mark of version 2 or 3 at its start")
            tensors, settings = _number(file, "<Q"), _number(file, "<Q")
            if max(tensors, settings) > MAX_ITEMS:
                raise ValueError("too many entries")
            found = {_string(file): _value(file, _number(file, "<I")) for _ in range(settings)}
            return GgufHeader(found, [_tensor(file) for _ in range(tensors)])
    except (ValueError, struct.error) as error:
        raise InvalidInput(f"{path.name} is not a GGUF file that can be read ({error}).") from error


def _tensor(file: BinaryIO) -> TensorInfo:
    name = _string(file)
    dimensions = _number(file, "<I")
    if dimensions > 4:
        raise ValueError(f"the tensor {name!r} has {dimensions} dimensions")
    shape = tuple(_number(file, "<Q") for _ in range(dimensions))[::-1]
    kind = _number(file, "<I")
    file.seek(8, 1)  # offset of its data
    if kind not in QUANTISATION:
        raise ValueError(f"the tensor {name!r} has the unsupported weight type {kind}")
    return TensorInfo(name, QUANTISATION[kind], shape)
