"""Which precision a run computes in: what it asks for, or what this machine is faster in, measured once."""

import time
from pathlib import Path
from typing import Literal

import torch
from torch.nn import functional as F

from backend.shared.files import sealed, unsealed, write_atomically
from backend.shared.specs import Precision

Computed = Literal["bf16", "fp32"]
DTYPES: dict[Computed, torch.dtype] = {"bf16": torch.bfloat16, "fp32": torch.float32}
_TOKENS, _INPUT, _OUTPUT, _TIMES = 512, 384, 1536, 5
_GAIN = 1.3  # bf16 costs digits, so it must be clearly faster


def processor() -> str:
    """Name of the processor, as the operating system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return "unknown"


def resolve_precision(asked: Precision, home: Path, device: torch.device | None = None) -> Computed:
    """The precision of a run; `auto` is bf16 on a GPU that has it, else measured once a machine, kept in `home`."""
    if asked != "auto":
        return asked
    if device is not None and device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    file = home / "cache" / "precision.json"
    machine = f"{processor()}; torch {torch.__version__}; {torch.get_num_threads()} threads"
    known = _read(file)
    if machine not in known:
        seconds = {name: _seconds(dtype) for name, dtype in DTYPES.items()}
        known[machine] = "bf16" if seconds["bf16"] * _GAIN < seconds["fp32"] else "fp32"
        write_atomically(file, sealed(known))
    return "bf16" if known[machine] == "bf16" else "fp32"


def _seconds(dtype: torch.dtype) -> float:
    x, weight = torch.ones(_TOKENS, _INPUT, dtype=dtype), torch.ones(_OUTPUT, _INPUT, dtype=dtype)
    best = float("inf")
    for _ in range(_TIMES):
        begun = time.perf_counter()
        F.gelu(F.linear(x, weight))
        best = min(best, time.perf_counter() - begun)
    return best


def _read(file: Path) -> dict[str, str]:
    try:
        return unsealed(file.read_bytes())
    except (OSError, ValueError):
        return {}
