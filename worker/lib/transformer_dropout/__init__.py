"""Dropout for LoRA under one framework: positions × structures × compensation, for anyone's training script.

After *LoRA Meets Dropout under a Unified Framework* (Wang et al., Findings of ACL 2024, arXiv 2403.00812). Importing
the package needs only the standard library; what needs torch or transformers is imported from the modules `masks`,
`functional`, `consistency` (torch, numpy) and `hf` (transformers).
"""

from .errors import DropoutError, InjectionError, ShapeError, SpecError, UnsupportedModelError
from .spec import (
    PRESETS,
    Consistency,
    DropoutSpec,
    LinearRate,
    PerLayer,
    Site,
    catalogue,
    describe,
    formula,
    preset,
)

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "Consistency",
    "DropoutError",
    "DropoutSpec",
    "InjectionError",
    "LinearRate",
    "PerLayer",
    "ShapeError",
    "Site",
    "SpecError",
    "UnsupportedModelError",
    "catalogue",
    "describe",
    "formula",
    "preset",
]
