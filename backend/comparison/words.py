"""How the comparison speaks: numbers with sensible digits, and one sentence of meaning for each difference."""

import math
from typing import Literal

from backend.shared.metrics import METRICS

from .schema import Decision, SeriesName
from .statistics.paired import PairedResult
from .statistics.power import CAP

LOSS_UNIT = {
    "classification": "nats per example",
    "regression": "squared error per example",
    "causal_lm": "nats per token",
}
ALPHA = 0.05
DECIDES_FROM = 3  # seeds: two cannot show how differences spread
NONE = "–"
# Of a difference: both at their last evaluation, both stopped at their best one, or the arm at its last and the
# baseline stopped.
Judged = Literal["last", "stopped", "last_against_stopped"]


def decimals(scale: float | None) -> int:
    """Return how many decimals (2 to 6) an uncertainty deserves: one digit of it, two where the first is a 1."""
    if not scale or not math.isfinite(scale):
        return 2
    places = -math.floor(math.log10(abs(scale)))
    return min(6, max(2, places + (abs(scale) * 10.0**places < 2)))


def number(value: float, digits: int) -> str:
    """Write a measured number with a true minus sign; one a hair below zero keeps it."""
    return f"{value:.{digits}f}".replace("-", "−")


def plain(value: float | None, scale: float | None = None) -> str:
    """Write a number with the digits that `scale` (its uncertainty) deserves; three decimals where it is not known.

    What rounds to zero has no minus sign.
    """
    if value is None:
        return "not known"
    digits = decimals(scale) if scale else 3
    return number(round(value, digits) + 0.0, digits)


def plus_minus(mean: float | None, half_width: float | None, digits: int | None = None, *, sign: bool = False) -> str:
    """Write a mean with the half-width of its interval, where it has one; a dash where there is no mean.

    `digits` None: as many as the half-width deserves. `sign`: it is a difference, so what lies above zero says so.
    """
    if mean is None:
        return NONE
    if sign and digits is not None:
        mean = round(mean, digits) + 0.0
    text = plain(mean, half_width) if digits is None else number(mean, digits)
    text = f"+{text}" if sign and mean > 0 else text
    if half_width is None:
        return text
    return f"{text} ± {plain(half_width, half_width) if digits is None else number(half_width, digits)}"


def amount(value: float, half_width: float | None, metric: SeriesName) -> str:
    """Write a size (its sign is in the verb beside it) with its half-width; shares in percentage points."""
    if METRICS[metric].shown != "share":
        return plus_minus(abs(value), half_width)
    return f"{plus_minus(100 * abs(value), None if half_width is None else 100 * half_width, 1)} percentage points"


def p_value(p: float | None, digits: int | None = None) -> str:
    """Write a p value as people read it, never a false zero; `digits` None: three decimals, two of .1 and above."""
    if p is None:
        return "p not known"
    return "p < 0.001" if p < 0.001 else f"p = {number(p, digits or (3 if p < 0.1 else 2))}"


def times(factor: float | None) -> str:
    """Write a cost factor."""
    return "" if factor is None else f"{factor:.1f}×" if factor < 9.95 else f"{factor:.0f}×"


def several(count: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def meaning(
    result: PairedResult,
    metric: SeriesName,
    *,
    decided: Decision,
    p_holm: float | None,
    family: int,
    smallest: float | None,
    seeds_needed: int | None,
    baseline: str,
    diverged: str = "",
    judged: Judged = "last",
) -> str:
    """Say in a sentence or three what an arm's difference to the baseline means.

    `family`: how many arms were tested; `diverged`: who diverged, where that forbids a verdict.
    """
    interval, quantity = result.difference, METRICS[metric].words
    if interval.n == 0 or interval.mean is None:
        return f"No seed has finished both here and in {baseline}."
    word = "lower" if interval.mean < 0 else "higher"
    size = amount(interval.mean, interval.half_width, metric)
    if judged == "stopped":
        quantity += ", each stopped in time,"
    elif judged == "last_against_stopped":
        quantity, baseline = f"{quantity} at the last step", f"{baseline} stopped in time"
        size += f" than that of {baseline}"
    if interval.n == 1:
        return f"{capital(quantity)} {word} by {size} in one seed; one seed says nothing about the spread."
    if result.p is None and interval.mean == 0:
        return f"The same {quantity} as {baseline} in each of {interval.n} seeds."
    if interval.n < DECIDES_FROM:
        return f"{capital(quantity)} {word} by {size} in {interval.n} seeds; two decide nothing.{diverged}"
    corrected = f"after correcting for {several(family, 'arm')}"
    if result.p_t is None:
        told = f"{p_value(p_holm)} {corrected} by the sign-flip test, for lack of a spread"
        return f"{capital(quantity)} {word} by {size} in every seed alike; {told}.{diverged}"
    if diverged:
        return f"{capital(quantity)} {word} by {size} in the seeds that both finished.{diverged}"
    if decided != "undecided":
        text = f"{capital(quantity)} {word} by {size}; clear of seed noise {corrected} ({p_value(p_holm)})."
    elif interval.half_width is not None and abs(interval.mean) > interval.half_width:
        text = (
            f"{capital(quantity)} {word} by {size} taken alone, but undecided once {several(family, 'arm')} "
            f"are accounted for ({p_value(p_holm)} after correction)."
        )
    else:
        text = f"Undecided: {word} by {size}, an interval that spans zero."
    if decided == "undecided":
        text += f" {seeds_sentence(seeds_needed)}"
    if smallest is not None and smallest > ALPHA:
        text += f" n = {interval.n} is too small for the sign-flip test: its smallest reachable p is {smallest:.4g}."
    return text


def seeds_sentence(needed: int | None, *, varies: bool = True) -> str:
    """Say how many seeds would settle a difference of the measured size; `varies`: it is not the same in all seeds."""
    if not varies:  # no spread, no power: no number of seeds is too few
        return "It is the same in every seed, so there is no spread to test it against, and no number of seeds to name."
    if needed is None:
        return f"More than {CAP:,} seeds would be needed to show a difference of the measured size."
    return (
        f"Were the true difference the measured one, about {several(needed, 'seed')} would show it in four studies of "
        "five; what was measured on few seeds is often too large, and half of it takes four times as many."
    )


def capital(text: str) -> str:
    """Write the first letter large and leave the others as they are: "Validation macro-F1"."""
    return text[:1].upper() + text[1:]
