"""Models for training: the frozen base, the modules adapters sit on, adapters out in PEFT's format."""

from worker.models.base import Base, load_base
from worker.models.export import export_adapter, export_beside
from worker.models.first_use import prepare_first_use
from worker.models.start import starting_tensors
from worker.models.targets import head_modules, target_linears

__all__ = [
    "Base",
    "export_adapter",
    "export_beside",
    "head_modules",
    "load_base",
    "prepare_first_use",
    "starting_tensors",
    "target_linears",
]
