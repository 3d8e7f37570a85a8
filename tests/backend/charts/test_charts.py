"""Every chart is a valid Plotly figure that shows the comparison's numbers, in every state of a study."""

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from backend.charts import FIGURES, ChartOptions
from backend.charts.cells import PALE
from backend.comparison import build as comparison
from backend.comparison.schema import Comparison
from backend.comparison.statistics.records import Evaluations, StudyRecords
from tests.backend.charts.chart_reading import decoded, traces_of
from tests.backend.make_records import DEMO, Plan, study, with_halves, with_run, with_values, without_rows

SMALL = [Plan("none"), Plan("dropkey", rise=0.2), Plan("hiddenkey", rise=0.1)]
GRID = [
    Plan("none"),
    *(
        Plan("hiddencut", f"HiddenCut {p} · r{r}", 0.4 if p == 0.05 else 0.3, r, p)
        for r in (2, 8, 32)
        for p in (0.05, 0.1, 0.2)
    ),
]
TRICKY = "<script>alert('x')</script> & %{x} $a$ 🦙 שלום " + "x" * 160


def states() -> dict[str, StudyRecords]:
    whole = study(SMALL)
    rows = whole.evaluations.run
    return {
        "whole": study(DEMO),
        "grid": study(GRID),
        "one seed": study(SMALL, seeds=1),
        "one arm": study(SMALL[:1]),
        "no arm": StudyRecords("s", "Empty", 0, "classification", (), (), Evaluations.empty()),
        "nothing yet": without_rows(with_run(study(SMALL[:2], seeds=1), 0, status="queued"), np.ones(16, bool)),
        "nan": with_values(whole, "validation/loss", rows == 2, np.nan),
        "failed": with_run(whole, 1, status="failed", failure_code="loss_nan"),
        "different steps": without_rows(whole, (rows % 3 == 1) & (whole.evaluations.step > 96)),
        "many arms": study([Plan("none"), *(Plan("dropkey", f"DropKey {i}") for i in range(99))], seeds=2),
        "tricky names": study([Plan("none"), Plan("composed", TRICKY, 0.1)]),
    }


