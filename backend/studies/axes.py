"""The axes of an arm: lists on rate, consistency weight, rank, alpha and what may differ in training multiply."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from backend.shared.errors import Problem
from backend.shared.specs import ArmSpec

MOST_EPOCHS = 1000
TRAINING = ("learning_rate", "weight_decay", "epochs", "label_smoothing")  # axes that are settings of the training


@dataclass(frozen=True)
class Point:
    """One combination: a value for each axis (None: not given) and the JSON pointer where it stands."""

    values: dict[str, float | int | None]
    pointers: dict[str, str]
    listed: frozenset[str]  # axes that were lists of several values in this arm


def size(arm: ArmSpec) -> int:
    """How many points an arm's axes span, without making them."""
    return math.prod(len(_listed(value)) for value in _given(arm).values())


def points(arm: ArmSpec, pointer: str) -> Iterator[Point]:
    """Every combination of an arm's axes, the last axis fastest."""
    given = _given(arm)
    listed = frozenset(axis for axis, value in given.items() if isinstance(value, list) and len(value) > 1)
    choices = []
    for axis, value in given.items():
        at = f"{pointer}/{axis}"
        several = isinstance(value, list)
        choices.append([(axis, item, f"{at}/{i}" if several else at) for i, item in enumerate(_listed(value))])
    for combination in itertools.product(*choices):
        yield Point({axis: item for axis, item, _ in combination}, {axis: at for axis, _, at in combination}, listed)


def problems(point: Point) -> list[Problem]:
    """What is out of range at a point; rates and consistency weights are checked by the method itself."""
    found = []
    bounds = {
        "rank": (1, 512),
        "alpha": (0, 1e6),
        "learning_rate": (0, 1),
        "weight_decay": (0, 10),
        "epochs": (0, MOST_EPOCHS),
    }
    smoothing = point.values["label_smoothing"]
    if smoothing is not None and not 0 <= smoothing < 1:
        words = f"label smoothing is from 0 up to, not including, 1, not {smoothing:g}; 0.1 is usual"
        found.append(Problem(point.pointers["label_smoothing"], words))
    for axis, (low, high) in bounds.items():
        value = point.values[axis]
        if value is None:
            continue
        above_low = value >= low if axis in ("rank", "weight_decay") else value > low
        if not (above_low and value <= high):
            words = f"from {low}" if axis in ("rank", "weight_decay") else f"above {low}"
            name = f"the {axis.replace('_', ' ')} is" if axis != "epochs" else "the number of epochs is"
            found.append(Problem(point.pointers[axis], f"{name} {words} up to {high:g}, not {value:g}"))
    return found


def _given(arm: ArmSpec) -> dict[str, object]:
    weight = arm.consistency.weight if arm.consistency else None
    return {
        "rate": arm.rate,
        "consistency/weight": weight,
        "rank": arm.rank,
        "alpha": arm.alpha,
        "learning_rate": arm.learning_rate,
        "weight_decay": arm.weight_decay,
        "epochs": arm.epochs,
        "label_smoothing": arm.label_smoothing,
    }


def _listed(value: object) -> list[float | int | None]:
    if isinstance(value, list):
        return value
    return [value if isinstance(value, int | float) else None]
