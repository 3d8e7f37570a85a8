"""Overfitting as an amount: right on average, and no easier to find where one looks more often."""

import numpy as np
import pytest
from scipy import stats

from backend.comparison.statistics.rise import rise, width


def curves(
    rng: np.random.Generator,
    shape: np.ndarray,
    rows: int,
    *,
    seeds: int = 5,
    look: float = 0.0,
    shared: float = 0.0,
    row: float = 0.5,
) -> tuple[np.ndarray, np.ndarray]:
    """The halves' losses [seeds, looks]: a shape, a seed's level, a look's own luck (the model's, so of both halves),
    and noise of rows at a look, each seed's and (`shared`) that of all seeds.
    """
    size = (seeds, len(shape))
    model = shape + rng.normal(0, 0.04, (seeds, 1)) + rng.normal(0, look, size)
    half = (rows / 2) ** 0.5
    a, b = (model + rng.normal(0, row / half, size) + rng.normal(0, shared / half, len(shape)) for _ in range(2))
    return a, b


def flat(looks: int) -> np.ndarray:
    return np.zeros(looks)


def falling(looks: int) -> np.ndarray:
    return -0.3 * np.arange(1, looks + 1) / looks


def rising(looks: int, by: float = 0.2, turn: float = 0.4) -> np.ndarray:
    """Falls until `turn` of the training, then climbs back by `by`."""
    share = np.arange(1, looks + 1) / looks
    return -0.3 * np.minimum(share / turn, 1) + by * np.maximum(share - turn, 0) / (1 - turn)


def found(shape: np.ndarray, rows: int, trials: int, **more: float) -> float:
    """The share of trials in which the interval lies above zero."""
    rng = np.random.default_rng(16)
    yes = 0
    for _ in range(trials):
        told = rise(*curves(rng, shape, rows, **more))  # type: ignore[arg-type]  # `seeds` is a whole number
        assert told is not None
        assert told.interval.lo is not None
        yes += told.interval.lo > 0
    return yes / trials


def test_the_amount_is_what_was_put_in() -> None:
    a = np.tile([0.7, 0.5, 0.4, 0.45, 0.5, 0.55, 0.6, 0.64], (3, 1)) + np.array([[0.0], [0.01], [0.05]])
    b = a.copy()
    told = rise(a, b)
    assert told is not None
    assert told.amounts == pytest.approx(3 * [0.62 - 0.425])
    assert told.lowest.tolist() == [2]
    assert told.of(np.tile(np.arange(8.0), (3, 1))) == pytest.approx(6.5 - 2.5)
    assert (told.interval.mean, told.interval.half_width) == (pytest.approx(0.195), None), "nothing varies"


def test_where_to_look_is_chosen_by_other_seeds_on_other_rows() -> None:
    """One run's own dip, on both halves, is no low: it is the luck of that look."""
    shape = np.tile([0.7, 0.5, 0.4, 0.42, 0.44], (4, 1))
    a, b = shape.copy(), shape.copy()
    a[0, 1] = b[0, 1] = 0.35
    told = rise(a, b)
    assert told is not None
    assert told.amounts == pytest.approx([0.04, 0.04, 0.04, 0.04])
    a[:, 3] = 0.2  # half A alone would stop there, and half B tells what that is worth
    told = rise(a, b)
    assert told is not None
    assert told.amounts == pytest.approx(4 * [((0.44 - 0.42) + (0.44 - 0.4)) / 2])


@pytest.mark.parametrize("shared", [0.0, 1.5])
def test_the_interval_is_that_of_crossed_components(shared: float) -> None:
    """Mean squares by the book, and Satterthwaite's degrees of freedom; three looks, so one look is each end."""
    a, b = curves(np.random.default_rng(4 if shared else 9), flat(3), 60, shared=shared)
    told = rise(a, b)
    assert told is not None
    d = np.empty((5, 2))
    for run in range(5):
        others = [one for one in range(5) if one != run]
        for side, (asked, said) in enumerate(((a, b), (b, a))):
            low = int(asked[others, :2].mean(axis=0).argmin())
            d[run, side] = said[run, 2] - said[run, low]
    seeds, halves, mean = d.mean(1), d.mean(0), d.mean()
    of_seeds, of_halves = 2 * seeds.var(ddof=1), 5 * halves.var(ddof=1)
    rest = ((d - seeds[:, None] - halves + mean) ** 2).sum() / 4
    assert (of_halves > rest) == bool(shared), "both ways are tried"
    variance, parts = of_seeds, of_seeds**2 / 4
    if shared:
        variance, parts = of_seeds + of_halves - rest, parts + of_halves**2 + rest**2 / 4
    half = stats.t.ppf(0.975, max(1, variance**2 / parts)) * (variance / 10) ** 0.5
    assert (told.interval.mean, told.interval.half_width) == pytest.approx((mean, half))


