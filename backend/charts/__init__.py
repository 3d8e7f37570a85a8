"""One pure function a chart: comparison, or one run's curves, → Plotly figure as a plain dict. Page, share, report and
notebook draw the same.
"""

from collections.abc import Callable

from backend.comparison.schema import Comparison

from .capacity import capacity
from .curves import accuracy, curves, gap, losses
from .differences import differences
from .elsewhere import elsewhere
from .figure import Figure
from .framework import framework
from .heatmap import heatmap
from .options import ChartOptions, ColourBy, PanelBy
from .ranking import ranking
from .run_curves import RunCurves
from .run_figures import RUN_FIGURES
from .significance import significance
from .train_inference import train_inference
from .tries import tries

FIGURES: dict[str, Callable[[Comparison, ChartOptions], Figure]] = {
    "differences": differences,
    "curves": curves,
    "losses": losses,
    "gap": gap,
    "ranking": ranking,
    "heatmap": heatmap,
    "significance": significance,
    "train_inference": train_inference,
    "capacity": capacity,
    "framework": framework,
    "accuracy": accuracy,
    "elsewhere": elsewhere,
    "tries": tries,
}

__all__ = ["FIGURES", "RUN_FIGURES", "ChartOptions", "ColourBy", "Figure", "PanelBy", "RunCurves"]
