"""What a caller may choose about a chart; everything else is fixed, so that one definition serves page, report and
notebook.
"""

from dataclasses import dataclass
from typing import Literal

# What shares a panel of curves ("auto": a method, and its rank where there are several), and what colours tell.
PanelBy = Literal["auto", "method", "rank", "rate", "arm"]
ColourBy = Literal["method", "rank", "rate"]


@dataclass(frozen=True)
class ChartOptions:
    """arms: ids of the arms to draw (None: all).  log_y: logarithmic y axis where the quantity is positive.
    panel, colour: of charts of curves, what shares a panel and what its colours tell.  offers: a reader may run what is
    not measured yet.

    Baseline, metric, x axis and band are the comparison's own: build it with those.
    """

    arms: frozenset[str] | None = None
    log_y: bool = False
    panel: PanelBy = "auto"
    colour: ColourBy = "method"
    offers: bool = False
