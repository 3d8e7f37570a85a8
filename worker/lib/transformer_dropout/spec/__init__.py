"""The framework as data: dropout methods that check themselves, presets, words. Standard library only."""

from transformer_dropout.errors import SpecError

from .cells import POSITIONS, RESCALES, STRUCTURES, Cell, catalogue, cell
from .kinds import CONSISTENCY, CONSISTENCY_KINDS, ConsistencyKind
from .method import DropoutSpec
from .model import Consistency, Site
from .presets import PRESETS, Preset, preset
from .rates import LinearRate, PerLayer, Rate
from .words import describe, formula

__all__ = [
    "CONSISTENCY",
    "CONSISTENCY_KINDS",
    "POSITIONS",
    "PRESETS",
    "RESCALES",
    "STRUCTURES",
    "Cell",
    "Consistency",
    "ConsistencyKind",
    "DropoutSpec",
    "LinearRate",
    "PerLayer",
    "Preset",
    "Rate",
    "Site",
    "SpecError",
    "catalogue",
    "cell",
    "describe",
    "formula",
    "preset",
]
