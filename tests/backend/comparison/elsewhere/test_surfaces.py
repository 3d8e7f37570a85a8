"""What it cost elsewhere, in the terminal, in a report, in the client's data frame, through the API."""

import io

import pytest
from fastapi.testclient import TestClient
from rich.console import Console
from sqlalchemy import select

from backend.cli import result_table as command
from backend.client.tables import comparison_frame
from backend.comparison import build
from backend.reports.elsewhere_table import elsewhere_table
from backend.shared.tables import EvaluationRow, Run
from tests.backend.inside import inside
from tests.backend.make_records import study
from tests.backend.make_studies import API, post, train
from tests.backend.uploads.test_uploads import BODY, PLAN, send

from .test_elsewhere import PLANS, SEEDS, measured


def test_the_terminal_prints_table_and_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(command, "out", lambda: Console(file=screen, width=200))
    built = build.build(measured(noise=0.001))
    command.print_result(built.model_dump(mode="json"), as_json=False)
    said = screen.getvalue()
    assert "What it cost elsewhere" in said
    assert "HiddenKey forgot less than No dropout" in " ".join(said.split())
    table = elsewhere_table(built, 3)
    assert table is not None
    row = next(row for row in table.rows if row[0] == "hiddenkey")
    assert row[:3] == ("hiddenkey", "Loss on general", "2.000")
    assert row[4].startswith("+0.119 ±")
    assert row[6] == "lower, p < 0.001"


def test_the_verdict_says_it_at_the_clock_that_it_advises() -> None:
    records = measured(noise=0.001)
    verdict = build.build(records).verdict
    advised = build.build(records, clock=verdict.clock).elsewhere
    assert advised is not None
    assert [line.text for line in verdict.lines if line.about == "elsewhere"] == [advised.sentence]
    plain = build.build(study(PLANS, seeds=SEEDS))
    assert not [line for line in plain.verdict.lines if line.about == "elsewhere"]


def test_the_data_frame_has_a_column_for_each() -> None:
    pytest.importorskip("pandas")
    built = build.build(measured())
    frame = comparison_frame(built.model_dump(mode="json"))
    row = frame.loc["arm-1"]
    assert row["also/general/loss before"] == 2.0
    assert row["also/general/loss"] - 2.0 == pytest.approx(row["also/general/loss change"])
    assert row["also/general/loss change − baseline"] < 0
    assert "stopped also/general/loss change" in frame.columns


def test_what_runs_report_is_in_comparison_metrics_file_and_report(client: TestClient) -> None:
    made = [
        client.post(f"{API}/uploads/{send(client, BODY)}/commit", json={**PLAN, "id": name})
        for name in ("own", "further")
    ]
    assert [answer.status_code for answer in made] == [201, 201]
    study_id = post(client, dataset="own", train_rows=40, validation_rows=10, seeds=3, also_measure=["further"])["id"]
    context = inside(client)
    done = train(context.database, context.settings.home)
    name = "also/further/loss"
    with context.database.write() as session:
        runs = {run.id: run for run in session.scalars(select(Run))}
        for row in session.scalars(select(EvaluationRow)):
            row.extra = {name: 1.0 + 0.1 * row.step + 0.01 * runs[row.run_id].seed}
        for run_id in done:
            first = {"run_id": run_id, "step": 0, "epoch": 0.0, "extra": {name: 1.0}, "nonfinite": {}}
            session.add(EvaluationRow(**first, validation_loss=0.7))
        broken = session.get_one(EvaluationRow, (done[0], 8))
        broken.extra, broken.nonfinite = {name: None}, {name: "nan"}
    found = client.get(f"{API}/studies/{study_id}/comparison").json()
    (one,) = found["elsewhere"]["sets"]
    assert (one["dataset"], one["split"], one["measures"][0]["name"]) == ("further", "validation", name)
    arms = one["measures"][0]["arms"]
    assert sorted(arm["last"]["worst"] for arm in arms) == [0, 1]
    whole = next(arm for arm in arms if arm["last"]["worst"] == 0)
    assert whole["last"]["change"]["mean"] == pytest.approx(0.81)
    assert whole["before"]["mean"] == 1.0
    assert found["arms"][0]["curve"]["step"] == [2, 4, 6, 8]
    report = client.get(f"{API}/studies/{study_id}/report").json()
    assert report["elsewhere"]["rows"]
    assert report["elsewhere_text"].startswith(found["elsewhere"]["sentence"])
    assert "was also measured on" in report["methods_text"]
    assert "What it cost elsewhere" in client.get(f"{API}/studies/{study_id}/report.html").text
    head = client.get(f"{API}/studies/{study_id}/export.csv").text.splitlines()[0]
    assert head.endswith(f"{name},planned")
    series = client.get(f"{API}/runs/{done[1]}/metrics").json()["series"]
    assert ("Loss on further", "nats", True) in [(s["title"], s["unit"], s["lower_is_better"]) for s in series]