def test_too_little_to_tell() -> None:
    assert rise(np.empty((0, 5)), np.empty((0, 5))) is None
    assert rise(np.zeros((3, 2)), np.zeros((3, 2))) is None
    assert rise(np.full((3, 5), np.nan), np.zeros((3, 5))) is None
    one = rise(np.array([[0.7, 0.5, 0.6]]), np.array([[0.7, 0.5, 0.6]]))
    assert one is not None
    assert one.amounts == pytest.approx([0.1])
    assert one.interval.half_width is None


def test_a_run_that_stopped_early_has_its_own_end() -> None:
    a = np.tile([0.7, 0.5, 0.6, 0.7, 0.8, 0.9], (3, 1))
    a[0, 4:] = np.nan
    told = rise(a, a)
    assert told is not None
    assert [end.tolist() for end in told.end] == [[3], [5], [5]]
    assert told.amounts == pytest.approx([0.2, 0.4, 0.4])


def test_a_run_that_ended_before_the_others_had_a_low_has_no_amount() -> None:
    a = np.tile(np.linspace(1, 0, 9), (4, 1))
    a[0, 3:] = np.nan
    told = rise(a, a)
    assert told is not None
    assert told.interval.n == np.isfinite(told.amounts).sum()


@pytest.mark.parametrize(("looks", "wide"), [(3, 1), (5, 1), (6, 2), (8, 2), (20, 5), (50, 13)])
def test_an_end_is_a_quarter_of_the_evaluations(looks: int, wide: int) -> None:
    assert width(looks) == wide


@pytest.mark.parametrize("looks", [5, 20])
def test_a_flat_curve_is_seldom_said_to_rise(looks: int) -> None:
    """B6: at 10,000 rows a look's luck was taken for a rise in 24 to 61 of 100 studies."""
    assert found(flat(looks), 10_000, 500, look=0.02) <= 0.05


@pytest.mark.parametrize("looks", [5, 8, 20])
def test_a_rise_is_found_however_often_one_looks(looks: int) -> None:
    """B6: a rise of 0.2 at 512 rows was found in 100 %, 18 % and 1.3 % of studies with 5, 8 and 20 looks."""
    assert found(rising(looks), 512, 150, look=0.02) >= 0.85


def test_a_loss_that_still_falls_does_not_rise() -> None:
    for looks in (5, 8, 20):
        assert found(falling(looks), 10_000, 50, look=0.02) == 0


@pytest.mark.slow
@pytest.mark.parametrize("rows", [160, 512, 2_000, 10_000])
def test_flat_curves_of_every_kind(rows: int) -> None:
    """At most 5 % and two Monte-Carlo standard errors, whatever is noise: looks, rows, or, where two halves say least,
    rows that move alike in all seeds.
    """
    for looks in (5, 8, 20):
        for bar, noise in ((0.05, {}), (0.05, {"look": 0.02}), (0.05, {"look": 0.044}), (0.06, {"shared": 0.3})):
            for seeds in (3, 5, 8):
                share = found(flat(looks), rows, 400, seeds=seeds, **noise)
                assert share <= bar + 2 * (bar * (1 - bar) / 400) ** 0.5, (looks, noise, seeds, share)


@pytest.mark.slow
@pytest.mark.parametrize("turn", [0.4, 0.7])
def test_the_power_at_512_rows(turn: float) -> None:
    """At least 80 % for a rise of 0.2, early or late, with five seeds and any number of looks."""
    for looks in (5, 8, 20):
        share = found(rising(looks, turn=turn), 512, 400, look=0.02)
        assert share >= 0.8, (looks, share)
