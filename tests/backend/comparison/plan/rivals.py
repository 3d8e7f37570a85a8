"""How sharp the ways of looking are: one of seven arms truly better, 12 seeds at most, its first share of the error.

`python -m tests.backend.comparison.plan.rivals` prints the figures of docs/lab-log.md and decision 11.
"""

import sys

import numpy as np
from scipy import stats

from backend.comparison.statistics.records import Floats
from backend.studies.plan import bounds

STUDIES, MOST, LEVEL = 60_000, 12, 0.025 / 7


def t_statistics(effect: float) -> Floats:
    """Paired t after 1, 2, … seeds, [studies, seeds], of differences with mean `effect` and standard deviation 1."""
    x = np.random.default_rng(5).standard_normal((STUDIES, MOST)) + effect
    n = np.arange(1, MOST + 1)
    mean = np.cumsum(x, axis=1) / n
    spread = np.sqrt(np.maximum(np.cumsum(x * x, axis=1) - n * mean**2, 1e-300) / np.maximum(n - 1, 1))
    found: Floats = mean / spread * np.sqrt(n)
    return found


def stopped(passed: Floats) -> str:
    """Share of studies that pass at any number of seeds, and the mean number of seeds at which they stop."""
    first = np.where(passed.any(axis=1), passed.argmax(axis=1) + 1, MOST)
    return f"{100 * passed.any(axis=1).mean():.1f} % after {first.mean():.1f} seeds"


def group_sequential(t: Floats, looks: tuple[int, ...]) -> str:
    """The bounds of the product at these looks."""
    passed = np.zeros(t.shape, bool)
    for n, level in zip(looks, bounds.nominal_levels(looks, LEVEL), strict=True):
        passed[:, n - 1] = t[:, n - 1] >= stats.t.isf(level, n - 1)
    return stopped(passed)


def anytime(t: Floats, scale: float) -> str:
    """The t e-process of a half-normal effect (Wang & Ramdas 2023): likelihood ratio of t, right after any seed."""
    passed = np.zeros(t.shape, bool)
    node, weight = np.polynomial.legendre.leggauss(60)
    effect = (node + 1) * 2.5 * scale
    prior = weight * 2.5 * scale * 2 * stats.norm.pdf(effect, scale=scale)
    share = np.linspace(-0.999999, 0.999999, 801)
    for n in range(2, MOST + 1):
        reach = np.sqrt(n) + 12 + 5 * np.sqrt(n)
        size, step = (1 + np.polynomial.legendre.leggauss(160)[0]) / 2 * reach, np.polynomial.legendre.leggauss(160)[1]
        base = (n - 1) * np.log(size) - size**2 / 2
        ratio = np.zeros(len(share))
        for one, mass in zip(effect, prior, strict=True):
            power = base - base.max() - n * one**2 / 2 + one * np.sqrt(n) * share[:, None] * size
            ratio += mass * (np.exp(power) @ step) / (np.exp(base - base.max()) @ step)
        u = t[:, n - 1] / np.sqrt(n - 1 + t[:, n - 1] ** 2)
        passed[:, n - 1] = np.interp(u, share, np.log(ratio)) >= -np.log(LEVEL)
    return stopped(passed)


def main() -> None:
    """Print each way for several true differences, in standard deviations of the differences between seeds."""
    for effect in (0.0, 0.8, 1.2, 1.6, 2.0, 3.0):
        t = t_statistics(effect)
        ways = {
            "one look at 12": group_sequential(t, (12,)),
            "looks at 5, 8, 12": group_sequential(t, (5, 8, 12)),
            "a look at each seed from 3": group_sequential(t, tuple(range(3, 13))),
            "e-process, scale 1": anytime(t, 1.0),
            "e-process, scale 2": anytime(t, 2.0),
        }
        told = "; ".join(f"{way} {found}" for way, found in ways.items())
        sys.stdout.write(f"{effect} sd: {told}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
