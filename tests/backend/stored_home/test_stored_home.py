"""A home of an earlier Dropscope opens, and answers what it answered then: it may say more, never other numbers.

What is judged in words, the four answers and sentences, may be judged and said better; tests of their own hold them.
Intervals of two seeds are gone since: no table, chart or answer has them any more.

`home.tar.gz` was made at commit 69670d9 by that version's own commands: two tiny random models and two data sets added,
four studies trained, diverged, called off and archived, an adapter kept, a report frozen, two links shared. Taken out:
model weights, logs, all adapter files but one run's. `answers.json.gz` is what its API answered to each address.
"""

import base64
import csv
import gzip
import json
import math
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend.main import create_app
from backend.shared.settings import Settings

FOLDER = Path(__file__).parent
# What is called otherwise since (design, words: an onset is where overfitting begins, by the rule of studies of then).
RENAMED = {"onset": "overfitting", "Overfits from step": "Overfits by"}
ANSWERS: dict[str, Any] = json.loads(gzip.decompress((FOLDER / "answers.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The present service on the stored home."""
    folder = tmp_path_factory.mktemp("stored")
    with tarfile.open(FOLDER / "home.tar.gz") as stored:
        stored.extractall(folder, filter="data")
    app = create_app(Settings(home=folder / "home"))
    yield TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    app.state.doorbell.close()
    app.state.context.database.close()


@pytest.mark.parametrize("address", ANSWERS)
def test_it_answers_what_it_answered(client: TestClient, address: str) -> None:
    """Every answer of then, each number to nine digits (another processor rounds otherwise)."""
    answer = client.get(f"/api/v1/{address}")
    assert answer.status_code == 200, answer.text
    if address.endswith(".csv"):
        assert not differences(rows_of(ANSWERS[address]), rows_of(answer.text))
    else:
        assert not differences(ANSWERS[address], answer.json())


def test_its_adapter_is_still_there(client: TestClient) -> None:
    """What a run trained is served byte for byte as its record has it."""
    runs = next(value for address, value in ANSWERS.items() if address.endswith("/runs?limit=100"))["items"]
    artifact = client.get(f"/api/v1/runs/{runs[0]['id']}/artifacts").json()["items"][0]
    for file in artifact["files"]:
        answer = client.get(f"/api/v1/artifacts/{artifact['id']}/download", params={"file": file["name"]})
        assert answer.status_code == 200
        assert answer.content


def test_a_difference_is_seen() -> None:
    """More keys and columns are no difference; everything else is."""
    then = {
        "a": [1.0, {"b": "x"}],
        "table": {"columns": ["n", "loss"], "rows": [["5", "0.7"]]},
        "csv": "n,loss\n5,0.7\n",
        "series": [{"name": "loss", "values": [0.7]}],
        "answers": [{"id": "use", "headline": "Keep it"}],
        "meaning": "Lower than the other",
    }
    said = {"answers": [{"id": "use", "headline": "Stop"}], "meaning": "It is lower than the other"}
    renamed = {"a": [{"onset": 3}], "b": 1}
    assert not differences(renamed, {"a": [{"overfitting": 3}], "b": 1})
    assert differences(renamed, {"a": [{"overfitting": 4}], "b": 1})
    also = {"series": [{"name": "f1", "values": [1]}, {"name": "loss", "values": [0.7]}]}
    more = {**then, **said, **also, "new": 1, "table": {"columns": ["loss", "f1", "n"], "rows": [["0.7", "1", "5"]]}}
    assert not differences(then, more)
    assert not differences(rows_of("n,loss\n5,0.7\n"), rows_of("n,f1,loss\n5,1,0.7\n"))
    for now in (
        {**then, "a": [1.0 + 1e-7, {"b": "x"}]},
        {**then, "a": [1.0]},
        {**then, "a": [1.0, {}]},
        {**then, "answers": []},
        {**then, "series": []},
        {**then, "series": [{"name": "loss", "values": [0.8]}]},
        {**then, "meaning": "Lower"},
        {**then, "table": {"columns": ["n"], "rows": [["5"]]}},
    ):
        assert differences(then, now)


def test_a_number_that_a_chart_draws_no_more_is_seen() -> None:
    """More traces, another order and another look are no difference; another number of an arm is."""

    def chart(*traces: tuple[str, list[float]]) -> dict[str, Any]:
        def packed(numbers: list[float]) -> dict[str, str]:
            return {"dtype": "f8", "bdata": base64.b64encode(np.array(numbers)).decode()}

        data = [{"y": packed(y), "meta": {"arm": arm, "role": "loss"}, "line": {"dash": arm}} for arm, y in traces]
        return {"data": data, "layout": {"meta": {"name": "losses"}}}

    then = chart(("a", [1.0, 2.0]), ("b", [3.0]))
    assert not differences(then, chart(("b", [3.0]), ("a", [2.0]), ("a", [1.0, 5.0])))
    for now in (chart(("a", [1.0, 2.1]), ("b", [3.0])), chart(("a", [1.0, 2.0, 3.0]))):
        assert differences({"figures": [then]}, {"figures": [now]})


def differences(then: Any, now: Any, place: str = "") -> list[str]:
    """Where `now` says something else than `then`; keys, columns, series and columns of CSV that are new are no
    difference, nor are other names for the same, other words in sentences, notes, definitions and the four answers, nor
    how charts look, as long as they draw the numbers that they drew.
    """
    if _drawn(then) and _drawn(now):
        return _no_more_drawn(then, now, place)
    if place.endswith("/figures"):
        then, now = ({one["layout"]["meta"]["name"]: one for one in some} for some in (then, now))
        return differences(then, now, f"{place}/by name")
    if place.endswith("/answers"):
        then, now = ([one["id"] for one in some] for some in (then, now))
    if place.endswith(("/notes", "/footnotes", "/definitions")) or _judges(then):
        return []
    if isinstance(then, dict) and isinstance(now, dict):
        if {"dtype", "bdata"} <= then.keys():
            gone = place.endswith("/error_x/array") and np.isnan(_numbers(now)).all()  # the ends of two seeds
            return [] if gone or _close(_numbers(then), _numbers(now)) else [f"{place}: other numbers"]
        then = _without_intervals_of_two(then)
        if then.keys() == {"columns", "rows"}:
            then, now = _by_column(then), _by_column(now)
        then = {RENAMED[key] if key not in now and key in RENAMED else key: value for key, value in then.items()}
        lost = [f"{place}/{key}: gone" for key in then.keys() - now.keys()]
        return lost + [
            one for key in then.keys() & now.keys() for one in differences(then[key], now[key], f"{place}/{key}")
        ]
    if place.endswith("/series"):
        then, now = ({one["name"]: one for one in some} for some in (then, now))
        return differences(then, now, place)
    if isinstance(then, list) and isinstance(now, list):
        if len(then) != len(now):
            return [f"{place}: {len(then)} then, {len(now)} now"]
        return [
            one for i, (a, b) in enumerate(zip(then, now, strict=True)) for one in differences(a, b, f"{place}/{i}")
        ]
    if isinstance(then, float) and isinstance(now, float | int):
        return [] if math.isclose(then, now, rel_tol=1e-9, abs_tol=1e-12) else [f"{place}: {then} then, {now} now"]
    if isinstance(then, str) and isinstance(now, str) and " ± " in then and len(now.split()) == 1:
        return [] if _rounds_to(now, then.partition(" ± ")[0]) else [f"{place}: {then!r} then, {now!r} now"]
    if isinstance(then, str) and isinstance(now, str) and min(len(then.split()), len(now.split())) > 3:
        return []
    return [] if then == now else [f"{place}: {str(then)[:80]!r} then, {str(now)[:80]!r} now"]


def _without_intervals_of_two(then: dict[str, Any]) -> dict[str, Any]:
    """The same with the ends of intervals over fewer than three seeds left empty; `n` may be a list, or nested."""
    if "n" not in then:
        return then

    def few(n: Any, ends: Any) -> Any:
        if isinstance(n, list) and isinstance(ends, list):
            return [few(*pair) for pair in zip(n, ends, strict=True)]
        return None if isinstance(n, int) and n < 3 else ends

    return {key: few(then["n"], value) if key in ("lo", "hi", "half_width") else value for key, value in then.items()}


def _rounds_to(now: str, then: str) -> bool:
    """Whether a number in a table, which may have more digits now, is what stood before a ± then."""
    known, told = (float(text.replace("−", "-").rstrip(" %")) for text in (then, now))
    return abs(known - told) <= 0.5 * 10.0 ** -len(then.rstrip(" %").partition(".")[2]) + 1e-9


def _spreads(trace: Any) -> bool:
    """Whether a trace draws how seeds spread: a band, or the seeds where they are two."""
    role = trace.get("meta", {}).get("role", "") if isinstance(trace, dict) else ""
    return role.startswith(("band ", "seeds "))


def _drawn(figure: Any) -> bool:
    return isinstance(figure, dict) and {"data", "layout"} <= figure.keys()


def _no_more_drawn(then: dict[str, Any], now: dict[str, Any], place: str) -> list[str]:
    """Of each arm the numbers that a chart drew and draws no more, but for how seeds spread: charts look otherwise."""
    lost = []
    known, told = _by_arm(then), _by_arm(now)
    for arm, numbers in known.items():
        missing = [one for one in numbers if not np.isclose(one, told.get(arm, []), rtol=1e-9, atol=1e-12).any()]
        lost += [f"{place}: {arm} draws {one} no more" for one in missing]
    return lost


def _by_arm(figure: dict[str, Any]) -> dict[str, list[float]]:
    """What a chart measures of each arm: the finite numbers of its traces, places of rows left out."""
    found: dict[str, list[float]] = {}
    for trace in figure["data"]:
        if _spreads(trace):
            continue
        for axis in "x" if figure["layout"]["meta"]["name"] == "ranking" else "xy":
            values = trace.get(axis)
            numbers = _numbers(values).tolist() if isinstance(values, dict) else []
            arm = trace.get("meta", {}).get("arm", "")
            found.setdefault(arm, []).extend(float(one) for one in numbers if math.isfinite(one))
    return found


def _judges(figure: Any) -> bool:
    """Whether a figure draws what is clear of seed noise in other traces than what is not."""
    layout = figure.get("layout") if isinstance(figure, dict) else None
    return isinstance(layout, dict) and layout.get("meta", {}).get("name") in ("heatmap", "framework")


def rows_of(text: str) -> list[dict[str, str]]:
    """The lines of a CSV file by their columns."""
    return list(csv.DictReader(text.splitlines()))


def _by_column(table: dict[str, Any]) -> dict[str, list[str]]:
    return {name: [row[i] for row in table["rows"]] for i, name in enumerate(table["columns"])}


def _numbers(typed: dict[str, Any]) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(typed["bdata"]), dtype=typed["dtype"])


def _close(then: np.ndarray[Any, Any], now: np.ndarray[Any, Any]) -> bool:
    return then.shape == now.shape and np.allclose(then, now, rtol=1e-9, atol=1e-12, equal_nan=True)
