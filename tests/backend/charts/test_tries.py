"""After how many tries: a line a method, the numbers of the comparison's table, and why there is none."""

import plotly.graph_objects as go

from backend.charts import FIGURES, ChartOptions
from backend.comparison import build
from tests.backend.charts.chart_reading import decoded
from tests.backend.comparison.test_selection import PLANS, tuned
from tests.backend.make_records import study

DRAW = FIGURES["tries"]


def test_lines_are_what_tries_are_expected_to_find() -> None:
    compared = build.build(tuned())
    figure = DRAW(compared, ChartOptions())
    go.Figure({"data": figure["data"], "layout": figure["layout"]})
    assert compared.selection is not None
    drawn = {trace["meta"]["arm"]: trace for trace in figure["data"]}
    assert set(drawn) == {method.arm_id for method in compared.selection.methods}
    for method in compared.selection.methods:
        assert method.best_of is not None
        assert decoded(drawn[method.arm_id]["y"]).tolist() == method.best_of.test
        assert decoded(drawn[method.arm_id]["x"]).tolist() == list(range(1, method.candidates + 1))
        assert method.method_title in figure["layout"]["meta"]["alt"]
    assert "lower is better" in figure["layout"]["meta"]["alt"]
    only = DRAW(compared, ChartOptions(arms=frozenset({compared.selection.methods[0].arm_id})))
    assert len(only["data"]) == 1


def test_without_test_rows_it_says_why() -> None:
    figure = DRAW(build.build(study(PLANS)), ChartOptions())
    assert figure["data"] == []
    assert "No method has test rows" in figure["layout"]["meta"]["alt"]
