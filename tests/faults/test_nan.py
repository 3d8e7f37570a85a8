"""T30: a loss that is not a number is a result that can be read everywhere, not an outage."""

import csv
import io
import math
from collections.abc import Callable

import httpx
import pytest

from backend.charts import FIGURES
from tests.databases import BOTH
from tests.faults.house import House
from tests.faults.posting import post_study
from tests.faults.real_engine import TRAIN_ROWS, World

Build = Callable[..., House]
# The scaling overflows once the adapters of query and key have grown in a long warm-up: their product, the attention
# logits, is then infinite.
DIVERGES = {
    "model": "tiny-bert",
    "dataset": "films",
    "train_rows": TRAIN_ROWS,
    "validation_rows": 24,
    "lora": {"rank": 4, "alpha": 1e20, "target_modules": ["query", "key"]},
    "training": {
        "epochs": 10,
        "batch_size": 8,
        "max_length": 32,
        "evaluations": 30,
        "learning_rate": 1.0,
        "warmup_ratio": 0.9,
        "precision": "fp32",
    },
    "arms": [{"method": "none"}, {"method": "dropkey"}],
}


@pytest.mark.parametrize("kind", BOTH)
def test_t30_nan_is_shown_as_nan(kind: str, build: Build, world: World, request: pytest.FixtureRequest) -> None:
    """The real engine trains until its losses are not numbers, and by the written rule five steps longer."""
    database_url = request.getfixturevalue("postgres").fresh() if kind == "postgres" else None
    house = build(database_url=database_url, world=world)
    house.start(1)
    study_id, runs = post_study(house, **DIVERGES)
    assert set(house.wait_all()) == {"failed"}
    ended = [house.run(run_id) for run_id in runs]
    with httpx.Client(base_url=f"{house.url}/api/v1", timeout=30) as http:
        paths = [
            f"/studies/{study_id}",
            f"/studies/{study_id}/comparison",
            *(f"/studies/{study_id}/figures/{name}" for name in FIGURES),
            f"/studies/{study_id}/export.csv",
            f"/runs/{runs[0]}",
            f"/runs/{runs[0]}/metrics",
            f"/runs/{runs[0]}/logs",
        ]
        answers = {path: http.get(path) for path in paths}
        exported = answers[f"/studies/{study_id}/export.csv"].text
        metrics = answers[f"/runs/{runs[0]}/metrics"].json()
    print(f"T30 {kind}: failed at steps {[run.step for run in ended]}; ", end="")
    print(", ".join(f"{path.rsplit('/', 1)[-1]} {a.status_code}" for path, a in answers.items()))
    assert {run.failure_code for run in ended} == {"loss_nan"}
    assert all("not a number at 5 steps in a row" in (run.message or "") for run in ended)
    assert all(answer.status_code == 200 for answer in answers.values())
    loss = next(series for series in metrics["series"] if series["name"] == "validation/loss")
    finite = [value is not None for value in loss["values"]]
    assert finite == sorted(finite, reverse=True), "once it is not a number, it stays so"
    assert (finite[0], finite[-1]) == (True, False)
    assert set(loss["nonfinite"].values()) == {"nan"}
    assert len(loss["nonfinite"]) == finite.count(False)
    told = [row["validation/loss"].lower() for row in csv.DictReader(io.StringIO(exported))]
    assert told.count("nan") >= finite.count(False) + 1
    assert all(math.isfinite(float(value)) for value in told if value != "nan")
