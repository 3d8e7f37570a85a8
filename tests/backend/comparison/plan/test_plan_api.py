"""A plan on its way over REST: the preview says it, the study declares it, looks are drawn as seeds come in."""

import pytest
from fastapi.testclient import TestClient

from backend.shared.database import Database
from backend.shared.errors import Unavailable
from backend.shared.settings import Settings
from tests.backend.make_studies import API, post, study, train

ARMS = [{"method": "none"}, *({"method": method, "rate": 0.1} for method in ("hiddenkey", "dropkey"))]


def wobbling(seed: int, arm: int, step: int) -> float:
    """Every arm 0.2 better than the one before it, give or take; all fall."""
    return 0.9 - 0.2 * arm - 0.01 * step + 0.003 * ((seed * 7 + arm * 3) % 5)


def test_the_preview_says_what_a_plan_can_find(sqlite_client: TestClient) -> None:
    """In a sentence and at assumed spreads; no plan, no promise, and none beside problems."""
    found = sqlite_client.post(f"{API}/studies/preview", json=study(arms=ARMS, seeds=5, plan={"seeds": 12})).json()
    assert found["plan"]["sentence"].startswith(
        "2 arms are judged against No dropout by validation loss at each run's last evaluation, after 5 and 12 seeds. "
        "A difference under 0.02 nats does not matter."
    )
    assert [one["spread"] for one in found["plan"]["power"]] == [0.01, 0.02, 0.04, 0.08]
    assert found["plan"]["power"][0]["better"] > 0.99 > 0.2 > found["plan"]["power"][3]["better"]
    for body in (study(seeds=2), study(seeds=5, plan=None), study(seeds=5, plan={"looks": [9]})):
        assert sqlite_client.post(f"{API}/studies/preview", json=body).json()["plan"] is None


def test_looks_are_drawn_as_seeds_come_in(client: TestClient, database: Database, settings: Settings) -> None:
    """Not yet, then a verdict that more seeds leave alone; report and methods text say it, and what lies beyond."""
    made = post(client, arms=ARMS, seeds=3, plan={"seeds": 4})
    at = f"{API}/studies/{made['id']}"
    early = client.get(f"{at}/comparison").json()
    assert [arm["verdict"] and arm["verdict"]["kind"] for arm in early["arms"]] == [None, "not_yet", "not_yet"]
    train(database, settings.home, wobbling)
    first = client.get(f"{at}/comparison").json()
    assert [look["done"] for look in first["plan"]["looks"]] == [True, False]
    assert first["plan"]["next_look"] == 4
    assert first["arms"][2]["verdict"]["kind"] == "better_by_more"
    assert client.post(f"{at}/extend", json={"seeds": 6}).status_code == 202
    train(database, settings.home, wobbling)
    last = client.get(f"{at}/comparison", params={"baseline": made["arms"][2]["id"]}).json()
    assert last["arms"][2]["verdict"] == first["arms"][2]["verdict"]
    assert last["plan"]["next_look"] is None
    assert last["plan"]["exploratory"] == [
        "Differences are to DropKey; the plan judges against No dropout.",
        "2 seeds beyond the plan's 4: in means and intervals, not in verdicts.",
        "Since its first results the study was also looked at against DropKey: 1 view that the plan does not judge, "
        "each a further chance of a false difference.",
    ]
    assert any(note.startswith("Exploratory, 2 of 3 beyond the plan: 2 seeds") for note in last["notes"])
    report = client.get(f"{at}/report").json()
    assert report["plan"][0] == last["plan"]["sentence"]
    assert report["plan"][2].startswith("DropKey: Better by more than it matters (0.02 nats)")
    assert "Declared before the first run: 2 arms are judged against" in report["methods_text"]
    page = client.get(f"{at}/report.html").text
    assert "Plan and verdicts" in page


def test_looks_beyond_the_plan_are_counted(client: TestClient, database: Database, settings: Settings) -> None:
    """Each other baseline and quantity once, whoever looks and however often; only once there are results."""
    made = post(client, arms=ARMS, seeds=3, plan={"seeds": 3})
    at = f"{API}/studies/{made['id']}"
    other = {"baseline": made["arms"][2]["id"]}

    def looked(**view: str) -> list[str]:
        told = client.get(f"{at}/comparison", params=view).json()["plan"]["exploratory"]
        return [sentence for sentence in told if sentence.startswith("Since its first results")]

    assert looked(**other) == []
    train(database, settings.home, wobbling)
    assert looked() == looked(metric="validation/loss") == []
    assert looked(**other) == [
        "Since its first results the study was also looked at against DropKey: 1 view that the plan does not judge, "
        "each a further chance of a false difference."
    ]
    tag = client.get(f"{at}/comparison", params=other).headers["etag"]
    assert client.get(f"{at}/comparison", params=other, headers={"If-None-Match": tag}).status_code == 304
    looked(metric="gap", **other)
    assert "at against DropKey and by generalization gap: 3 views" in looked(metric="gap")[0]
    assert len(looked()) == 1, "the plan's own view tells it, too"
    assert "looked at against DropKey" in client.get(f"{at}/report.html").text
    client.post(f"{at}/extend", json={"seeds": 4})
    train(database, settings.home, wobbling)
    rows = client.get(f"{at}/export.csv").text.splitlines()
    assert rows[0].endswith(",planned")
    assert {(row.split(",")[2], row.rsplit(",", 1)[1]) for row in rows[1:]} == {
        ("0", "yes"), ("1", "yes"), ("2", "yes"), ("3", "no"),
    }  # fmt: skip


def test_a_database_that_takes_nothing_still_answers(
    client: TestClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that cannot be kept is answered all the same."""
    made = post(client, arms=ARMS, seeds=3, plan={"seeds": 3})
    train(database, settings.home, wobbling)

    def full(*_: object) -> int:
        raise Unavailable("the disk is full")

    monkeypatch.setattr("backend.shared.store.study_events.append", full)
    answer = client.get(f"{API}/studies/{made['id']}/comparison", params={"metric": "gap"})
    assert (answer.status_code, answer.json()["metric"]) == (200, "gap")
