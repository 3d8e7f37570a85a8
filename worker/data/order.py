"""Orders that a seed fixes: which rows are drawn, and which rows each step trains on.

They are sorted by raw 64-bit words of PCG64, whose stream NumPy keeps unchanged between versions (NEP 19), which it
does not promise for `Generator.permutation`.
"""

import numpy as np
import numpy.typing as npt

from backend.shared.schedule import steps_per_epoch, total_steps

DRAW, DATA_ORDER, VALIDATION, HALVES, ELSEWHERE = 1, 2, 3, 4, 5  # purposes: each has a stream of its own

Indices = npt.NDArray[np.int64]


def shuffled(count: int, *words: int) -> Indices:
    """The numbers 0 to count - 1 in the order that these words (purpose, seed, ...) fix."""
    keys = np.random.PCG64(np.random.SeedSequence(words)).random_raw(count)
    return np.argsort(keys, kind="stable").astype(np.int64)


def balanced(classes: npt.NDArray[np.int64], *words: int) -> Indices:
    """All rows in a seeded order in which every prefix holds the classes in about the proportions of the whole.

    A longer draw therefore contains the shorter one, and two seeds differ in rows, not in balance.
    """
    order = shuffled(len(classes), *words)
    place = np.empty(len(classes), dtype=np.float64)
    for label in np.unique(classes):
        members = order[classes[order] == label]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return order[np.argsort(place[order], kind="stable")]


def halves(count: int) -> tuple[Indices, Indices]:
    """Numbers of `count` rows in two fixed halves, the first no smaller: the same for every run that has as many."""
    order = shuffled(count, HALVES)
    return order[: -(-count // 2)], order[-(-count // 2) :]


def batches(rows: int, seed: int, batch_size: int, epochs: float) -> list[Indices]:
    """Row numbers of every step, the same for all arms of a seed; each epoch in an order of its own.

    The last batch of an epoch may be smaller; a fraction of an epoch ends early.
    """
    steps, each = total_steps(rows, batch_size, epochs), steps_per_epoch(rows, batch_size)
    found: list[Indices] = []
    for epoch in range(-(-steps // each)):
        order = shuffled(rows, DATA_ORDER, seed, epoch)
        found += [order[start : start + batch_size] for start in range(0, rows, batch_size)]
    return found[:steps]
