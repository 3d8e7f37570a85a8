"""How many seeds a paired t test needs (Cohen 1988, ch. 2; exact power from the noncentral t distribution).

With n pairs, true mean difference δ and standard deviation s of the differences, T follows a noncentral t with n −
1 degrees of freedom and noncentrality √n · δ / s; power = P(|T| > t(n−1, 1−α/2)). s = √(s₁² + s₂² − 2ρ s₁ s₂): the
seed correlation ρ is in it.
"""

from scipy import special

POWER = 0.80
ALPHA = 0.05
CAP = 1000


def paired_t_power(n: int, effect: float, alpha: float = ALPHA) -> float:
    """Return the power of a two-sided paired t test of n ≥ 2 pairs; `effect` is |δ| / s."""
    df = n - 1
    critical = float(special.stdtrit(df, 1 - alpha / 2))
    shift = abs(effect) * n**0.5
    if shift > critical + 30:  # beyond the reach of the noncentral t's series; the power is 1 to all digits
        return 1.0
    above = 1.0 - float(special.nctdtr(df, shift, critical))
    below = float(special.nctdtr(df, shift, -critical))
    return above + below


def seeds_needed(mean: float | None, sd: float | None, alpha: float = ALPHA) -> int | None:
    """Return the fewest pairs (2 to CAP) with 80 % power if the true difference is `mean` and its spread `sd`.

    None where the difference is 0, the spread is unknown or 0, or more than CAP pairs are needed.
    """
    if not mean or not sd:
        return None
    effect = abs(mean) / sd
    low, high = 1, 2
    while paired_t_power(high, effect, alpha) < POWER:
        if high >= CAP:
            return None
        low, high = high, min(2 * high, CAP)
    while high - low > 1:
        middle = (low + high) // 2
        if paired_t_power(middle, effect, alpha) < POWER:
            low = middle
        else:
            high = middle
    return high
