"""Curves are small multiples: a method a panel, the baseline in grey in each, ranges that the quantity can have."""

from typing import Any

import numpy as np
import pytest

from backend.charts import FIGURES, ChartOptions
from backend.charts.palette import GREY, METHODS
from backend.charts.panels import GAP_PX, PANEL_PX, height, place
from backend.comparison import build as comparison
from backend.comparison.schema import Comparison
from tests.backend.charts.chart_reading import decoded, traces_of
from tests.backend.make_records import DEMO, Plan, study, with_halves, with_run, with_values

SMALL = [Plan("none"), Plan("dropkey", rise=0.2), Plan("hiddenkey", rise=0.1)]
GRID = [
    Plan("none", "No dropout · r2", rank=2),
    Plan("none", "No dropout · r8", rank=8),
    *(Plan("dropkey", f"DropKey {p} · r{r}", 0.3, r, p) for r in (2, 8) for p in (0.05, 0.1, 0.2)),
]


def drawn(built: Comparison, name: str = "losses", **options: Any) -> dict[str, Any]:
    return FIGURES[name](built, ChartOptions(**options))


@pytest.fixture(scope="module")
def whole() -> Comparison:
    return comparison.build(study(DEMO))


def test_each_method_has_a_panel_with_the_baseline_in_grey(whole: Comparison) -> None:
    figure = drawn(whole)
    panels = figure["layout"]["meta"]["panels"]
    base, *others = whole.arms
    assert sorted(panel["arms"][0] for panel in panels) == sorted(arm.id for arm in others)
    assert [panel["arms"][0] for panel in panels] == [arm_id for arm_id in whole.ranking if arm_id != base.id]
    greys = traces_of(figure, base.id, "baseline validation/loss")
    assert [trace["xaxis"] for trace in greys] == [f"x{panel['axis']}" for panel in panels]
    assert {trace["line"]["color"] for trace in greys} == {GREY}
    for arm in others:
        assert arm.curve is not None
        for series, dash in (("probe/loss", "dash"), ("validation/loss", "solid")):
            (trace,) = traces_of(figure, arm.id, series)
            assert (trace["line"]["dash"], trace["line"]["color"]) == (dash, METHODS[arm.method][0])
            np.testing.assert_array_equal(decoded(trace["y"]), arm.curve.series[series].mean)
            (band,) = traces_of(figure, arm.id, f"band {series}")
            edges = decoded(band["y"])
            np.testing.assert_array_equal(edges[:8], arm.curve.series[series].hi)


def test_the_kept_step_is_ringed_or_else_where_overfitting_sets_in(whole: Comparison) -> None:
    (ring,) = traces_of(drawn(whole), "arm-1", "lowest")
    assert decoded(ring["x"])[0] == whole.arms[1].overfitting.step
    stopped = comparison.build(with_halves(study(DEMO), noise=0.02))
    (ring,) = traces_of(drawn(stopped), "arm-1", "kept")
    assert stopped.arms[1].stopped is not None
    assert decoded(ring["x"])[0] == stopped.arms[1].stopped.step.median


def test_two_seeds_are_two_lines_without_a_band_and_three_have_one() -> None:
    for seeds, kind in ((2, "seeds validation/loss"), (3, "band validation/loss")):
        kinds = {trace["meta"]["role"] for trace in drawn(comparison.build(study(SMALL, seeds=seeds)))["data"]}
        assert kind in kinds
        assert ("band validation/loss" in kinds) == (seeds == 3)


def test_the_band_seeds_draws_every_seed_with_breaks_between() -> None:
    built = comparison.build(study(SMALL), band="seeds")
    (trace,) = traces_of(drawn(built, "gap"), "arm-1", "seeds gap")
    curve = built.arms[1].curve
    assert curve is not None
    lines = np.array_split(decoded(trace["y"]), 5)
    for row, line in zip(curve.series["gap"].values, lines, strict=True):
        np.testing.assert_array_equal(line, [*row, np.nan])


def test_a_nan_is_a_break_in_the_line() -> None:
    records = study(SMALL, seeds=1)
    mask = (records.evaluations.run == 1) & (records.evaluations.step == 64)
    figure = drawn(comparison.build(with_values(records, "validation/loss", mask, np.inf)), "gap")
    (trace,) = traces_of(figure, "arm-1", "gap")
    assert list(np.isnan(decoded(trace["y"]))) == [False, False, False, True, False, False, False, False]
    assert trace["connectgaps"] is False


