"""What charts are made of: colours, escaping, typed arrays, and thinning."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformer_dropout import PRESETS

from backend.charts.arrays import MOST_POINTS, band_outline, floats, table, thin
from backend.charts.cells import DOUBT, PALE, SCALE
from backend.charts.palette import METHODS, look
from backend.charts.text import safe
from backend.comparison.words import plus_minus
from tests.backend.charts.chart_reading import decoded

DEMO_METHODS = (
    "none", "native_dropout", "adapter_dropout", "dropkey",
    "hiddencut", "dropattention", "hiddenkey_minus", "hiddenkey",
)  # fmt: skip
# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB; the last one is normal sight.
SIGHTS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
    "normal": np.eye(3).tolist(),
}


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def blended(fill: str, ground: str) -> str:
    """What a half-transparent fill, "rgba(r,g,b,a)", looks like over a ground."""
    *over, alpha = (float(part) for part in fill.removeprefix("rgba(").removesuffix(")").split(","))
    under = np.array([int(ground[i : i + 2], 16) for i in (1, 3, 5)])
    return "#" + "".join(f"{round(part):02x}" for part in under * (1 - alpha) + np.array(over) * alpha)


# Surface, text and dimmed text of the page's themes (frontend/src/app/theme.ts).
THEMES = {
    "light": ("#ffffff", "#1a202c", "#5b6576"),
    "dark": ("#161a23", "#e8ebf0", "#9aa3b3"),
}


@pytest.mark.parametrize("theme", THEMES)
def test_what_stands_in_a_cell_can_be_read_on_it(theme: str) -> None:
    ground, text, dimmed = THEMES[theme]
    page = (Path(__file__).parents[3] / "frontend/src/app/theme.ts").read_text()
    assert all(colour in page for colour in THEMES[theme])
    for _, fill in SCALE:
        assert contrast(blended(fill, ground), text) >= 4.5, fill
    for _, fill in PALE:
        assert contrast(blended(fill, ground), dimmed) >= 4.5, fill
        assert contrast(blended(fill, "#ffffff"), DOUBT) >= 4.5, "in a notebook"


def test_every_preset_has_a_look_of_its_own() -> None:
    assert set(METHODS) == set(PRESETS)
    assert max(Counter(METHODS.values()).values()) == 1


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_demos_methods_are_told_apart_by_everyone(sight: str) -> None:
    """ΔE (CIE 1976) of 12 is several times what is just noticeable; markers differ as well."""
    seen = {name: lab(np.array(SIGHTS[sight]) @ linear(METHODS[name][0])) for name in DEMO_METHODS}
    closest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen.values(), 2))
    assert closest > 12


@pytest.mark.parametrize("ground", ["#ffffff", "#242424"])
def test_colours_stand_out_in_light_and_dark(ground: str) -> None:
    assert min(contrast(colour, ground) for colour, _ in METHODS.values()) > 2.2


def test_settings_keep_the_hue_and_change_lightness() -> None:
    light, plain, dark = (lab(linear(look("hiddenkey", tone=tone).colour)) for tone in (-1, 0, 1))
    assert light[0] > plain[0] + 8 > dark[0] + 16
    hues = [np.arctan2(one[2], one[1]) for one in (light, plain, dark)]
    assert max(hues) - min(hues) < 0.25
    assert look("hiddenkey", 1).colour == look("hiddenkey").colour
    assert look("composed:ab", 0) == look("composed:ab", 0)
    assert look("none").fill(0.2) == "rgba(112,112,112,0.2)"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("HiddenKey 0.1 · r8", "HiddenKey 0.1 · r8"),
        ("<b>x</b> & y", "&lt;b&gt;x&lt;/b&gt; &amp; y"),
        ("%{y}", "%\u200b{y}"),
        ("$x$", "&#36;x&#36;"),
        ("two\nlines\t", "two lines "),
        ("a\u202eb", "ab"),
        ("שלום", "\u2068שלום\u2069"),
        ("y" * 50, "y" * 41 + "…"),
    ],
)
def test_names_are_shown_literally(name: str, shown: str) -> None:
    assert safe(name) == shown


@given(st.text(max_size=300))
@settings(max_examples=60)
def test_no_name_carries_markup(name: str) -> None:
    shown = safe(name)
    assert not set(shown) & {"<", ">", "$", "\n"}
    assert "%{" not in shown


def test_typed_arrays_come_back_exactly() -> None:
    values = [0.1, None, -1e300, 3.0]
    np.testing.assert_array_equal(decoded(floats(values)), [0.1, np.nan, -1e300, 3.0])
    np.testing.assert_array_equal(decoded(table([[1.0, None], [2.0, 3.0]])), [[1.0, np.nan], [2.0, 3.0]])
    assert go.Scatter(y=floats(values)).y is not None


@given(st.integers(0, 3000), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_thinning_keeps_ends_and_peaks(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.arange(float(n)), rng.normal(size=n)
    thin_x, thin_y = thin(x, y)
    assert len(thin_x) <= MOST_POINTS
    if n:
        assert (thin_x[0], thin_x[-1]) == (0, n - 1)
        assert (thin_y.min(), thin_y.max()) == (y.min(), y.max())
        assert (np.diff(thin_x) > 0).all()
        np.testing.assert_array_equal(y[thin_x.astype(int)], thin_y)


def test_thinning_keeps_long_breaks() -> None:
    y = np.ones(2000)
    y[500:1000] = np.nan
    thin_x, thin_y = thin(np.arange(2000.0), y)
    inside = (thin_x > 510) & (thin_x < 990)
    assert inside.any()
    assert np.isnan(thin_y[inside]).all()


def test_thinning_keeps_short_breaks() -> None:
    """One value that is no number, between others: a long line breaks there as a short one does."""
    y = np.ones(2000)
    y[700] = np.nan
    thin_x, thin_y = thin(np.arange(2000.0), y)
    assert np.isnan(thin_y[thin_x == 700]).all()
    assert 700 in thin_x


def test_bands_break_where_there_is_no_interval() -> None:
    lo = np.array([0.0, 0.1, np.nan, 0.3, 0.4])
    x, y = band_outline(np.arange(5.0), lo, lo + 1)
    np.testing.assert_array_equal(x, [0, 1, 1, 0, 0, np.nan, 3, 4, 4, 3, 3])
    np.testing.assert_array_equal(y, [1.0, 1.1, 0.1, 0.0, 1.0, np.nan, 1.3, 1.4, 0.4, 0.3, 1.3])
    assert len(band_outline(np.arange(2.0), np.full(2, np.nan), np.full(2, np.nan))[0]) == 0


def test_a_difference_that_rounds_to_zero_has_no_sign() -> None:
    written = [plus_minus(value, None, 3, sign=True) for value in (-0.0001, 0.25, -0.25, None)]
    assert written == ["0.000", "+0.250", "−0.250", "–"]
