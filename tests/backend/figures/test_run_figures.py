"""The charts of one run: drawn from what was measured, served with an ETag, the same in a notebook."""

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from fastapi.testclient import TestClient

from backend.charts import FIGURES, RUN_FIGURES, RunCurves
from backend.charts.arrays import MOST_POINTS
from backend.charts.palette import METHODS
from backend.shared.database import Database
from backend.shared.process import this_process
from backend.shared.schedule import Schedule
from backend.shared.settings import Settings
from backend.shared.store import queue, records, workers
from backend.shared.trainer_protocol import Evaluation
from tests.backend.charts.chart_reading import decoded
from tests.backend.make_studies import API, post, train

STEPS = np.array([10.0, 20.0, 30.0])
DENSE = np.linspace(1, 0, 4000)
DENSE[1234] = 9.0


def curves(**changes: Any) -> RunCurves:
    """A finished run whose middle evaluation has no probe loss."""
    whole: dict[str, Any] = {
        "run_id": "run-1",
        "study_id": "study-1",
        "event_seq": 7,
        "seed": 1,
        "status": "succeeded",
        "task": "classification",
        "colour_key": "hiddenkey",
        "steps": STEPS,
        "metrics": {
            "probe/loss": np.array([0.5, np.nan, 0.2]),
            "validation/loss": np.array([0.6, 0.7, 0.9]),
            "probe/slice_kl": np.array([0.01, 0.02, 0.04]),
            "train/tokens": np.array([1000.0, 2000.0, 3200.0]),
            "train/seconds": np.array([2.0, 4.0, 7.0]),
            "train/gradient_norm": np.array([4.0, 2.0, 1.5]),
        },
        "loss_steps": np.arange(1.0, 4001.0),
        "losses": DENSE,
        "step": 30,
        "schedule": Schedule(0.002, 3, 30),
    }
    return RunCurves(**{**whole, **changes})


