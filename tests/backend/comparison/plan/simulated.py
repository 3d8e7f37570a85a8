"""Made-up studies in which it is known who is better: values of all arms over seeds, correlated, skewed, diverging.

`python -m tests.backend.comparison.plan.simulated STUDIES` prints the figures of docs/lab-log.md.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from backend.comparison.plan.judge import Judged, judge
from backend.comparison.statistics.records import Floats

BETTER = ("better", "better_by_more")
LOOKS = (3, 5, 8)


@dataclass(frozen=True)
class Kind:
    """How values come about. correlation: of arms over seeds.  skewed: lognormal noise, of all or of the judged arms.

    diverging: the chance of each run.  wide: how much wider the baseline spreads.
    """

    name: str
    correlation: float = 0.5
    skewed: str = "none"
    diverging: float = 0.0
    wide: float = 1.0


KINDS = (
    Kind("normal, correlation 0.5"),
    Kind("normal, correlation 0.9", correlation=0.9),
    Kind("all skewed", skewed="all"),
    Kind("a tenth diverges", diverging=0.1),
    Kind("baseline skewed and twice as wide", skewed="baseline", wide=2.0),
    Kind("judged arms skewed, baseline not", skewed="arms"),
)


def values(kind: Kind, rng: np.random.Generator, seeds: int, arms: int = 7) -> Floats:
    """Return [arms + 1, seeds], the baseline first; a difference of two has a standard deviation of about 1."""
    noise = rng.standard_normal((arms + 1, seeds))
    skewed = (np.exp(0.8 * noise) - np.exp(0.32)) / np.sqrt((np.exp(0.64) - 1) * np.exp(0.64))
    rows = {"none": [], "all": list(range(arms + 1)), "baseline": [0], "arms": list(range(1, arms + 1))}[kind.skewed]
    noise[rows] = skewed[rows]
    noise[0] *= kind.wide
    shared = rng.standard_normal(seeds) * np.sqrt(kind.correlation / (1 - kind.correlation))
    found: Floats = (noise + shared) / np.sqrt(2)
    found[rng.random(found.shape) < kind.diverging] = np.inf
    return found


def judged(
    kind: Kind, studies: int, shift: Callable[[int], Floats], *, looks: tuple[int, ...] = LOOKS, smallest: float = 1.0
) -> Iterator[list[Judged]]:
    """Yield the verdicts of studies; `shift(arms)` is the true difference of each judged arm."""
    rng = np.random.default_rng(20240301 + KINDS.index(kind))
    for _ in range(studies):
        found = values(kind, rng, looks[-1])
        found[1:] += shift(len(found) - 1)[:, None]
        yield judge(found[1:], found[0], looks, smallest)


def raced(found: Floats, looks: tuple[int, ...], smallest: float) -> list[Judged]:
    """The verdicts of a race over [arms + 1, seeds], the baseline first: an arm gets no seeds beyond its verdict."""
    there = np.full(found.shape, np.nan)
    there[:, : looks[0]] = found[:, : looks[0]]
    told = judge(there[1:], there[0], looks, smallest)
    for before, n in pairwise(looks):
        going = [i for i, one in enumerate(told) if one.kind == "not_yet" and one.seeds == before]
        if not going:
            break
        rows = [0, *(i + 1 for i in going)]
        there[rows, before:n] = found[rows, before:n]
        told = judge(there[1:], there[0], looks, smallest)
    return told


def share(told: Iterator[list[Judged]], wanted: tuple[str, ...]) -> float:
    """The share of studies in which any arm is told one of these."""
    found = [any(one.kind in wanted for one in study) for study in told]
    return sum(found) / len(found)


def main(studies: int) -> None:
    """Print the shares of wrong verdicts for each kind and set of looks."""
    for looks in ((5,), LOOKS, (5, 8, 12), tuple(range(3, 13))):
        for kind in KINDS:
            null = [share(judged(kind, studies, np.zeros, looks=looks), one) for one in (BETTER, ("worse",))]
            equal = share(judged(kind, studies, np.ones, looks=looks), ("no_difference",))
            told = f"better {null[0]:.3f}, worse {null[1]:.3f}, no difference that matters (true: 1 sd) {equal:.3f}"
            sys.stdout.write(f"looks {', '.join(map(str, looks))}; {kind.name}: {told}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