STATES = {name: comparison.build(records) for name, records in states().items()}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", FIGURES)
def test_every_chart_loads_in_plotly(name: str, state: str) -> None:
    figure = FIGURES[name](STATES[state], ChartOptions())
    loaded = go.Figure(json.loads(json.dumps(figure, allow_nan=False)))
    assert len(loaded.data) == len(figure["data"])
    meta = figure["layout"]["meta"]
    assert meta["name"] == name
    assert len(meta["alt"]) > 20
    assert "template" not in figure["layout"]
    assert figure["layout"]["uirevision"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", FIGURES)
def test_no_series_has_more_than_five_hundred_points(name: str, state: str) -> None:
    figure = FIGURES[name](STATES[state], ChartOptions())
    assert all(len(decoded(trace["x"])) <= 500 for trace in figure["data"] if trace["type"] == "scatter")


@pytest.mark.parametrize("name", FIGURES)
def test_names_cannot_inject(name: str) -> None:
    figure = FIGURES[name](STATES["tricky names"], ChartOptions())
    text = json.dumps({**figure, "layout": {**figure["layout"], "meta": {}}}, ensure_ascii=False)
    assert "<script" not in text
    assert "%{x} $" not in text
    assert "$a$" not in text


def test_ranking_is_best_first_with_every_seed() -> None:
    built = STATES["whole"]
    figure = FIGURES["ranking"](built, ChartOptions())
    rows = {trace["meta"]["arm"]: trace for trace in figure["data"] if trace["meta"]["role"] == "final"}
    assert [decoded(rows[arm_id]["y"])[0] for arm_id in built.ranking] == list(range(8))
    assert figure["layout"]["yaxis"]["ticktext"][0] == "HiddenKey"
    for arm in built.arms:
        final = arm.final["validation/loss"]
        assert decoded(rows[arm.id]["x"])[0] == final.mean
        assert decoded(rows[arm.id]["error_x"]["array"])[0] == final.half_width
        (seeds,) = traces_of(figure, arm.id, "seeds")
        np.testing.assert_array_equal(decoded(seeds["x"]), [seed.value for seed in final.seeds])
        filled = arm.is_baseline or arm.differences["validation/loss"].decided != "undecided"
        assert rows[arm.id]["marker"]["symbol"] == ("circle" if filled else "circle-open")


def test_heatmap_greys_and_rings_what_is_undecided() -> None:
    built = STATES["grid"]
    figure = FIGURES["heatmap"](built, ChartOptions())
    heats = [trace for trace in figure["data"] if trace["meta"]["role"] == "cells"]
    assert len({heat["xaxis"] for heat in heats}) == 3, "one panel a rank"
    shown: dict[str, float] = {}
    for heat in heats:
        cells = decoded(heat["z"])
        for row, ids in enumerate(heat["customdata"]):
            shown |= {arm: cells[row, column] for column, arm in enumerate(ids) if arm}
    effects = {arm.id: arm.differences["validation/loss"] for arm in built.arms if not arm.is_baseline}
    assert shown == {arm: effect.mean for arm, effect in effects.items()}
    doubtful = [trace for trace in figure["data"] if trace["meta"]["role"] == "doubtful"]
    spanning = [effect for effect in effects.values() if effect.decided == "undecided"]
    assert sum(len(trace["text"]) for trace in doubtful) == len(spanning) > 0
    assert all(text.startswith("○") for trace in doubtful for text in trace["text"])
    pale = {arm for heat in heats if heat["colorscale"] == PALE for ids in heat["customdata"] for arm in ids if arm}
    assert pale == {arm for arm, effect in effects.items() if effect.decided == "undecided"}
    assert all(heat["zmid"] == 0 and heat["zmin"] == -heat["zmax"] for heat in heats)
    axes = [axis for name, axis in figure["layout"].items() if name.startswith("xaxis")]
    assert {axis["side"] for axis in axes} == {"top"}, "a tall matrix is read from its head"


def _filled(figure: dict[str, Any]) -> np.ndarray:
    """The values of the first panel's cells, clear and doubtful."""
    heats = [
        decoded(trace["z"]) for trace in figure["data"] if trace["meta"]["role"] == "cells" and trace["xaxis"] == "x"
    ]
    return np.where(np.isfinite(heats[0]), heats[0], heats[-1])


def test_significance_stars_what_holds() -> None:
    built = STATES["whole"]
    assert built.pairwise is not None
    figure = FIGURES["significance"](built, ChartOptions())
    np.testing.assert_array_equal(
        _filled(figure)[~np.eye(8, dtype=bool)], np.array(built.pairwise.mean, float)[~np.eye(8, dtype=bool)]
    )
    stars = sum(text.endswith("*") for trace in figure["data"] if "textfont" in trace for text in trace["text"])
    assert stars == sum((p or 1.0) < 0.05 for row in built.pairwise.p_holm for p in row)


def test_framework_puts_an_arm_in_its_cell_and_offers_the_empty_ones() -> None:
    figure = FIGURES["framework"](STATES["grid"], ChartOptions(offers=True))
    assert "+ run" not in str(FIGURES["framework"](STATES["grid"], ChartOptions())["data"]), "in a report nobody can"
    assert _filled(figure)[2, 0] == pytest.approx(
        np.mean([arm.differences["validation/loss"].mean for arm in STATES["grid"].arms[1:]])
    )
    (empty,) = [trace for trace in figure["data"] if trace["meta"]["role"] == "empty"]
    offered = {tuple(ids[:2]) for ids in empty["customdata"] if ids[0]}
    assert ("attention_logits", "column") in offered
    assert ("hidden", "element") not in offered, "it is filled"
    assert ("adapter_rank", "span") not in offered, "the framework has no such cell"


def test_capacity_joins_the_ranks_of_one_method_and_rate() -> None:
    figure = FIGURES["capacity"](STATES["grid"], ChartOptions())
    lines = [trace for trace in figure["data"] if len(decoded(trace["x"])) == 3 and trace["xaxis"] == "x"]
    assert len(lines) == 3
    built = STATES["grid"]
    assert decoded(lines[0]["y"])[1] in [arm.final["gap"].mean for arm in built.arms if arm.rank == 8]


def test_capacity_keeps_arms_apart_that_drop_elsewhere() -> None:
    site = {"position": "hidden", "structure": "element", "rescale": "inverted", "rate": 0.1}
    plans = [
        Plan("composed", f"{place} r{rank}", rank=rank, site={**site, "place": place})
        for place in ("ffn_output", "ffn_inner")
        for rank in (2, 8)
    ]
    figure = FIGURES["capacity"](comparison.build(study([Plan("none"), *plans], seeds=3)), ChartOptions())
    lines = [decoded(trace["x"]) for trace in figure["data"] if trace["xaxis"] == "x"]
    assert sorted(len(line) for line in lines) == [1, 2, 2]


def test_a_crowd_is_cut_to_the_best_and_the_baseline() -> None:
    built: Comparison = STATES["many arms"]
    figure = FIGURES["losses"](built, ChartOptions())
    drawn = figure["layout"]["meta"]["arms"]
    assert len(drawn) == 40
    assert "arm-0" in drawn
    assert set(built.ranking[:39]) <= set(drawn)
    assert figure["layout"]["meta"]["arms_left_out"] == 60
    assert not [trace for trace in figure["data"] if trace["meta"]["role"].startswith("band")]


def test_chosen_arms_only() -> None:
    figure = FIGURES["gap"](STATES["whole"], ChartOptions(arms=frozenset({"arm-1", "arm-4"})))
    assert {trace["meta"]["arm"] for trace in figure["data"] if trace["meta"]["role"] != "key"} == {"arm-1", "arm-4"}


def test_zoom_survives_new_data_but_not_another_axis() -> None:
    def revision(**query: Any) -> str:
        return FIGURES["losses"](comparison.build(study(SMALL), **query), ChartOptions())["layout"]["uirevision"]

    assert revision() == revision(band="sd")
    assert revision() != revision(x="tokens")


def test_the_text_alternative_has_the_key_numbers() -> None:
    built = STATES["whole"]
    alt = FIGURES["gap"](built, ChartOptions())["layout"]["meta"]["alt"]
    final = built.arms[7].final["gap"]
    assert f"HiddenKey: {final.mean:.3f} ± {final.half_width:.3f} (n = 5)" in alt


def test_charts_of_arms_follow_the_clock_and_the_ranking_shows_the_other_one() -> None:
    records = with_halves(study(DEMO), noise=0.02)
    for clock, other, words in (("last", "stopped", "at the last evaluation"), ("stopped", "last", "stopped in time")):
        built = comparison.build(records, clock=clock)  # type: ignore[arg-type]  # both are clocks
        figure = FIGURES["ranking"](built, ChartOptions())
        assert figure["layout"]["title"]["text"].startswith(f"Validation loss {words}")
        shown = {trace["meta"]["arm"]: trace for trace in figure["data"] if trace["meta"]["role"] == "final"}
        (triangles,) = [trace for trace in figure["data"] if trace["meta"]["role"] == other]
        assert triangles["visible"] is True
        for row, arm_id in enumerate(built.ranking):
            arm = next(arm for arm in built.arms if arm.id == arm_id)
            assert arm.stopped is not None
            means = {"last": arm.final["validation/loss"].mean, "stopped": arm.stopped.final["validation/loss"].mean}
            assert decoded(shown[arm_id]["x"])[0] == means[clock]
            assert decoded(triangles["x"])[row] == means[other]
        apart = FIGURES["significance"](built, ChartOptions())["layout"]["title"]["text"]
        assert ("each stopped in time" in apart) == (clock == "stopped")


def test_cells_follow_the_clock() -> None:
    records = with_halves(study([Plan("none"), Plan("dropkey", "dropkey 0.1", 0.2, rate=0.1)]), noise=0.02)
    built = comparison.build(records, clock="stopped")
    stopped = built.arms[1].stopped
    assert stopped is not None
    heats = [trace for trace in FIGURES["framework"](built, ChartOptions())["data"] if trace["meta"]["role"] == "cells"]
    cells = np.concatenate([decoded(heat["z"]).ravel() for heat in heats])
    assert stopped.differences["validation/loss"].mean in cells


def test_the_framework_puts_methods_of_several_places_in_every_column_that_they_belong_to() -> None:
    plans = [Plan("none", rank=2), Plan("none", "No dropout · r8"), Plan("hiddenkey", rise=0.1), Plan("dropkey")]
    figure = FIGURES["framework"](comparison.build(study(plans, seeds=3)), ChartOptions())
    rows, columns = figure["layout"]["yaxis"]["ticktext"], figure["layout"]["xaxis"]["ticktext"]
    assert "No dropout · r8" not in rows, "it drops nothing"
    (axis,) = {trace["yaxis"] for trace in figure["data"] if "with hidden" in str(trace.get("text"))}
    texts = {
        (rows[int(y)], columns[int(x)]): text
        for trace in figure["data"]
        if trace["meta"]["role"] in ("clear", "doubtful") and trace["yaxis"] == axis
        for x, y, text in zip(trace["x"], trace["y"], trace["text"], strict=True)
    }
    assert texts["HiddenKey", "column"].endswith("attention logits")
    assert texts["HiddenKey", "element"] == "with hidden"
    longest = max(len(line) for text in texts.values() for line in text.split("<br>"))
    panels = 2
    width = (figure["layout"]["meta"]["min_width"] - 140) / (panels * len(columns))
    assert width >= 6 * longest, "no text runs into its neighbour's cell"


def test_a_heat_map_has_a_scale_and_marks_what_is_corrected() -> None:
    built = STATES["grid"]
    figure = FIGURES["heatmap"](built, ChartOptions())
    (scale,) = [trace for trace in figure["data"] if trace["meta"]["role"] == "scale"]
    assert scale["marker"]["showscale"]
    assert scale["marker"]["colorbar"]["orientation"] == "h"
    clear = [text for trace in figure["data"] if trace["meta"]["role"] == "clear" for text in trace["text"]]
    assert clear
    assert all(" *<br>" in text for text in clear)
    assert not any("0.00 ±" in text for text in clear), "three digits at least"