def test_the_y_axis_follows_the_lines_and_has_no_range_that_the_quantity_cannot_have() -> None:
    built = comparison.build(study(SMALL, noise=0.05), band="sd")
    figure = drawn(built)
    low, high = figure["layout"]["yaxis"]["range"]
    lines = np.concatenate(
        [decoded(trace["y"]) for trace in figure["data"] if trace["meta"]["role"].endswith(("n/loss", "e/loss"))]
    )
    assert 0 <= low <= np.nanmin(lines)
    assert np.nanmax(lines) <= high < np.nanmax(lines) * 1.1
    records = study(SMALL)
    everywhere = np.ones(len(records.evaluations.step), bool)
    shares = comparison.build(
        with_values(records, "validation/accuracy", everywhere, 1.0), metric="validation/accuracy"
    )
    assert drawn(shares, "accuracy")["layout"]["yaxis"]["range"][1] == 1.0


def test_a_huge_loss_does_not_flatten_the_others_and_it_is_said() -> None:
    records = study(SMALL)
    mask = (records.evaluations.run % 3 == 1) & (records.evaluations.step > 96)
    figure = drawn(comparison.build(with_values(records, "validation/loss", mask, 1e6)))
    assert figure["layout"]["yaxis"]["range"][1] < 10
    assert "A line leaves the chart above." in figure["layout"]["meta"]["alt"]


def test_while_it_runs_x_reaches_to_the_planned_end() -> None:
    records = study(SMALL)
    for index in range(len(records.runs)):
        records = with_run(records, index, status="running", total_steps=640)
    for x, end in (("step", 640.0), ("tokens", 640 * 200.0)):
        reach = drawn(comparison.build(records, x=x))["layout"]["xaxis"]["range"]  # type: ignore[arg-type]
        assert reach[0] == 0
        assert reach[1] == pytest.approx(1.01 * end, rel=0.01)


def test_rank_makes_panels_and_rate_makes_lightness_unless_asked_otherwise() -> None:
    built = comparison.build(study(GRID, seeds=3))
    panels = drawn(built)["layout"]["meta"]["panels"]
    assert len(panels) == 3, "DropKey at two ranks, and the plain adapter of the other rank"
    two, eight = (
        [traces_of(drawn(built), f"arm-{i}", "validation/loss")[0]["line"]["color"] for i in arms]
        for arms in ((2, 3, 4), (5, 6, 7))
    )
    assert two == eight
    assert len(set(two)) == 3
    assert len(drawn(built, panel="method")["layout"]["meta"]["panels"]) == 2
    assert len(drawn(built, panel="arm")["layout"]["meta"]["panels"]) == 7
    assert len(drawn(built, panel="rate")["layout"]["meta"]["panels"]) == 4
    by_rank = drawn(built, colour="rank")
    colours = {traces_of(by_rank, f"arm-{i}", "validation/loss")[0]["line"]["color"] for i in (2, 3, 4)}
    assert len(colours) == 1


def test_a_composed_cell_keeps_its_colour_over_ranks() -> None:
    site = {"position": "hidden", "structure": "element", "rescale": "inverted", "rate": 0.1}
    plans = [Plan("composed", f"mine r{rank}", rank=rank, site=site) for rank in (2, 8, 32)]
    built = comparison.build(study([Plan("none"), *plans], seeds=3))
    assert len({(arm.colour_key, arm.tone) for arm in built.arms[1:]}) == 1


def test_the_metric_that_is_asked_for_is_what_develops() -> None:
    for metric, roles in (("validation/accuracy", {"validation/accuracy"}), ("validation/loss", {"validation/loss"})):
        figure = drawn(comparison.build(study(SMALL), metric=metric), "curves")
        assert roles <= {trace["meta"]["role"] for trace in figure["data"]}
    assert drawn(comparison.build(study(SMALL), metric="gap"), "curves")["layout"]["title"]["text"].startswith("Gener")


def test_the_titles_of_forty_panels_do_not_overlap() -> None:
    built = comparison.build(study([Plan("none"), *(Plan("dropkey", f"DropKey {i}") for i in range(39))], seeds=3))
    figure = drawn(built, panel="arm")
    assert len(figure["layout"]["meta"]["panels"]) == 39
    for columns in (1, 2, 4):
        places = place(39, columns)
        total = height(-(-39 // columns))
        tops = sorted({down[1] for _, down, _, _ in places})
        assert min(np.diff(tops)) * total == pytest.approx(PANEL_PX + GAP_PX, abs=1)
        assert all(0 <= down[0] < down[1] <= 1 and 0 <= across[0] < across[1] <= 1 for across, down, _, _ in places)
    assert GAP_PX >= 16 + 2 * 17, "tick labels of one row, two lines of the next row's titles"
