"""A study's time as a range: its work at the pace of packs of the same model, or of another one, which is then said.

A pack takes a start and so much a token: both are fitted to the packs measured, by the least squares of relative
errors. The range is that of the packs about the fit, never narrower than a fifth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from .packs import Pack

LEAST = 1.2  # no measured time is told closer than by this factor to both sides
OTHER_LENGTH, OTHER_MODEL = 1.5, 3.0
ALIKE = 1.5  # rows of so many times the length have the same pace
FEW, FEW_LEAST = 3, 1.5  # fewer packs than this show no spread
_QUANTILES = (0.05, 0.95)


@dataclass(frozen=True)
class Asked:
    """A study to come: its model, the work of all its runs in weighed tokens, tokens a row, and in how many packs."""

    model: str
    work: float
    per_row: float
    packs: int


@dataclass(frozen=True)
class Range:
    """Seconds to the end: from, about, to; and what they were measured on, in words."""

    low: float
    middle: float
    high: float
    basis: str


def predict(
    asked: Asked, measured: Sequence[Pack], parameters: Mapping[str, int], workers: int, devices: frozenset[str]
) -> Range | None:
    """Return how long the study takes; None where no pack tells.

    parameters: of models by id.  workers: that would train it.  devices: their classes; empty where none is there now.
    """
    there = [pack for pack in measured if not devices or pack.device in devices]
    own = [pack for pack in there if pack.model == asked.model]
    alike = [pack for pack in own if 1 / ALIKE <= pack.per_row / asked.per_row <= ALIKE]
    told = ""
    if alike:
        packs, factor, least = alike, 1.0, LEAST if len(alike) >= FEW else FEW_LEAST
    elif own:
        packs, factor, least = own, 1.0, OTHER_LENGTH
        told = ", on rows of another length"
    else:
        packs, factor, least = _other(asked.model, there, parameters)
        if not packs:
            return None
        told = f", another model ({packs[0].model}): scaled by the number of parameters, and rough"
    start, pace = fit(packs)
    low, high = _spread(packs, start, pace)
    low, high = min(low, 1 / least), max(high, least)
    whole = asked.packs * start + factor * pace * asked.work
    turns = ceil(asked.packs / workers) / asked.packs  # the last turn may leave workers idle
    middle = whole * (1 / workers + turns) / 2
    many = f"the last {len(packs)} packs" if len(packs) > 1 else "one pack"
    hands = f"{workers} {'worker' if workers == 1 else 'workers'}"
    basis = f"measured on {many} of runs{told}; start, evaluations and endings included; with {hands}"
    return Range(low * whole / workers, middle, high * whole * turns, basis)


def fit(packs: Sequence[Pack]) -> tuple[float, float]:
    """Return seconds of a pack's start, and seconds a weighed token, neither below 0."""
    seconds = np.array([pack.seconds for pack in packs])
    work = np.array([pack.work for pack in packs])
    ones, slopes = 1 / seconds, work / seconds
    only = float(slopes.sum() / (slopes @ slopes))
    determinant = (ones @ ones) * (slopes @ slopes) - (ones @ slopes) ** 2
    if len(packs) < FEW or determinant <= 1e-9 * (ones @ ones) * (slopes @ slopes):
        return 0.0, only
    start = (ones.sum() * (slopes @ slopes) - slopes.sum() * (ones @ slopes)) / determinant
    pace = (slopes.sum() * (ones @ ones) - ones.sum() * (ones @ slopes)) / determinant
    return (float(start), float(pace)) if start >= 0 and pace > 0 else (0.0, only)


def _spread(packs: Sequence[Pack], start: float, pace: float) -> tuple[float, float]:
    """How far packs lie from the fit: factors below and above 1."""
    factors = [pack.seconds / (start + pace * pack.work) for pack in packs]
    low, high = np.quantile(factors, _QUANTILES)
    return min(float(low), 1.0), max(float(high), 1.0)


def _other(model: str, there: Sequence[Pack], parameters: Mapping[str, int]) -> tuple[list[Pack], float, float]:
    """The packs of the measured model nearest in size, and how much longer this one takes for the same work."""
    size = parameters.get(model)
    sizes = {pack.model: parameters[pack.model] for pack in there if parameters.get(pack.model)}
    if not size or not sizes:
        return [], 1.0, OTHER_MODEL
    nearest = min(sizes, key=lambda one: abs(np.log(sizes[one] / size)))
    return [pack for pack in there if pack.model == nearest], size / sizes[nearest], OTHER_MODEL
