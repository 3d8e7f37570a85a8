"""How the comparison speaks: numbers with sensible digits, and one sentence of meaning for each difference."""

import math

from .schema import Decision, SeriesName
from .statistics.paired import PairedResult
from .statistics.power import CAP

QUANTITY: dict[SeriesName, str] = {
    "probe/loss": "probe loss",
    "validation/loss": "validation loss",
    "gap": "generalization gap",
    "validation/accuracy": "validation accuracy",
    "validation/macro_f1": "validation macro-F1",
    "validation/matthews": "validation Matthews correlation",
    "validation/pearson": "validation Pearson correlation",
    "validation/spearman": "validation Spearman correlation",
    "validation/perplexity": "validation perplexity",
    "validation/bleu": "BLEU",
    "validation/chrf": "chrF",
    "validation/ter": "translation edit rate",
    "validation/rouge_l": "ROUGE-L",
    "test/loss": "test loss",
    "test/accuracy": "test accuracy",
    "test/macro_f1": "test macro-F1",
    "test/matthews": "test Matthews correlation",
    "test/pearson": "test Pearson correlation",
    "test/spearman": "test Spearman correlation",
    "train/loss": "training loss",
    "train_inference_gap": "train/inference gap",
    "slice_kl": "KL between dropout on and off",
}
LOSS_UNIT = {
    "classification": "nats per example",
    "regression": "squared error per example",
    "causal_lm": "nats per token",
}
ALPHA = 0.05


# The score that the task's own literature reports first, where a run records it.
SCORE: dict[str, tuple[SeriesName, ...]] = {
    "classification": ("validation/accuracy",),
    "regression": ("validation/pearson",),
    "causal_lm": ("validation/bleu", "validation/perplexity"),
}
_HIGHER = ("accuracy", "macro_f1", "matthews", "pearson", "spearman", "bleu", "chrf", "rouge_l")


def higher_is_better(metric: SeriesName) -> bool:
    """Scores are, losses, gaps and error rates are not."""
    return metric.rpartition("/")[2] in _HIGHER


def is_share(metric: SeriesName) -> bool:
    """Whether it is a share of rows, shown in per cent."""
    return metric.endswith("/accuracy")


def is_loss(metric: SeriesName) -> bool:
    """Whether it is measured in the unit of the loss."""
    return metric.endswith("/loss") or metric in ("gap", "train_inference_gap")


def decimals(scale: float | None) -> int:
    """Return how many decimals (2 to 6) an uncertainty deserves: one digit of it, two where the first is a 1."""
    if not scale or not math.isfinite(scale):
        return 2
    places = -math.floor(math.log10(abs(scale)))
    return min(6, max(2, places + (abs(scale) * 10.0**places < 2)))


def plain(value: float | None, scale: float | None = None) -> str:
    """Write a number with the digits that `scale` (its uncertainty) deserves; three decimals where it is not known."""
    if value is None:
        return "not known"
    text = f"{value:.{decimals(scale) if scale else 3}f}"
    return text.replace("-", "−") if float(text) != 0 else text.replace("-", "")


def amount(value: float, half_width: float | None, metric: SeriesName) -> str:
    """Write a size (its sign is in the verb beside it) with its half-width; accuracies in percentage points."""
    if is_share(metric):
        points = f"{abs(value) * 100:.1f}"
        spread = "" if half_width is None else f" ± {half_width * 100:.1f}"
        return f"{points}{spread} percentage points"
    spread = "" if half_width is None else f" ± {plain(half_width, half_width)}"
    return f"{plain(abs(value), half_width)}{spread}"


def p_value(p: float | None) -> str:
    """Write a p value as people read it."""
    if p is None:
        return "p not known"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


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
) -> str:
    """Say in a sentence or three what an arm's difference to the baseline means."""
    interval, quantity = result.difference, QUANTITY[metric]
    if interval.n == 0 or interval.mean is None:
        return f"No seed has finished both here and in {baseline}."
    word = "lower" if interval.mean < 0 else "higher"
    size = amount(interval.mean, interval.half_width, metric)
    if interval.n == 1:
        return f"{quantity.capitalize()} {word} by {size} in one seed; one seed says nothing about the spread."
    if result.p_t is None:
        if interval.mean == 0:
            return f"The same {quantity} as {baseline} in each of {interval.n} seeds."
        return f"{quantity.capitalize()} {word} by {size}; the seeds do not vary, so nothing can be tested."
    if decided != "undecided":
        correction = f"holds after correction for {several(family, 'arm')} (Holm {p_value(p_holm)})"
        text = f"{quantity.capitalize()} {word} by {size}; {correction}."
    elif interval.half_width is not None and abs(interval.mean) > interval.half_width:
        text = (
            f"{quantity.capitalize()} {word} by {size} taken alone, but undecided once {several(family, 'arm')} "
            f"are accounted for (Holm {p_value(p_holm)})."
        )
    else:
        text = f"Undecided: {word} by {size}, an interval that spans zero."
    if decided == "undecided":
        text += f" {seeds_sentence(seeds_needed)}"
    if smallest is not None and smallest > ALPHA:
        text += f" n = {interval.n} is too small for the sign-flip test: its smallest reachable p is {smallest:.4g}."
    return text


def seeds_sentence(needed: int | None) -> str:
    """Say how many seeds would settle a difference of the measured size."""
    if needed is None:
        return f"More than {CAP:,} seeds would be needed to show a difference of the measured size."
    return f"If the true difference is the measured one, {needed:,} seeds show it with 80 % power."
