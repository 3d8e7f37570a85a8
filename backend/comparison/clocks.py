"""By which clocks a study can be judged: at the last evaluation always, stopped in time where its runs recorded halves
of their validation rows.
"""

from collections.abc import Sequence

import numpy as np

from backend.shared.errors import InvalidInput
from backend.shared.metrics import METRICS

from . import schema
from .statistics.grid import ArmGrid

_OLDER = (
    "this study's runs recorded no halves of their validation rows, so what they are worth stopped in time is not "
    "known; judge them at the clock 'last', or train the study again"
)


def clocks_of(grids: Sequence[ArmGrid]) -> tuple[list[schema.Clock], str | None]:
    """Return the clocks, and why there is no second one; no reason is given before the first finished run."""
    if any(grid.finished and grid.chosen is not None for grid in grids):
        return ["last", "stopped"], None
    return ["last"], _OLDER if any(grid.finished for grid in grids) else None


def check(grids: Sequence[ArmGrid], clock: schema.Clock, no_second: str | None, metric: schema.SeriesName) -> None:
    """Raise InvalidInput where the study cannot be judged at `clock` by `metric`; a study without a finished run can
    still become one.
    """
    if clock == "last" or not any(grid.finished for grid in grids):
        return
    if no_second is not None:
        raise InvalidInput(no_second, "/clock")
    if not any(np.isfinite(grid.stopped(metric)).any() for grid in grids):
        raise InvalidInput(
            f"{METRICS[metric].words} is known of a run's last step only; ask for the clock 'last', or rank by another "
            "quantity",
            "/metric",
        )
