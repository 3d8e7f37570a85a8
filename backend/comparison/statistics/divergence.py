"""When a run diverged although its loss is a number: it ends far above where it began, on the rows it trains on, too.

Overfitting raises the loss on validation rows alone, however far; so both losses must end above their first evaluation
(before any step, where a run starts from an adapter) by more than a margin. A nat: the right answer is e times less
likely than it was at the start, on rows that the run was shown. Squared errors have the unit of the labels, so there it
is a factor. A run that was lost before its first evaluation and stays there is not found: its loss counts as it is.
"""

import numpy as np
from numpy.typing import NDArray

from .clocks import at
from .records import Floats, Ints

FAR = 1.0  # nats
FOLD = 10.0  # of a squared error


def ends_far_above(losses: Floats, last: Ints, *, squared: bool = False) -> NDArray[np.bool_]:
    """Tell of each row of `losses` [R, S] whether its entry at column `last` [R] is far above its first finite one."""
    if losses.shape[1] == 0:
        return np.zeros(len(losses), np.bool_)
    there = np.isfinite(losses)
    first = at(losses, np.where(there.any(axis=1), there.argmax(axis=1), 0).astype(np.int64))
    with np.errstate(invalid="ignore", over="ignore"):
        found: NDArray[np.bool_] = at(losses, last) > (FOLD * first if squared else first + FAR)
    return found
