"""The numbers that the table shows equal an independent computation from the study's own CSV export."""

import io
import math
from collections.abc import Iterator

import httpx
import pyarrow.parquet as pq
import pytest

from tests.e2e.independent import agrees, histories
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stack")]  # one stack for both files


def test_table_equals_scipy_on_the_export(stack: Stack, finished_study: str) -> None:
    """Intervals, paired t, sign-flip, Holm, overfitting and correlation, from the raw rows of a real study."""
    with stack.http as http:
        comparison = http.get(f"/api/v1/studies/{finished_study}/comparison").json()
        exported = http.get(f"/api/v1/studies/{finished_study}/export.csv").text
    assert len(comparison["arms"]) == 4
    assert all(len(seeds) == 3 for seeds in histories(exported).values())
    agrees(comparison, exported)


def test_losses_are_what_training_gives(stack: Stack, finished_study: str) -> None:
    """The study trained for real: probe loss fell from about ln 2 in every run, and every evaluation is finite."""
    with stack.http as http:
        exported = http.get(f"/api/v1/studies/{finished_study}/export.csv").text
    for arm, seeds in histories(exported).items():
        for seed, rows in seeds.items():
            assert rows[-1]["probe/loss"] < 0.9 * math.log(2), (arm, seed)
            assert all(math.isfinite(value) for value in rows[-1].values())


def test_the_ledger_says_what_the_runs_recorded(stack: Stack, finished_study: str) -> None:
    """Mean loss and accuracy of the stored rows equal each run's own; their texts and labels are the data set's."""
    with stack.http as http:
        exported = http.get(f"/api/v1/studies/{finished_study}/export.csv").text
        table = pq.read_table(io.BytesIO(http.get(f"/api/v1/studies/{finished_study}/ledger.parquet").content))
        said = http.get(f"/api/v1/studies/{finished_study}/ledger/rows", params={"limit": 100}).json()
        summed = http.get(f"/api/v1/studies/{finished_study}/ledger").json()
        dataset = http.get(f"/api/v1/studies/{finished_study}").json()["spec"]["dataset"]
        texts = {row["text"]: row["label"] for row in _rows(http, dataset)}
    assert (summed["without"], summed["note"]) == (0, "")
    frame = table.to_pandas()
    for arm, seeds in histories(exported).items():
        for seed, rows in seeds.items():
            own = frame[(frame["arm"] == arm) & (frame["seed"] == seed) & (frame["split"] == "validation")]
            last, stopped = (own[own["clock"] == clock] for clock in ("last", "stopped"))
            assert last["loss"].mean() == pytest.approx(rows[-1]["validation/loss"], rel=1e-5)
            assert (last["predicted"] == last["label"]).mean() == pytest.approx(rows[-1]["validation/accuracy"])
            assert stopped["loss"].mean() == pytest.approx(min(row["validation/loss"] for row in rows), rel=1e-5)
    for item in said["items"]:
        assert texts[item["text"]] == item["label"]


def _rows(http: httpx.Client, dataset: str) -> Iterator[dict[str, str]]:
    cursor = None
    while True:
        query = {"split": "validation", "limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = http.get(f"/api/v1/datasets/{dataset}/rows", params=query).json()
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return
