"""Arms that have learned nothing a guess would not say: one and the same label for every validation row.

Told from the scores: a classifier that never varies has Matthews' correlation 0, and a macro-F1 that follows from its
accuracy a and the number C of classes: F1 is 2 a / (1 + a) for the class it names, and 0 for the others.
"""

from collections.abc import Sequence

from . import schema

CLOSE = 1e-6
_SCORES: tuple[schema.SeriesName, ...] = ("validation/matthews", "validation/accuracy", "validation/macro_f1")


def only_guesses(arm: schema.ArmComparison) -> bool:
    """Whether every finished run of a classifying arm ends with one label for all validation rows."""
    matthews, accuracy, macro_f1 = (
        {seed.run_id: seed.value for seed in arm.final[name].seeds} if name in arm.final else {} for name in _SCORES
    )
    return bool(matthews) and all(
        value == 0 and _never_varies(accuracy.get(run_id, 0.0), macro_f1.get(run_id, 0.0))
        for run_id, value in matthews.items()
    )


def _never_varies(accuracy: float, macro_f1: float) -> bool:
    if macro_f1 == 0:
        return False  # not recorded, or a label that no row has
    classes = 2 * accuracy / (1 + accuracy) / macro_f1
    return classes > 1.5 and abs(classes - round(classes)) < CLOSE


def nothing_learned(arms: Sequence[schema.ArmComparison]) -> bool:
    """Whether no arm with a finished run does better than a guess."""
    finished = [arm for arm in arms if arm.final["validation/loss"].n]
    return bool(finished) and all(map(only_guesses, finished))
