"""What a caller may choose about a chart; everything else is fixed, so that one definition serves page, report and
notebook.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ChartOptions:
    """arms: ids of the arms to draw (None: all).  log_y: logarithmic y axis where the quantity is positive.

    Baseline, metric, x axis and band are the comparison's own: build it with those.
    """

    arms: frozenset[str] | None = None
    log_y: bool = False
