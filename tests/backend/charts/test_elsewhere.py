"""Learned against forgotten: the points are the comparison's numbers, and every state has a picture."""

import plotly.graph_objects as go
import pytest

from backend.charts import FIGURES, ChartOptions
from backend.comparison import build
from backend.comparison.schema import Comparison
from tests.backend.charts.chart_reading import decoded
from tests.backend.comparison.elsewhere.test_elsewhere import PLANS, SEEDS, measured
from tests.backend.make_records import study

DRAW = FIGURES["elsewhere"]


@pytest.fixture(scope="module")
def compared() -> Comparison:
    return build.build(measured())


def test_points_are_what_changed_at_both_clocks_with_their_seeds(compared: Comparison) -> None:
    figure = DRAW(compared, ChartOptions())
    go.Figure({"data": figure["data"], "layout": figure["layout"]})
    found = compared.elsewhere
    assert found is not None
    for arm, own, there in zip(compared.arms, found.own[0].arms, found.sets[0].measures[0].arms, strict=True):
        of_arm = {trace["meta"]["role"]: trace for trace in figure["data"] if trace["meta"]["arm"] == arm.id}
        assert set(of_arm) == {"last", "stopped", "seeds_last", "seeds_stopped"}
        assert there.stopped is not None
        assert own.stopped is not None
        for clock, learned, changed in (("last", own.last, there.last), ("stopped", own.stopped, there.stopped)):
            assert decoded(of_arm[clock]["x"]).tolist() == [-(learned.change.mean or 0)]
            assert decoded(of_arm[clock]["y"]).tolist() == [changed.change.mean]
            assert len(decoded(of_arm[f"seeds_{clock}"]["x"])) == SEEDS
        assert of_arm["stopped"]["marker"]["symbol"].endswith("-open")
        assert "error_y" in of_arm["last"]
    assert "hiddenkey" not in figure["layout"]["meta"]["alt"].split("general: ")[0]
    assert "HiddenKey" in figure["layout"]["meta"]["alt"]


def test_every_data_set_has_a_panel(compared: Comparison) -> None:
    found = compared.elsewhere
    assert found is not None
    twice = found.model_copy(update={"sets": [found.sets[0], found.sets[0]]})
    figure = DRAW(compared.model_copy(update={"elsewhere": twice}), ChartOptions())
    assert {trace["xaxis"] for trace in figure["data"]} == {"x", "x2"}
    assert figure["layout"]["meta"]["min_width"] == 720
    assert "general" in figure["layout"]["yaxis2"]["title"]["text"]


def test_without_numbers_it_says_why(compared: Comparison) -> None:
    found = compared.elsewhere
    assert found is not None
    empty = found.model_copy(update={"own": [], "sets": []})
    for shown, said in (
        (build.build(study(PLANS)), "Nothing but the study's own rows was measured."),
        (compared.model_copy(update={"elsewhere": empty}), "No run has finished yet."),
    ):
        figure = DRAW(shown, ChartOptions())
        assert figure["data"] == []
        assert figure["layout"]["annotations"][0]["text"] == said
