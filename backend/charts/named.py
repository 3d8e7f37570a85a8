"""Figures by their names."""

from collections.abc import Callable

from backend.comparison.schema import Comparison
from backend.edge.answers import JsonObject
from backend.shared.errors import NotFound

from . import FIGURES, ChartOptions


def named(name: str) -> Callable[[Comparison, ChartOptions], JsonObject]:
    """The function that draws this figure; NotFound names those there are."""
    if name not in FIGURES:
        raise NotFound(f"there is no figure '{name[:100]}'; there is {', '.join(FIGURES)}")
    return FIGURES[name]