def line(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(trace for trace in figure["data"] if trace["name"] == name)


QUEUED = {"status": "queued", "steps": np.empty(0), "metrics": {}, "losses": np.empty(0), "loss_steps": np.empty(0)}
BROKEN = {"validation/loss": np.array([np.nan, np.inf, 0.5]), "train/seconds": np.zeros(3)}


@pytest.mark.parametrize("name", RUN_FIGURES)
@pytest.mark.parametrize(
    "run",
    [curves(), curves(**QUEUED, step=0, schedule=None), curves(metrics=BROKEN)],
    ids=["whole", "queued", "broken"],
)
def test_every_figure_opens_in_plotly(name: str, run: RunCurves) -> None:
    figure = RUN_FIGURES[name](run)
    go.Figure(json.loads(json.dumps(figure, allow_nan=False)))
    assert figure["layout"]["meta"]["alt"].startswith(figure["layout"]["title"]["text"])
    if run.status == "queued":
        assert figure["data"] == []
        assert "nothing recorded, the run is queued" in figure["layout"]["meta"]["alt"]


def test_losses_keep_their_peaks_and_break_where_there_is_no_number() -> None:
    figure = RUN_FIGURES["losses"](curves())
    dense = decoded(line(figure, "Training, dropout on")["y"])
    assert len(dense) <= MOST_POINTS
    assert dense.max() == 9.0
    probe = line(figure, "Probe")
    np.testing.assert_array_equal(decoded(probe["y"]), [0.5, np.nan, 0.2])
    assert probe["connectgaps"] is False
    assert "probe 0.200, validation 0.900" in figure["layout"]["meta"]["alt"]


def test_a_run_has_the_colour_of_its_arm() -> None:
    for name in RUN_FIGURES:
        assert RUN_FIGURES[name](curves())["data"][-1]["line"]["color"] == METHODS["hiddenkey"][0]


def test_the_gap_is_validation_minus_probe_where_both_are_there() -> None:
    figure = RUN_FIGURES["gap"](curves())
    np.testing.assert_allclose(decoded(figure["data"][0]["y"]), [0.1, np.nan, 0.7])


def test_speed_is_tokens_over_seconds_between_evaluations() -> None:
    np.testing.assert_allclose(decoded(RUN_FIGURES["speed"](curves())["data"][0]["y"]), [500, 500, 400])


def test_a_run_that_drops_nothing_has_no_kl() -> None:
    nothing = curves(metrics={"probe/slice_kl": np.zeros(3)})
    assert RUN_FIGURES["kl"](nothing)["data"] == []
    assert len(RUN_FIGURES["kl"](curves())["data"]) == 1


def test_the_learning_rate_is_the_trainers() -> None:
    schedule = Schedule(0.002, 100, 1000)
    figure = RUN_FIGURES["learning_rate"](curves(schedule=schedule, step=400))
    for name, last in (("Planned", 1000), ("Taken", 400)):
        x, y = (decoded(line(figure, name)[axis]) for axis in "xy")
        assert x[-1] == last
        # The rate of the step that is number k, counted from 1, is that of update k - 1.
        np.testing.assert_allclose(y, [schedule.rate(int(step) - 1) for step in x])
    planned = decoded(line(figure, "Planned")["y"])
    assert planned.max() == 0.002
    assert len(RUN_FIGURES["learning_rate"](curves())["data"]) == 1  # at its end nothing is planned any more


def test_the_route_serves_each_figure_and_knows_when_nothing_changed(
    client: TestClient, database: Database, settings: Settings
) -> None:
    post(client, seeds=1)
    run_id = train(database, settings.home)[0]
    series = {one["name"]: one["values"] for one in client.get(f"{API}/runs/{run_id}/metrics").json()["series"]}
    for name in RUN_FIGURES:
        answer = client.get(f"{API}/runs/{run_id}/figures/{name}")
        assert answer.status_code == 200, (name, answer.text)
        again = client.get(f"{API}/runs/{run_id}/figures/{name}", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    drawn = client.get(f"{API}/runs/{run_id}/figures/losses").json()
    np.testing.assert_array_equal(decoded(line(drawn, "Validation")["y"]), series["validation/loss"])


def test_a_new_evaluation_makes_a_new_figure(client: TestClient, database: Database, settings: Settings) -> None:
    post(client, seeds=1)
    with database.write() as session:
        worker = workers.register(session, this_process(), "cpu", "test")
        pack = queue.claim_pack(session, worker, 1, 60.0)
    assert pack is not None
    run = pack.runs[0]
    path = f"{API}/runs/{run.run_id}/figures/losses"
    before = client.get(path)
    assert before.json()["data"] == []
    with database.write() as session:
        values = {"validation/loss": 0.5, "probe/loss": 0.25, "train/gradient_norm": 3.5}
        records.record(session, [Evaluation(run_id=run.run_id, fence=run.fence, step=2, epoch=0.5, values=values)])
    after = client.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert [trace["name"] for trace in after.json()["data"]] == ["Probe", "Validation"]
    norm = client.get(f"{API}/runs/{run.run_id}/figures/gradient_norm").json()
    assert decoded(norm["data"][0]["y"]).tolist() == [3.5]


def test_a_figure_that_no_run_has(client: TestClient, database: Database, settings: Settings) -> None:
    post(client, seeds=1)
    run_id = train(database, settings.home)[0]
    answer = client.get(f"{API}/runs/{run_id}/figures/ranking")
    assert answer.status_code == 404
    assert "losses, gap, kl, learning_rate, gradient_norm, speed" in answer.json()["detail"]
    assert "ranking" in FIGURES
    assert client.get(f"{API}/runs/run_nowhere/figures/losses").status_code == 404


def test_runs_are_drawn_beside_each_other(client: TestClient, database: Database, settings: Settings) -> None:
    study_id = post(client)["id"]
    train(database, settings.home)
    runs = client.get(f"{API}/studies/{study_id}/runs").json()["items"]
    first, *others = [run["id"] for run in runs]
    figure = client.get(f"{API}/runs/{first}/figures/validation", params={"beside": others}).json()
    assert [trace["name"] for trace in figure["data"]] == [f"{run['arm_label']}, seed {run['seed']}" for run in runs]
    looks = [(trace["line"]["color"], trace["line"]["dash"]) for trace in figure["data"]]
    assert len(set(looks)) == len(runs), "no two lines look alike"
    answer = client.get(f"{API}/runs/{first}/figures/validation", params={"beside": ["run_of_nobody"]})
    assert answer.status_code == 404
