"""One pure function a chart: comparison → Plotly figure as a plain dict. Page, share, report and notebook draw the
same.
"""

from collections.abc import Callable

from backend.services.comparison_schema import Comparison

from .figure import Figure
from .gap import accuracy, gap
from .losses import losses
from .options import ChartOptions
from .ranking import ranking

FIGURES: dict[str, Callable[[Comparison, ChartOptions], Figure]] = {
    "losses": losses,
    "gap": gap,
    "ranking": ranking,
    "accuracy": accuracy,
}

__all__ = ["FIGURES", "ChartOptions", "Figure"]
