"""Seeds needed: power of the paired t test against SciPy's noncentral t and against drawn studies."""

import numpy as np
import pytest
from scipy import stats

from backend.comparison.statistics.power import CAP, paired_t_power, seeds_needed


@pytest.mark.parametrize(("n", "effect", "alpha"), [(2, 1.0, 0.05), (5, 0.4, 0.05), (18, 0.7, 0.01), (200, 0.1, 0.05)])
def test_power_equals_scipys_noncentral_t(n: int, effect: float, alpha: float) -> None:
    critical, shift = stats.t.ppf(1 - alpha / 2, n - 1), effect * np.sqrt(n)
    expected = stats.nct.sf(critical, n - 1, shift) + stats.nct.cdf(-critical, n - 1, shift)
    assert paired_t_power(n, effect, alpha) == pytest.approx(expected, abs=1e-7)


def test_power_equals_the_share_of_drawn_studies_that_reject() -> None:
    drawn = np.random.default_rng(5).normal(0.8, 1.0, (20_000, 8))
    share = (stats.ttest_1samp(drawn, 0, axis=1).pvalue < 0.05).mean()
    assert paired_t_power(8, 0.8) == pytest.approx(share, abs=0.012)


@pytest.mark.parametrize(("n", "effect", "alpha"), [(3, 4.286, 0.05 / 39), (6, 4.286, 0.05 / 39), (2, 9.0, 0.05)])
def test_power_of_large_effects_at_strict_levels(n: int, effect: float, alpha: float) -> None:
    """SciPy's noncentral t is not a number at the first two."""
    draw = np.random.default_rng(3)
    t = (draw.standard_normal(400_000) + effect * np.sqrt(n)) / np.sqrt(draw.chisquare(n - 1, 400_000) / (n - 1))
    share = (np.abs(t) > stats.t.ppf(1 - alpha / 2, n - 1)).mean()
    assert paired_t_power(n, effect, alpha) == pytest.approx(share, abs=0.004)


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 7, 0.05 / 39])
def test_the_search_finds_what_counting_up_finds(alpha: float) -> None:
    for effect in np.geomspace(0.12, 900, 60):
        counted = next((n for n in range(2, CAP + 1) if paired_t_power(n, effect, alpha) >= 0.8), None)
        assert seeds_needed(float(effect), 1.0, alpha) == counted


@pytest.mark.parametrize(
    ("sd", "gap", "correlation", "expected"), [(0.7, 0.5, 0.5, 18), (1.2, 1.0, 0.8, 7), (2.0, 2.0, 0.5, 10)]
)
def test_known_sample_sizes(sd: float, gap: float, correlation: float, expected: int) -> None:
    """The spread of the differences is √(2 s² (1 − ρ)) for two arms of equal spread."""
    assert seeds_needed(gap, sd * np.sqrt(2 * (1 - correlation))) == expected


@pytest.mark.parametrize("effect", [0.15, 0.5, 1.3, 40.0])
def test_the_answer_is_the_smallest_that_reaches_the_power(effect: float) -> None:
    needed = seeds_needed(effect, 1.0)
    assert needed is not None
    assert paired_t_power(needed, effect) >= 0.8
    assert needed == 2 or paired_t_power(needed - 1, effect) < 0.8


def test_a_stricter_level_needs_more_seeds() -> None:
    plain, corrected = seeds_needed(0.5, 1.0), seeds_needed(0.5, 1.0, 0.05 / 7)
    assert plain is not None
    assert corrected is not None
    assert corrected > plain


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (None, 1.0), (0.5, None), (0.5, 0.0), (1e-4, 1.0)])
def test_no_answer_where_there_is_none(mean: float | None, sd: float | None) -> None:
    assert seeds_needed(mean, sd) is None
    assert CAP == 1000
