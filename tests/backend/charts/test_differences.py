"""The forest of differences draws the API's own numbers at both clocks, with every seed, the verdict and the cost."""

from typing import Any

import numpy as np

from backend.charts import FIGURES, ChartOptions
from backend.comparison import build as comparison
from tests.backend.charts.chart_reading import decoded, traces_of
from tests.backend.comparison.plan.test_draw import planned
from tests.backend.make_records import DEMO, Plan, study, with_halves


def drawn(built: Any) -> dict[str, Any]:
    return FIGURES["differences"](built, ChartOptions())


def test_every_arm_has_a_row_with_both_clocks_and_every_seed() -> None:
    built = comparison.build(with_halves(study(DEMO), noise=0.02))
    figure = drawn(built)
    base = next(arm for arm in built.arms if arm.is_baseline)
    assert base.name in figure["layout"]["title"]["text"]
    assert set(figure["layout"]["meta"]["rows"]) == {arm.id for arm in built.arms}
    for arm in built.arms:
        assert arm.stopped is not None
        (means,) = traces_of(figure, arm.id, "difference")
        (seeds,) = traces_of(figure, arm.id, "seeds")
        if arm.is_baseline:
            rival = arm.stopped.last_against_stopped["validation/loss"].mean
            assert rival is not None
            assert decoded(means["x"]).tolist() == [-rival], "what stopping in time is worth, without any method"
            assert figure["layout"]["meta"]["rows"][0] == arm.id
            continue
        both = [arm.differences["validation/loss"], arm.stopped.differences["validation/loss"]]
        assert means["customdata"] == ["last", "stopped"]
        assert means["marker"]["symbol"] == ["circle", "circle-open"]
        assert decoded(means["x"]).tolist() == [one.mean for one in both]
        assert decoded(means["error_x"]["array"]).tolist() == [one.half_width for one in both]
        assert decoded(seeds["x"]).tolist() == [pair.value for one in both for pair in one.pairs]


def test_it_says_which_way_is_better_and_what_an_arm_came_to() -> None:
    built = comparison.build(study(DEMO))
    figure = drawn(built)
    assert "← lower is better" in figure["layout"]["xaxis"]["title"]["text"]
    rows = dict(zip(figure["layout"]["meta"]["rows"], figure["layout"]["yaxis"]["ticktext"], strict=True))
    for arm in built.arms:
        if arm.is_baseline:
            assert arm.id not in rows, "no clock but the last is known, and there it is 0"
            continue
        decided = arm.differences["validation/loss"].decided
        assert {"lower": "better", "higher": "worse"}.get(decided, decided) in rows[arm.id]
        assert f"{arm.compute.seconds_factor:.2f} × the time" in rows[arm.id]


def test_the_chosen_metric_is_drawn_in_its_own_direction() -> None:
    built = comparison.build(study(DEMO), metric="validation/accuracy")
    figure = drawn(built)
    assert "higher is better →" in figure["layout"]["xaxis"]["title"]["text"]
    for arm in built.arms[1:]:
        (mean,) = traces_of(figure, arm.id, "difference")
        assert decoded(mean["x"])[0] == arm.differences["validation/accuracy"].mean


def test_two_seeds_are_drawn_as_seeds_without_an_interval() -> None:
    figure = drawn(comparison.build(study(DEMO[:3], seeds=2)))
    for trace in figure["data"]:
        if trace["meta"]["role"] == "difference":
            assert np.isnan(decoded(trace["error_x"]["array"])).all()
        if trace["meta"]["role"] == "seeds":
            assert len(decoded(trace["x"])) == 2


def test_forty_arms_keep_apart() -> None:
    """A row is taller than its two lines of words (12 and 10 px), on a narrow page taller than one and its marks."""
    built = comparison.build(study([Plan("none"), *(Plan("dropkey", f"DropKey {i}") for i in range(39))], seeds=3))
    layout = drawn(built)["layout"]
    rows = len(layout["meta"]["rows"])
    assert rows == 39
    assert layout["height"] / rows >= 1.35 * (12 + 10)
    assert layout["meta"]["narrow"]["height"] / rows >= 1.35 * 11 + 30
    assert len(drawn(built)["data"]) <= 2 * rows + 4, "few enough to be drawn without a pause"
    assert len({note["y"] for note in layout["meta"]["narrow"]["annotations"]}) == rows


def test_the_plans_verdict_stands_beside_what_it_judges_only() -> None:
    """Against another baseline, or in another quantity, the row says what that difference says."""
    records = planned()
    own = comparison.build(records)
    assert own.plan is not None
    other = next(arm for arm in own.arms if arm.verdict is not None)
    assert other.verdict is not None
    assert other.verdict.title in FIGURES["differences"](own, ChartOptions())["layout"]["meta"]["alt"]
    for compared in (comparison.build(records, baseline=other.id), comparison.build(records, metric="gap")):
        alt = FIGURES["differences"](compared, ChartOptions())["layout"]["meta"]["alt"]
        assert not any(arm.verdict.title in alt for arm in compared.arms if arm.verdict is not None)
