"""The table of metrics: one entry is seen everywhere, and everything that is named has one."""

import io
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from rich.console import Console

from backend.charts import FIGURES, ChartOptions
from backend.cli.result_table import DIGITS, print_table
from backend.comparison import build as comparison
from backend.comparison import export
from backend.comparison.statistics.records import StudyRecords
from backend.openapi import schema_text
from backend.reports.table import result_table
from backend.shared.metrics import METRICS, Metric, in_comparison, recorded
from backend.shared.tables import EvaluationRow
from tests.backend.make_records import Plan, study
from tests.backend.make_studies import API, post

TASKS = {
    "classification": ("accuracy", "macro_f1", "matthews"),
    "regression": ("pearson", "spearman"),
    "causal_lm": ("bleu", "chrf", "ter", "rouge_l"),
}
ON_TEST_ROWS = {"classification": TASKS["classification"], "regression": TASKS["regression"], "causal_lm": ()}


def scored(task: str, *names: str) -> StudyRecords:
    """A study of two arms of this task, with these metrics and no other score."""
    records = study([Plan("none"), Plan("hiddenkey", rise=0.1)], seeds=3)
    table = records.evaluations
    rng = np.random.default_rng(1)
    metrics = {name: values for name, values in table.metrics.items() if name != "validation/accuracy"}
    metrics |= {name: 0.5 + 0.1 * rng.normal(size=len(table.step)) for name in names}
    return replace(records, task=task, evaluations=replace(table, metrics=metrics))


def test_one_entry_is_seen_everywhere(sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words, table of the report, that of the command line, CSV, charts, the API: none of them is told of it."""
    name = "validation/nines"
    entry = Metric(name, "Share of nines", "share", True, "compared", "share", short="Nines", said="share of nines")
    monkeypatch.setitem(METRICS, name, entry)
    records = scored("classification", name)

    built = comparison.build(records, metric=name)
    assert "Ranked by share of nines" in "".join(built.notes)
    assert "percentage points" in built.arms[1].differences[name].meaning
    means = [arm.final[name].mean for arm_id in built.ranking for arm in built.arms if arm.id == arm_id]
    assert means == sorted(means, reverse=True), "a higher one is better"

    assert "Nines" in result_table(built).columns
    screen = io.StringIO()
    print_table(Console(file=screen, width=120), "", result_table(built, DIGITS))
    assert "Nines" in screen.getvalue()
    assert name in next(iter(export.lines_of(records))).strip().split(",")
    assert FIGURES["ranking"](built, ChartOptions())["layout"]["title"]["text"].startswith("Share of nines")

    study_id = post(sqlite_client)["id"]
    monkeypatch.setattr(sqlite_client.app.state.comparisons, "_load", lambda *_: records)
    answer = sqlite_client.get(f"{API}/studies/{study_id}/comparison", params={"metric": name}).json()
    assert {"name": name, "title": "Share of nines", "short_title": "Nines", "unit": "share"}.items() <= next(
        quantity for quantity in answer["metrics"] if quantity["name"] == name
    ).items()
    assert f'"{name}"' in schema_text()


@pytest.mark.parametrize("task", TASKS)
def test_tables_show_every_score_of_a_task(task: str) -> None:
    names = [f"validation/{name}" for name in TASKS[task]]
    names += [f"test/{name}" for name in ("loss", *ON_TEST_ROWS[task])]
    built = comparison.build(scored(task, *names))
    titles = [METRICS[name].short_title for name in names]
    assert set(titles) <= set(result_table(built).columns)
    assert ("Perplexity" in result_table(built).columns) == (task == "causal_lm")


def test_a_study_tells_what_it_has_recorded() -> None:
    built = comparison.build(scored("regression", "validation/pearson"))
    told = {quantity.name: quantity for quantity in built.metrics}
    assert list(told) == list(built.arms[0].final)
    assert told["gap"].unit == built.loss_unit == "squared error per example"
    assert (told["slice_kl"].unit, told["validation/pearson"].unit) == ("nats", "")
    ranked_by = {name for name, quantity in told.items() if quantity.compared}
    assert ranked_by == set(built.arms[1].differences) == {"validation/loss", "gap", "validation/pearson"}
    assert {name for name, quantity in told.items() if quantity.higher_is_better} == {"validation/pearson"}


def test_a_name_that_is_none_is_refused_with_those_there_are(sqlite_client: TestClient) -> None:
    study_id = post(sqlite_client)["id"]
    for metric, said in (
        ("validation/nines", "'validation/loss', 'gap'"),
        ("train/seconds", "'slice_kl'"),
        ("test/loss", "was not recorded in this study"),
    ):
        answer = sqlite_client.get(f"{API}/studies/{study_id}/comparison", params={"metric": metric})
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["pointer"] == "/metric"
        assert said in error["detail"]


def test_entries_agree_with_each_other_and_the_database() -> None:
    assert all(name == metric.name for name, metric in METRICS.items())
    columns = set(EvaluationRow.__table__.columns.keys())
    assert columns - {"run_id", "step", "epoch", "extra", "nonfinite"} == {metric.column for metric in recorded()}
    for metric in METRICS.values():
        if metric.derived is not None:
            assert {metric.derived.of, metric.derived.minus or metric.derived.of} <= {one.name for one in recorded()}
        assert (metric.shown == "points") == (metric.unit == "points")
    titles = [metric.short_title for metric in in_comparison()]
    assert len(set(titles)) == len(titles), "heads of columns of one table"
